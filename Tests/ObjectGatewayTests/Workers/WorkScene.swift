import Buckets
import Bytes
import Digests
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

/// A store with an engine of jobs and the worker API before it, and a bucket `photos` with hooks.
final class WorkScene: Sendable {
    let fixture: GatewayFixture
    let engine: JobEngine
    let tokens: WorkerTokens
    let routes: WorkerRoutes
    /// With the engine that is at work.
    let gateway: Gateway
    let services: Services
    let bucket: Bucket
    let derived: Bucket

    /// `hooks` is the whole document.
    init(
        _ hooks: String, lease: Duration = .seconds(30), configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = GatewayConfiguration()
        configure(&configuration)
        let fixture = try await GatewayFixture(versioning: .enabled)
        self.fixture = fixture
        bucket = try await fixture.makeBucket("photos", .enabled)
        derived = try await fixture.makeBucket("derived-assets", .enabled)
        var engineConfiguration = JobEngineConfiguration()
        engineConfiguration.leasePeriod = lease
        engineConfiguration.tick = .milliseconds(20)
        engine = JobEngine(
            store: fixture.store, hooks: HookDirectory(fixture.store), pool: GatewayFixture.pool,
            configuration: engineConfiguration)
        try await engine.start()
        let text = Array(hooks.utf8)
        _ = try await engine.setHooks(try HookConfiguration(parsing: text), document: text, of: bucket.id)
        tokens = try WorkerTokens(folder: fixture.folder.path)
        services = Services(objects: fixture.objects, jobs: engine, targets: nil, configuration: configuration)
        routes = WorkerRoutes(services: services, engine: engine, tokens: tokens, log: Log(level: .error))
        gateway = Gateway(
            store: fixture.objects, users: fixture.users, jobs: engine, log: Log(level: .error, writesAccess: false),
            metrics: Metrics(operations: Gateway.operationNames), configuration: configuration)
    }

    /// One step, called `s`, of a hook on what is made.
    convenience init(
        step: String, lease: Duration = .seconds(30), configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        try await self.init(Self.hook(#""s": {\#(step)}"#), lease: lease, configure: configure)
    }

    static func hook(_ steps: String, more: String = "") -> String {
        #"{"presets": {"small": {"width": 16, "height": 16, "format": "png", "enlarge": true}}, "hooks": [{"name": "h", "on": "object.created"\#(more), "steps": {\#(steps)}}]}"#
    }

    /// A fast second try, for steps that are to fail first.
    static let fastRetry = #""retry": {"backoff": {"kind": "constant", "base": "1ms"}}"#

    @discardableResult
    func put(_ key: String, _ content: [UInt8], type: String = "image/png") async throws -> ObjectVersion {
        let rules = try #require(try await engine.hooks.rules(of: bucket.id))
        let object = FilteredObject(
            key: bytes(key), size: UInt64(content.count), contentType: bytes(type), tags: [], userMetadata: [],
            customer: nil)
        var draft = EventDraft(
            name: .createdPut, bucketName: bucket.name, principal: TestUser.admin.name, customer: nil,
            revision: rules.revision)
        draft.hooks = rules.matches(.createdPut, of: object, in: bucket.id, from: nil)
        let body = RequestBody(bytes: content)
        let staged = try await fixture.objects.stage(
            ByteSource { try await body.read($0) }, digests: .md5, sizeMax: 1 << 30)
        var attributes = ObjectAttributes()
        attributes.contentType = bytes(type)
        let version = try await fixture.objects.publish(
            staged,
            as: NewVersion(
                bucket: bucket.id, key: try #require(ObjectKey(bytes(key))), owner: TestUser.admin.name,
                size: UInt64(content.count), etag: ETag(md5: staged.digests[.md5] ?? []), attributes: attributes,
                checksum: nil, tags: [], content: .empty, event: draft))
        engine.notice()
        return version
    }

    // MARK: The API

    func send(
        _ method: String, _ path: String, lease: String? = nil, body: [UInt8] = [], headers: [(String, String)] = [],
        isLocal: Bool = true
    ) async throws -> Answer {
        let fields = [("host", "ogw")] + headers + (lease.map { [("x-ogw-lease", $0)] } ?? [])
        let head = try #require(
            RequestHead.make(
                method: method, target: bytes("/api/worker/\(path)"),
                fields: fields.map { (name: bytes($0.0), value: bytes($0.1)) },
                body: .length(UInt64(body.count))))
        let request = Request(
            head: head, body: RequestBody(bytes: body),
            connection: ConnectionInfo(peerAddress: "", peerPort: 0, isTLS: false), received: now())
        #expect(routes.takes(request.head))
        return try await Answer(collecting: await routes.handle(request, isLocal: isLocal))
    }

    func post(_ path: String, _ job: ClaimedJob? = nil, _ body: JSONValue = .object([])) async throws -> Answer {
        try await send("POST", path, lease: job?.lease, body: body.text)
    }

    func claim(wait: Duration = .seconds(30), as worker: String = "w") async throws -> ClaimedJob? {
        let answer = try await post("claim", nil, ["worker": .string(worker), "wait_ms": .integer(wait.milliseconds)])
        try #require(answer.status == 200, "\(answer)")
        return JSONValue(parsing: answer.body)?["jobs"]?.array?.first.map(ClaimedJob.init)
    }

    /// A job that its worker has confirmed.
    func one() async throws -> ClaimedJob {
        let job = try #require(try await claim())
        #expect(try await post("jobs/\(job.id)/heartbeat", job).json?["held"]?.bool == true)
        return job
    }

    func complete(_ job: ClaimedJob, head: JSONValue, _ content: [UInt8] = []) async throws -> Answer {
        try await send("POST", "jobs/\(job.id)/complete", lease: job.lease, body: head.text + [10] + content)
    }

    func job(_ claimed: ClaimedJob) async throws -> Job {
        let id = try #require(JobID(claimed.id.utf8))
        return try #require(try await fixture.store.job(id))
    }

    /// The keys of what was made, in order.
    func madeKeys() async throws -> [String] {
        try await fixture.store.listObjects(
            ListQuery(bucket: derived.id, prefix: [], delimiter: nil, after: nil, limit: 1000)
        ).objects.map(\.key.text)
    }

    func made(_ key: String) async throws -> Answer { try await fixture.get(key, bucket: "derived-assets") }

    /// Reads an object of `photos` by the gateway whose engine is at work.
    func read(
        _ key: String, _ query: String = "", method: String = "GET", headers: [(String, String)] = [],
        as user: TestUser = .admin
    ) async throws -> Answer {
        try await fixture.send(
            method, wirePath("photos", key), query, headers: headers, signedBy: user, to: gateway)
    }

    /// Waits for the end of the run that the key's object set off.
    func ended(_ key: String) async throws -> JobGroup {
        let key = try #require(ObjectKey(bytes(key)))
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let group = try await fixture.store.jobGroups(of: key, in: bucket.id, limit: 1).first
            if let group, group.state != .running { return group }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestSupportError("the run of \(key.text) did not end")
    }

    func close() async {
        await engine.stop()
        await fixture.store.close()
    }
}

/// A job as a claim answered it.
struct ClaimedJob: Sendable {
    let value: JSONValue
    var id: String { value["id"]?.string ?? "" }
    var lease: String { value["lease"]?.string ?? "" }
}

extension Answer {
    var json: JSONValue? { JSONValue(parsing: body) }
}
