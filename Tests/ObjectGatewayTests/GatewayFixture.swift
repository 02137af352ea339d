import Buckets
import Bytes
import Files
import Hooks
import JSON
import Metadata
import SigV4
import Targets
import TestSupport
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

/// A whole gateway in a folder of its own: the real metadata store, blobs and users, without a socket.
final class GatewayFixture: Sendable {
    static let pool = Pool()

    let folder: TemporaryFolder
    let store: SQLiteStore
    let blobs: LocalBlobs
    let objects: ObjectStore
    let users: UserDirectory
    /// Not started: events stay as they were noted.
    let jobs: JobEngine
    let targets: TargetEngine
    let gateway: Gateway

    /// With the bucket `bucket`, made by the administrator, in the given state.
    init(
        versioning: VersioningState = .unversioned, configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        folder = try TemporaryFolder()
        var configuration = GatewayConfiguration()
        configure(&configuration)
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.freeBytesMin = 1
        blobsConfiguration.inlineBytesMax = configuration.inlineMax
        let data = try DataFolder.open(folder.file("store"))
        let blobs = try LocalBlobs.open(data, configuration: blobsConfiguration)
        self.blobs = blobs
        store = try SQLiteStore.open(data, pool: Self.pool) { try blobs.makeDurable($0) }
        objects = ObjectStore(metadata: store, blobs: blobs, pool: Self.pool)
        let secrets = try #require(SecretBox(key: [UInt8](repeating: 7, count: 32)))
        users = UserDirectory(metadata: store, secrets: secrets)
        jobs = JobEngine(store: store, hooks: HookDirectory(store), pool: Self.pool)
        targets = TargetEngine(
            store: store,
            sealing: .init(seal: { secrets.seal($0, context: $1) }, open: { secrets.open($0, context: $1) }),
            pool: Self.pool)
        gateway = Gateway(
            store: objects, users: users, jobs: jobs, targets: targets,
            log: Log(level: .error, writesAccess: false),
            metrics: Metrics(operations: Gateway.operationNames), configuration: configuration)
        for user in TestUser.all {
            _ = try await users.add(
                name: user.name, accessKey: user.accessKey, secret: user.secret, policy: user.policy, customer: nil)
            if user.isDisabled { _ = try await users.setDisabled(true, name: user.name) }
        }
        try await makeBucket("bucket", versioning)
    }

    @discardableResult
    func makeBucket(_ name: String, _ versioning: VersioningState = .unversioned) async throws -> Bucket {
        let name = try #require(BucketName(name.utf8))
        let bucket = try await store.createBucket(named: name, owner: TestUser.admin.name, at: Timestamp(seconds: 1))
        if versioning != .unversioned { try await store.setVersioning(versioning, of: bucket.id) }
        return bucket
    }

    func setVersioning(_ state: VersioningState, of name: String = "bucket") async throws {
        try await store.setVersioning(state, of: try await bucket(name).id)
    }

    func bucket(_ name: String = "bucket") async throws -> Bucket {
        let name = try #require(BucketName(name.utf8))
        return try #require(try await store.bucket(named: name))
    }

    /// Signs and sends one request. `path` and `query` are as on the wire.
    func send(
        _ method: String, _ path: String, _ query: String = "", headers: [(String, String)] = [], body: [UInt8] = [],
        signedBy user: TestUser? = .admin, form: AuthForm = .header, trailers: [(String, String)]? = nil,
        host: String = TestRequest.defaultHost, to gateway: Gateway? = nil
    ) async throws -> Answer {
        let request = TestRequest(
            method: method, path: path, query: query, headers: headers, body: body, trailers: trailers, host: host)
        return try await send(user.map { try request.signed(by: $0, form: form) } ?? request.unsigned(), to: gateway)
    }

    /// To the fixture's own gateway, or another over its store.
    func send(_ wire: WireRequest, to gateway: Gateway? = nil) async throws -> Answer {
        let head = try #require(
            RequestHead.make(
                method: wire.method, target: wire.target, fields: wire.fields,
                body: .length(UInt64(wire.body.count))))
        let request = Request(
            head: head, body: RequestBody(bytes: wire.body),
            connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false),
            received: now())
        return try await Answer(collecting: await (gateway ?? self.gateway).handle(request))
    }

    @discardableResult
    func put(
        _ key: String = "key", _ body: [UInt8] = bytes("content"), bucket: String = "bucket",
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let answer = try await send("PUT", wirePath(bucket, key), headers: headers, body: body)
        try #require(answer.status == 200, "\(answer)")
        return answer
    }

    func get(
        _ key: String = "key", _ query: String = "", bucket: String = "bucket", headers: [(String, String)] = []
    ) async throws -> Answer {
        try await send("GET", wirePath(bucket, key), query, headers: headers)
    }

    func head(
        _ key: String = "key", _ query: String = "", bucket: String = "bucket", headers: [(String, String)] = []
    ) async throws -> Answer {
        try await send("HEAD", wirePath(bucket, key), query, headers: headers)
    }

    @discardableResult
    func delete(_ key: String = "key", _ query: String = "", bucket: String = "bucket") async throws -> Answer {
        let answer = try await send("DELETE", wirePath(bucket, key), query)
        try #require(answer.status == 204, "\(answer)")
        return answer
    }

    /// All that the store knows of buckets, versions, tags, uploads and parts, a line each.
    func snapshot() async throws -> [String] {
        var lines: [String] = []
        for bucket in try await store.buckets(after: nil, prefix: [], limit: 1000) {
            lines.append("bucket \(bucket.name) \(bucket.versioning) \(bucket.owner)")
            let versions = try await store.listVersions(
                ListVersionsQuery(
                    bucket: bucket.id, prefix: [], delimiter: nil, keyMarker: nil, versionMarker: nil, limit: 1000))
            for listed in versions.versions {
                let version = try #require(
                    try await store.version(of: listed.key, in: bucket.id, version: listed.versionID))
                lines.append("version \(version)")
            }
            let uploads = try await store.listUploads(
                ListUploadsQuery(
                    bucket: bucket.id, prefix: [], delimiter: nil, keyMarker: nil, uploadMarker: nil, limit: 1000))
            for upload in uploads.uploads {
                lines.append("upload \(upload)")
                for part in try await store.parts(of: upload.id, after: 0, limit: 1000) { lines.append("part \(part)") }
            }
        }
        return lines
    }
}

/// Someone whom the fixture knows, or not.
struct TestUser: Sendable {
    var name: String
    var accessKey: [UInt8]
    var secret: [UInt8]
    var policy: CannedPolicy
    var isDisabled = false

    private init(_ name: String, _ policy: CannedPolicy, isDisabled: Bool = false) {
        self.name = name
        accessKey = bytes("KEYOF\(name.uppercased())")
        secret = bytes("secret-of-\(name)")
        self.policy = policy
        self.isDisabled = isDisabled
    }

    static let admin = TestUser("admin", .admin)
    static let readwrite = TestUser("readwrite", .readwrite)
    static let readonly = TestUser("readonly", .readonly)
    static let writeonly = TestUser("writeonly", .writeonly)
    static let disabled = TestUser("disabled", .admin, isDisabled: true)
    /// The account itself; not among `all`.
    static let root = TestUser("root", .admin)
    /// Not among `all`.
    static let unknown = TestUser("unknown", .admin)

    static let all = [admin, readwrite, readonly, writeonly, disabled]

    static func of(_ policy: CannedPolicy) -> TestUser {
        switch policy {
        case .admin: admin
        case .readwrite: readwrite
        case .readonly: readonly
        case .writeonly: writeonly
        }
    }
}
