import Files
import Glibc
import TestSupport
import Testing

/// Hooks with real workers: `ogw serve` starts them, `aws` and boto3 see what they make.
@Suite(.serialized) struct WorkerEndToEnd {
    private static func with(
        _ site: WorkerSite, _ body: (WorkerSite) async throws -> Void
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
        for pid in workers { #expect(!WorkerSite.runs(pid), "the worker \(pid) outlived its gateway") }
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
        try await Self.with(try WorkerSite()) { site in
            try await site.setHooks(Self.photo)
            try await site.python("write_scene", site.folder.path)
            try await site.aws("s3", "cp", "logo.png", "s3://image-assets/brand/logo.png")
            try await site.aws("s3", "cp", "photo.jpg", "s3://image-assets/uploads/")
            try await site.wait("the end of the hook") {
                let jobs = try await site.api(
                    "GET", "/api/jobs?bucket=image-assets&key=uploads/photo.jpg&hook=publish-photo")
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
        try await Self.with(try WorkerSite(["OGW_WORKERS_MAX": "3"])) { site in
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
                        !workers.contains(where: WorkerSite.runs)
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

    /// `OGW_TEST_AWAY` seconds instead of 4.
    @Test func `a worker elsewhere keeps what it makes while its gateway is away, and the job loses no try`()
        async throws
    {
        try await Self.with(try WorkerSite(["OGW_WORKERS_MAX": "0"])) { site in
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
            try await Task.sleep(for: .seconds(Int(variable("OGW_TEST_AWAY") ?? "") ?? 4))
            #expect(worker.poll() == nil && worker.output.contains("gateway_away"), "\(worker.output)")
            try await site.start()
            try await site.wait("the end of the hook") {
                try await site.api("GET", "/api/jobs?hook=publish-photo").contains(#""state":"completed","event""#)
            }
            let jobs = try await site.api("GET", "/api/jobs?hook=publish-photo")
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
