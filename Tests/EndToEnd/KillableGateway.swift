import Glibc
import TestSupport
import Testing
import Threads

/// A gateway that can be killed and started again over the same folder.
final class KillableGateway: Sendable {
    let folder: TemporaryFolder
    let s3: String
    let services: String
    private let environment: [String: String]
    private let child = Lock<ChildProcess?>(nil)
    static let accessKey = "TARGETSKEY000001"
    static let secretKey = "targets+secret/0123456789abcdef"

    init(allowing authority: String = "") throws {
        folder = try TemporaryFolder()
        s3 = "127.0.0.1:\(try freeLoopbackPort())"
        services = "127.0.0.1:\(try freeLoopbackPort())"
        environment = [
            "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": s3, "OGW_SERVICES_LISTEN": services,
            "OGW_ROOT_ACCESS_KEY": Self.accessKey, "OGW_ROOT_SECRET_KEY": Self.secretKey,
            "OGW_ACCESS_LOG": "off", "HOME": folder.path, "OGW_CONNECTIONS_MAX": "100",
            "OGW_OUTBOUND_ALLOW": authority,
        ].merging(try Gateway.metadataSettings()) { _, own in own }
    }

    func start() async throws {
        let started = try ChildProcess.start(
            [try Gateway.binary(), "serve"], environment: environment, folder: folder.path,
            outputPath: folder.file("log"))
        child.withLock { $0 = started }
        try await Gateway.waitUntilReady(services, started, overTLS: false)
    }

    @discardableResult
    func end(by signal: Int32) async throws -> ChildProcess.Ending? {
        guard let running = child.withLock({ $0.take() }) else { return nil }
        running.signal(signal)
        return try await running.wait(timeout: .seconds(60))
    }

    func run(_ arguments: String...) async throws -> ChildProcess.Ending {
        try await ChildProcess.run(
            [try Gateway.binary()] + arguments, environment: environment, folder: folder.path)
    }

    func succeed(_ arguments: String..., saying text: String) async throws {
        let ending = try await ChildProcess.run(
            [try Gateway.binary()] + arguments, environment: environment, folder: folder.path)
        #expect(ending.status == 0 && ending.output.contains(text), "\(arguments): \(ending.output)")
    }

    func curl(_ arguments: String...) async throws -> String {
        let ending = try await ChildProcess.run(
            ["curl", "-sS", "-f", "--max-time", "30"] + arguments, folder: folder.path)
        try #require(ending.status == 0, "\(arguments): \(ending.output)")
        return ending.output
    }

    func put(_ key: String) async throws {
        _ = try await curl(
            "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", "\(Self.accessKey):\(Self.secretKey)", "-H",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-T", "file", "http://\(s3)/image-assets/\(key)")
    }
}
