import Files
import Glibc
import TestSupport
import Testing
import Threads

/// A gateway that can be killed and started again on the same folder and ports, with the workers that it starts itself.
private final class Site: Sendable {
    let folder: TemporaryFolder
    let s3: String
    let services: String
    private let settings: [String: String]
    private let child = Lock<ChildProcess?>(nil)
    private let starts = Lock(0)
    static let accessKey = "WORKERSKEY00001"
    static let secretKey = "workers+secret/0123456789abcdef="

    init(_ more: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        s3 = "127.0.0.1:\(try freeLoopbackPort())"
        services = "127.0.0.1:\(try freeLoopbackPort())"
        settings = [
            "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": s3, "OGW_SERVICES_LISTEN": services,
            "OGW_ROOT_ACCESS_KEY": Self.accessKey, "OGW_ROOT_SECRET_KEY": Self.secretKey, "OGW_ACCESS_LOG": "off",
            "OGW_CONNECTIONS_MAX": "200", "HOME": folder.path,
        ].merging(try Gateway.metadataSettings()) { _, own in own }.merging(more) { _, own in own }
    }

    var data: String { folder.file("data") }
    var pid: Int32 { child.withLock { $0?.pid } ?? 0 }
    var log: String {
        (1...max(1, starts.withLock { $0 })).map {
            String(decoding: (try? TemporaryFolder.read(folder.file("log\($0)"))) ?? [], as: UTF8.self)
        }.joined()
    }

    func start() async throws {
        let number = starts.withLock { starts in
            starts += 1
            return starts
        }
        let started = try ChildProcess.start(
            [try Gateway.binary(), "serve"], environment: settings, folder: folder.path,
            outputPath: folder.file("log\(number)"))
        child.withLock { $0 = started }
        try await Gateway.waitUntilReady(services, started, overTLS: false)
    }

    /// Returns the exit status.
    func end(_ signal: Int32) async throws -> Int32 {
        guard let child = child.withLock({ $0 }) else { return 0 }
        child.signal(signal)
        return try await child.wait(timeout: .seconds(60)).status
    }

    func ogw(_ arguments: String...) async throws -> String {
        let ending = try await ChildProcess.run(
            [try Gateway.binary()] + arguments, environment: settings, folder: folder.path)
        #expect(ending.status == 0, "\(ending.output)")
        return ending.output
    }

    func api(_ method: String, _ path: String, _ body: String? = nil) async throws -> String {
        var arguments = [
            "curl", "-sS", "--max-time", "20", "-X", method, "-H", "X-API-Key: \(Self.accessKey):\(Self.secretKey)",
            "http://\(services)\(path)",
        ]
        if let body { arguments += ["-H", "content-type: application/json", "--data-binary", body] }
        return try await ChildProcess.run(arguments, folder: folder.path).output
    }

    func setHooks(_ document: String) async throws {
        let answer = try await api("PUT", "/api/buckets/image-assets/hooks", document)
        try #require(answer.contains(#""revision":"#), "\(answer)")
    }

    private var environment: [String: String] {
        [
            "HOME": folder.path, "AWS_ACCESS_KEY_ID": Self.accessKey, "AWS_SECRET_ACCESS_KEY": Self.secretKey,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://\(s3)", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*", "LC_ALL": "C.UTF-8",
        ]
    }

    @discardableResult
    func python(_ arguments: String...) async throws -> String {
        let ending = try await ChildProcess.run(
            [try tool("python"), Clients.path("workers_client.py")] + arguments, environment: environment,
            folder: folder.path, timeout: .seconds(600))
        #expect(ending.status == 0, "\(arguments):\n\(ending.output)")
        return ending.output
    }

    func startPython(_ output: String, _ arguments: String...) throws -> ChildProcess {
        try ChildProcess.start(
            [try tool("python"), Clients.path("workers_client.py")] + arguments, environment: environment,
            folder: folder.path, outputPath: folder.file(output))
    }

    func aws(_ arguments: String...) async throws {
        let ending = try await ChildProcess.run(
            [try tool("aws")] + arguments, environment: environment, folder: folder.path, timeout: .seconds(300))
        #expect(ending.status == 0, "\(arguments):\n\(ending.output)")
    }

