import Files
import Glibc
import TestSupport
import Testing
import Threads

/// A gateway that can be killed and started again on the same folder and ports, with the workers that it starts itself.
final class WorkerSite: Sendable {
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
