import Glibc
import Threads

/// SeaweedFS as an S3 engine on free ports of 127.0.0.1, with a folder of its own and one bucket, `blobs`.
public final class SeaweedFS: Sendable {
    public let accessKey = "ENGINEKEY"
    public let secretKey = "engine-secret/0123456789+abcdef="
    public let bucket = "blobs"
    /// Of its S3 gateway.
    public let port: UInt16
    /// In the order of `kinds`.
    private let ports: [UInt16]
    private let folder: TemporaryFolder
    private let child = Lock<ChildProcess?>(nil)
    private static let kinds = [
        "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
        "filer.port.grpc",
    ]

    private init() throws {
        folder = try TemporaryFolder()
        ports = try Self.kinds.map { _ in try freeLoopbackPort() }
        port = ports[0]
        let users = """
            {"identities": [{"name": "tests", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
              "credentials": [{"accessKey": "\(accessKey)", "secretKey": "\(secretKey)"}]}]}
            """
        try folder.write("s3.json", users.utf8)
        guard unsafe mkdir(folder.file("data"), 0o700) == 0 else {
            throw TestSupportError("no data folder: errno \(errno)")
        }
    }

    public static func start() async throws -> SeaweedFS {
        let engine = try SeaweedFS()
        do {
            try await engine.run()
            return engine
        } catch {
            await engine.stop()
            throw error
        }
    }

    public var endpoint: String { "http://127.0.0.1:\(port)" }

    /// Starts the process, anew after `kill`, and waits until it takes objects.
    public func run() async throws {
        let settings = [
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=\(folder.file("data"))",
            "-s3.config=\(folder.file("s3.json"))",
            "-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=0", "-volume.minFreeSpace=1",
            "-volume.preStopSeconds=1", "-s3.port.iceberg=0", "-s3.port.lance=0",
        ]
        let started = try ChildProcess.start(
            [try tool("weed"), "server", "-s3"] + settings + zip(Self.kinds, ports).map { "-\($0)=\($1)" },
            environment: ["HOME": folder.path], folder: folder.path, outputPath: folder.file("log"))
        child.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let isThere = accepts(port)
            if isThere, try await put("", body: nil), try await put("probe", body: "x") { return }
            if let ending = started.poll() {
                throw TestSupportError("weed ended with \(ending.status):\n\(ending.output)")
            }
            guard ContinuousClock.now < deadline else {
                throw TestSupportError("weed took no object within 60 s:\n\(started.output)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Signed by curl, so that it does not depend on what is tested. A bucket that is there already is fine.
    private func put(_ key: String, body: String?) async throws -> Bool {
        let answer = try await ChildProcess.run(
            [
                "curl", "-s", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "--aws-sigv4",
                "aws:amz:us-east-1:s3", "--user", "\(accessKey):\(secretKey)",
            ] + (body.map { ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--data-binary", $0] } ?? []) + [
                "\(endpoint)/\(bucket)\(key.isEmpty ? "" : "/" + key)"
            ],
            folder: "/")
        return answer.output.hasPrefix("200") || (body == nil && answer.output.hasPrefix("409"))
    }

    /// Ends the process at once, as a machine that fails.
    public func kill() async throws {
        guard let running = child.withLock({ $0.take() }) else { return }
        running.signal(SIGKILL)
        _ = try await running.wait(timeout: .seconds(30))
    }

    public func stop() async { try? await kill() }
}
