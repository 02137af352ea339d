import Bytes
import Hooks
import JSON
import Metadata
import Testing

@testable import HTTPServer
@testable import ObjectGateway

/// An open store with users of two customers, a bucket `photos`, and the routes of the services listener over it.
final class RouteScene: Sendable {
    let fixture: StoreFixture
    let store: OpenStore
    let services: RouteTable
    let control: RouteTable
    let bucket: Bucket

    init() async throws {
        fixture = try StoreFixture()
        store = try await fixture.open()
        services = RouteTable(
            store.serviceRoutes(publicURL: "http://s3"), log: fixture.log,
            authenticator: ServicesAuthenticator(users: store.users))
        control = store.controlTable(log: fixture.log)
        for (name, policy, customer) in [
            ("anna", .readonly, "acme"), ("emil", .readwrite, "acme"), ("otto", .readwrite, "other"),
            ("boss", .admin, nil),
        ] as [(String, CannedPolicy, String?)] {
            _ = try await store.users.add(
                name: name, accessKey: bytes("\(name)-key"), secret: bytes("\(name)-secret"), policy: policy,
                customer: customer)
        }
        let name = try #require(BucketName("photos".utf8))
        bucket = try await store.metadata.createBucket(named: name, owner: "boss", at: .now())
    }

    var engine: JobEngine { get throws { store.jobs } }

    func request(
        _ method: String, _ target: String, as user: String?, body: String = "", fields: [(String, String)] = []
    ) throws -> Request {
        let credentials = user.map { [("x-api-key", "\($0)-key:\($0)-secret")] } ?? []
        let head = try #require(
            RequestHead.make(
                method: method, target: bytes(target),
                fields: ([("host", "h")] + credentials + fields).map { (name: bytes($0.0), value: bytes($0.1)) },
                body: .length(UInt64(body.utf8.count))))
        return Request(
            head: head, body: RequestBody(bytes: bytes(body)),
            connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false), received: .now())
    }

    func send(
        _ method: String, _ target: String, as user: String? = "boss", body: String = ""
    ) async throws -> Response {
        await services.handle(try request(method, target, as: user, body: body)).response
    }

    /// Sends what is to succeed, and returns its JSON.
    @discardableResult
    func ask(
        _ method: String, _ target: String, as user: String = "boss", body: String = ""
    ) async throws -> JSONValue {
        let answer = try await send(method, target, as: user, body: body)
        try #require(answer.status == 200, "\(method) \(target): \(answer)")
        return try #require(answer.json)
    }

    /// A hook `h` of two steps, one after the other, as `members` say.
    func setHooks(_ members: String = "") async throws {
        try await ask(
            "PUT", "/api/buckets/photos/hooks",
            body: #"""
                {"hooks": [{"name": "h", "on": "object.created", \#(members)
                            "steps": {"a": {"preview": true}, "b": {"deliver": "https://example.com/", "after": "a"}}}]}
                """#)
    }

    /// An object with the event that its hooks hear of.
    func put(_ key: String, by owner: String = "anna", type: String? = nil) async throws {
        let rules = try await engine.hooks.rules(of: bucket.id)
        var attributes = ObjectAttributes()
        attributes.contentType = type.map { bytes($0) }
        let customer = try await store.users.user(named: owner)?.customer
        let object = FilteredObject(
            key: bytes(key), size: 1, contentType: attributes.contentType, tags: [], userMetadata: [],
            customer: customer)
        let draft = rules?.draft(.createdPut, of: object, in: bucket, because: EventCause(principal: owner))
        _ = try await store.metadata.publish(
            NewVersion(
                bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: owner, size: 1,
                etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: attributes, checksum: nil, tags: [],
                content: .empty, event: draft))
        try engine.notice()
    }

    /// Claims one job.
    func claim() async throws -> LeasedJob {
        let jobs = try await engine.claim(
            worker: "w1", queues: ["default"], countMax: 1, wait: .seconds(30))
        return try #require(jobs.first)
    }

    func complete(_ leased: LeasedJob) async throws {
        _ = try await engine.complete(JobCompletion(job: leased.job.id, token: leased.job.token))
    }

    func fail(_ leased: LeasedJob, _ reason: String) async throws {
        _ = try await engine.fail(leased.job.id, token: leased.job.token, reason: reason, isPermanent: true)
    }
}
