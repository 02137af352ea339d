import Buckets
import Bytes
import JSON
import Metadata
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

/// What reads do when the source was replaced between its look-up and the opening of its bytes.
@Suite struct LookingUpAgainTests {
    /// A gateway that is told of a version which was replaced and swept, for the next `times` look-ups.
    private func gateway(_ fixture: GatewayFixture, outdated version: ObjectVersion, times: Int) -> (
        Gateway, StaleStore
    ) {
        let store = StaleStore(fixture.store, version: version, times: times)
        let objects = ObjectStore(
            metadata: store, blobs: fixture.blobs, segments: fixture.store.segments, pool: fixture.objects.pool)
        let gateway = Gateway(
            store: objects, users: fixture.users, log: Log(level: .error, descriptor: -1),
            metrics: Metrics(operations: Gateway.operationNames), configuration: GatewayConfiguration())
        return (gateway, store)
    }

    private func send(_ request: TestRequest, to gateway: Gateway) async throws -> Answer {
        let wire = try request.signed(by: .admin, form: .header)
        let head = try #require(
            RequestHead.make(
                method: wire.method, target: wire.target, fields: wire.fields, body: .length(UInt64(wire.body.count))))
        return try await Answer(
            collecting: await gateway.handle(
                Request(
                    head: head, body: RequestBody(bytes: wire.body),
                    connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false),
                    received: now())))
    }

    /// With `key` put twice; the version that is gone.
    private func replaced(_ fixture: GatewayFixture) async throws -> ObjectVersion {
        try await fixture.put("key", bytes("former"))
        let key = try #require(ObjectKey("key".utf8))
        let former = try #require(
            try await fixture.store.version(of: key, in: try await fixture.bucket().id, version: nil))
        try await fixture.put("key", bytes("present"))
        #expect(try await fixture.objects.sweeper.sweep() == 1)
        return former
    }

    private func requests(_ fixture: GatewayFixture) async throws -> [(
        name: String, request: TestRequest, target: String
    )] {
        let upload = try await fixture.createUpload("target")
        let source = [("x-amz-copy-source", "bucket/key")]
        return [
            ("GetObject", TestRequest(method: "GET", path: "/bucket/key"), "key"),
            ("CopyObject", TestRequest(method: "PUT", path: "/bucket/copy", headers: source), "copy"),
            (
                "UploadPartCopy",
                TestRequest(
                    method: "PUT", path: "/bucket/target", query: "partNumber=1&uploadId=\(upload)", headers: source),
                ""
            ),
        ]
    }

    @Test func `a source that was replaced meanwhile is looked up again`() async throws {
        let fixture = try await GatewayFixture(configure: { $0.inlineMax = 0 })
        let former = try await replaced(fixture)
        for (name, request, target) in try await requests(fixture) {
            let (gateway, store) = gateway(fixture, outdated: former, times: 2)
            let answer = try await send(request, to: gateway)
            #expect(answer.status == 200, "\(name): \(answer)")
            #expect(store.timesLeft == 0, "\(name)")
            if !target.isEmpty { #expect(try await fixture.get(target).text == "present", "\(name)") }
            if name == "UploadPartCopy" {
                #expect(
                    try answer.xml("CopyPartResult").string("ETag") == (try await fixture.head("key").etag), "\(name)")
            }
        }
    }

    @Test func `bytes that stay away are an error after three look-ups`() async throws {
        let fixture = try await GatewayFixture(configure: { $0.inlineMax = 0 })
        let former = try await replaced(fixture)
        for (name, request, _) in try await requests(fixture) {
            let (gateway, store) = gateway(fixture, outdated: former, times: 10)
            let answer = try await send(request, to: gateway)
            #expect(answer.status == 500 && answer.code == "InternalError", "\(name): \(answer)")
            #expect(store.timesLeft == 7, "\(name)")
        }
    }
}

/// Another store, which answers the first look-ups of a key with a version that it has no longer.
private final class StaleStore: MetadataStore {
    private let store: any MetadataStore
    private let outdated: ObjectVersion
    private let left: Lock<Int>

    init(_ store: any MetadataStore, version: ObjectVersion, times: Int) {
        (self.store, outdated) = (store, version)
        left = Lock(times)
    }

    var timesLeft: Int { left.withLock { $0 } }

    func version(
        of key: ObjectKey, in bucket: BucketID, version: VersionID?
    ) async throws(MetadataError) -> ObjectVersion? {
        let isStale = left.withLock { left in
            guard key == outdated.key, left > 0 else { return false }
            left -= 1
            return true
        }
        return isStale ? outdated : try await store.version(of: key, in: bucket, version: version)
    }