    func wait(_ what: String, within limit: Duration = .seconds(120), _ isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !isSo() {
            guard ContinuousClock.now < deadline else {
                throw TestSupportError(
                    "\(what) did not come within \(limit): \(try await api("GET", "/api/jobs"))\n\(log.suffix(20_000))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The processes that the gateway started and that run.
    func workers() -> [Int32] {
        ((try? LinuxDisk().names(in: "/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            let status = String(decoding: (try? TemporaryFolder.read("/proc/\(pid)/stat")) ?? [], as: UTF8.self)
            // pid (name) state parent; the name may hold anything but its last parenthesis.
            let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && fields[1] == "\(self.pid)" && fields[0] != "Z"
        }
    }

    /// Whether a process of that number runs.
    static func runs(_ pid: Int32) -> Bool {
        let status = String(decoding: (try? TemporaryFolder.read("/proc/\(pid)/stat")) ?? [], as: UTF8.self)
        let state = status.split(separator: ")").last?.split(separator: " ").first ?? "Z"
        return state != "Z" && state != "X"
    }
}

/// Hooks with real workers: `ogw serve` starts them, `aws` and boto3 see what they make.
@Suite(.serialized) struct WorkerEndToEnd {
    private static func with(
        _ site: Site, _ body: (Site) async throws -> Void
    ) async throws {
        try await site.start()
        do {
            try await body(site)
        } catch {
            _ = try? await site.end(SIGKILL)
            throw error
        }
        let workers = site.workers()
        #expect(try await site.end(SIGTERM) == 0, "\(site.log.suffix(5_000))")
        for pid in workers { #expect(!Site.runs(pid), "the worker \(pid) outlived its gateway") }
        #expect(((try? LinuxDisk().names(in: site.data + "/work")) ?? []).isEmpty)
    }

    private static let photo = """
        {"presets": {
            "square": {"ratio": "1:1",  "width": 1080, "crop": "smart", "format": "jpeg", "quality": 95},
            "story":  {"ratio": "9:16", "width": 1080, "crop": "smart", "format": "jpeg", "quality": 95},
            "wide":   {"ratio": "16:9", "width": 1920, "crop": "smart", "format": "jpeg", "quality": 95}},
         "hooks": [{"name": "publish-photo", "on": ["object.created"], "when": {"prefix": "uploads/", "mime": "image/*"},
            "steps": {
                "mark":  {"watermark": {"logo": "s3://image-assets/brand/logo.png", "scale": 0.2, "at": "top-right", "padding": 10}},
                "sizes": {"variants": ["square", "story", "wide"], "after": "mark"}}}]}
        """

    @Test func `a photo that aws copies is marked and cut to its three sizes, and poison is a dead letter`()
        async throws
    {
        try await Self.with(try Site()) { site in
            try await site.setHooks(Self.photo)
            try await site.python("write_scene", site.folder.path)
            try await site.aws("s3", "cp", "logo.png", "s3://image-assets/brand/logo.png")
            try await site.aws("s3", "cp", "photo.jpg", "s3://image-assets/uploads/")
            try await site.wait("the end of the hook") {
                let jobs = try await site.api("GET", "/api/jobs?bucket=image-assets&key=uploads/photo.jpg")
                try #require(!jobs.contains(#""state":"failed""#), "\(jobs)")
                return jobs.contains(#""state":"completed","event""#)
            }
            try await site.python("measure_scene", site.folder.path)
            if let folder = variable("OGW_TEST_PICTURES") { try await site.python("show_scene", folder) }

            let whole = try TemporaryFolder.read(site.folder.file("photo.jpg"))
            try site.folder.write("cut.jpg", whole.prefix(whole.count / 3))
            try await site.aws("s3", "cp", "cut.jpg", "s3://image-assets/uploads/")
            try await site.wait("the dead letter") { try await site.api("GET", "/api/jobs/dead").contains("cut.jpg") }
            let dead = try await site.api("GET", "/api/jobs/dead")
            #expect(dead.contains(#""step":"mark""#) && dead.contains(#""attempt":1"#), "\(dead)")
            #expect(!dead.contains(#""reason":"""#), "\(dead)")
            #expect(try await site.python("keys_of", "uploads/cut.jpg").trimmed.isEmpty)
        }
    }

    private static let many = """
        {"presets": {"tiny": {"width": 16, "height": 16, "fit": "fill", "format": "png"}},
         "hooks": [{"name": "many", "on": ["object.created"], "when": {"prefix": "many/"}, "steps": {
            "small": {"variants": ["tiny"], "retry": {"attempts": 100, "backoff": {"kind": "constant", "base": "50ms"}}}}}]}
        """

    /// `OGW_TEST_KILLS` pictures instead of 100.
    @Test func `workers that are killed at random, and the gateway twice, lose no job and double no output`()
        async throws
    {
        let count = Int(variable("OGW_TEST_KILLS") ?? "") ?? 100
        try await Self.with(try Site(["OGW_WORKERS_MAX": "3"])) { site in
            try await site.setHooks(Self.many)
            let putting = try site.startPython("put", "put_many", "\(count)")
            var put = 0
            var gatewayKills = 0
            var workerKills = 0
            while put < count || gatewayKills < 2 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                put = putting.output.split(separator: "\n").count
                // A gateway that dies takes its workers with it.
                if gatewayKills < 2, put > count * (gatewayKills + 1) / 3 {
                    let workers = site.workers()
                    _ = try await site.end(SIGKILL)
                    try await site.wait("the end of the workers of a killed gateway", within: .seconds(10)) {
                        !workers.contains(where: Site.runs)
                    }
                    try await site.start()
                    gatewayKills += 1
                } else if let worker = site.workers().randomElement() {
                    kill(worker, SIGKILL)
                    workerKills += 1
                }
                if put < count, let ending = putting.poll() {
                    try #require(ending.status == 0, "\(ending.output)")
                }
            }
            // Among those that are left too.
            for _ in 0..<5 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                if let worker = site.workers().randomElement() {
                    kill(worker, SIGKILL)
                    workerKills += 1
                }
            }
            #expect(gatewayKills == 2 && workerKills > 0)
            try await site.wait("the end of all runs", within: .seconds(300)) {
                // One that was hit three times waits for a person.
                _ = try await site.api("POST", "/api/jobs/dead/retry", "{}")
                let jobs = try await site.api("GET", "/api/jobs?state=running&limit=1")
                let dead = try await site.api("GET", "/api/jobs/dead?limit=1")
                return jobs.hasPrefix(#"{"jobs":[]"#) && dead.hasPrefix(#"{"dead":[]"#)
            }
            try await site.python("check_many", "\(count)")
        }
    }

    @Test func `a worker elsewhere keeps what it makes while its gateway is away, and the job loses no try`()
        async throws
    {
        try await Self.with(try Site(["OGW_WORKERS_MAX": "0"])) { site in
            try await site.setHooks(Self.photo)
            try await site.python("write_scene", site.folder.path)
            try await site.aws("s3", "cp", "logo.png", "s3://image-assets/brand/logo.png")
            let added = try await site.ogw("worker-token", "add", "elsewhere", "--json")
            let token = try #require(added.split(separator: #""token":""#).last?.split(separator: "\"").first)
            let worker = try ChildProcess.start(
                [
                    try Gateway.binary(), "worker", "--gateway", "http://\(site.services)", "--name", "far", "--folder",
                    site.folder.file("far"),
                ], environment: ["OGW_WORKER_TOKEN": String(token), "HOME": site.folder.path],
                folder: site.folder.path, outputPath: site.folder.file("far.log"))
            try await site.aws("s3", "cp", "photo.jpg", "s3://image-assets/uploads/")
            try await site.wait("the beginning of the job") { worker.output.contains("job_begun") }
            #expect(try await site.end(SIGTERM) == 0)
            // Longer than the job takes, so that its result waits.
            try await Task.sleep(for: .seconds(4))
            #expect(worker.poll() == nil && worker.output.contains("gateway_away"), "\(worker.output)")
            try await site.start()
            try await site.wait("the end of the hook") {
                try await site.api("GET", "/api/jobs").contains(#""state":"completed","event""#)
            }
            let jobs = try await site.api("GET", "/api/jobs")
            #expect(!jobs.contains(#""attempt":2"#) && jobs.contains(#""worker":"token:elsewhere/far""#), "\(jobs)")
            try await site.python("measure_scene", site.folder.path)
            worker.signal(SIGTERM)
            let ending = try await worker.wait(timeout: .seconds(30))
            #expect(ending.status == 0, "\(ending.output)")
            #expect((try? LinuxDisk().names(in: site.folder.file("far"))) == nil)
            #expect(try await site.ogw("worker-token", "list").contains("elsewhere"))
            _ = try await site.ogw("worker-token", "remove", "elsewhere")
            let refused = try await ChildProcess.run(
                [
                    "curl", "-sS", "-X", "POST", "-H", "authorization: Bearer \(token)", "-d", "{\"worker\":\"far\"}",
                    "http://\(site.services)/api/worker/claim",
                ], folder: "/")
            #expect(refused.output.contains(#""status":401"#), "\(refused.output)")
        }
    }
}