    func bucket(named name: BucketName) async throws(MetadataError) -> Bucket? { try await store.bucket(named: name) }
    func buckets(after: BucketName?, prefix: [UInt8], limit: Int) async throws(MetadataError) -> [Bucket] {
        try await store.buckets(after: after, prefix: prefix, limit: limit)
    }
    func createBucket(named name: BucketName, owner: String, at now: Timestamp) async throws(MetadataError) -> Bucket {
        try await store.createBucket(named: name, owner: owner, at: now)
    }
    func deleteBucket(_ id: BucketID) async throws(MetadataError) { try await store.deleteBucket(id) }
    func configure(
        _ bucket: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?
    ) async throws(MetadataError) {
        try await store.configure(bucket, kind, with: document)
    }
    func setVersioning(_ state: VersioningState, of bucket: BucketID) async throws(MetadataError) {
        try await store.setVersioning(state, of: bucket)
    }
    func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage { try await store.listObjects(query) }
    func listVersions(_ query: ListVersionsQuery) async throws(MetadataError) -> ListVersionsPage {
        try await store.listVersions(query)
    }
    func publish(_ new: NewVersion) async throws(MetadataError) -> ObjectVersion { try await store.publish(new) }
    func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        try await store.delete(request)
    }
    func setTags(
        _ tags: [Metadata.Tag], of key: ObjectKey, in bucket: BucketID, version: VersionID?, event: EventDraft?
    )
        async throws(MetadataError) -> VersionID
    { try await store.setTags(tags, of: key, in: bucket, version: version, event: event) }
    func createUpload(_ upload: Upload) async throws(MetadataError) { try await store.createUpload(upload) }
    func upload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Upload? {
        try await store.upload(id, of: key, in: bucket)
    }
    func listUploads(_ query: ListUploadsQuery) async throws(MetadataError) -> ListUploadsPage {
        try await store.listUploads(query)
    }
    func putPart(_ part: UploadedPart, blob: NewBlob?, of upload: UploadID, key: ObjectKey, in bucket: BucketID)
        async throws(MetadataError)
    { try await store.putPart(part, blob: blob, of: upload, key: key, in: bucket) }
    func parts(of upload: UploadID, after: Int, limit: Int) async throws(MetadataError) -> [UploadedPart] {
        try await store.parts(of: upload, after: after, limit: limit)
    }
    func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion {
        try await store.completeUpload(request)
    }
    func abortUpload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) {
        try await store.abortUpload(id, of: key, in: bucket)
    }
    func user(accessKey: [UInt8]) async throws(MetadataError) -> User? { try await store.user(accessKey: accessKey) }
    func users() async throws(MetadataError) -> [User] { try await store.users() }
    func addUser(_ user: User) async throws(MetadataError) { try await store.addUser(user) }
    func updateUser(_ user: User) async throws(MetadataError) { try await store.updateUser(user) }
    func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>] {
        await store.delete(requests)
    }
    func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument? { try await store.asset(id) }
    func assets(_ ids: [AssetID]) async throws(MetadataError) -> [AssetDocument] { try await store.assets(ids) }
    func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset? {
        try await store.asset(of: key, in: bucket)
    }
    func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, ifNow former: AssetDetails?
    ) async throws(MetadataError) -> Asset {
        try await store.setAssetDetails(details, of: id, ifNow: former)
    }
    func makeAssets(of keys: [ObjectKey], in bucket: BucketID) async throws(MetadataError) -> Int {
        try await store.makeAssets(of: keys, in: bucket)
    }
    func setAssets(_ hasAssets: Bool, of bucket: BucketID) async throws(MetadataError) {
        try await store.setAssets(hasAssets, of: bucket)
    }
    func blob(_ id: BlobID) async throws(MetadataError) -> StoredBlob? { try await store.blob(id) }
    func blobs(after: BlobID, limit: Int) async throws(MetadataError) -> [StoredBlob] {
        try await store.blobs(after: after, limit: limit)
    }
    func garbageCount() throws(MetadataError) -> UInt64 { try store.garbageCount() }
    func heal(_ blobs: [StoredBlob]) async throws(MetadataError) -> Set<BlobID> { try await store.heal(blobs) }
    func versions(
        naming blobs: Set<BlobID>, countMax: Int
    ) async throws(MetadataError) -> [BlobID: [VersionName]] {
        try await store.versions(naming: blobs, countMax: countMax)
    }
    func damagedPages(pace: @Sendable (Int) async -> Bool) async throws(MetadataError) -> [DamagedPage] {
        try await store.damagedPages(pace: pace)
    }
    func garbage(limit: Int) async throws(MetadataError) -> [BlobID] { try await store.garbage(limit: limit) }
    func forgetGarbage(_ blobs: [BlobID]) async throws(MetadataError) { try await store.forgetGarbage(blobs) }
}
