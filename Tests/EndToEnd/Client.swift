import Glibc
import TestSupport
import Testing
import Threads

/// One client program with its own home folder, talking to the gateway of the calling test's suite.
struct Client {
    let gateway: Gateway
    /// The client's home and working folder.
    let folder: TemporaryFolder
    private let program: String
    private let environment: [String: String]

    /// `name` is looked up as `tool` does.
    init(_ name: String, _ environment: (Gateway) -> [String: String] = { _ in [:] }) throws {
        gateway = try Gateway.current
        folder = try TemporaryFolder()
        program = try tool(name)
        var variables = [
            "HOME": folder.path, "TMPDIR": folder.path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1", "AWS_ACCESS_KEY_ID": gateway.accessKey,
            "AWS_SECRET_ACCESS_KEY": gateway.secretKey, "AWS_DEFAULT_REGION": gateway.region,
            "AWS_REGION": gateway.region, "AWS_ENDPOINT_URL": gateway.endpoint, "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
        ]
        if let certificate = gateway.certificate {
            for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
                variables[name] = certificate
            }
        }
        self.environment = variables.merging(environment(gateway)) { _, own in own }
    }

    /// Runs the client and expects it to succeed; hands back what it printed.
    @discardableResult
    func run(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws -> String {
        try await run(all: arguments, location: location)
    }

    @discardableResult
    func run(all arguments: [String], location: SourceLocation = #_sourceLocation) async throws -> String {
        let ending = try await ending(arguments)
        #expect(
            ending.status == 0, "\(program) \(arguments.joined(separator: " ")):\n\(ending.output)",
            sourceLocation: location)
        return ending.output
    }

    /// Runs the client and expects it to fail; hands back what it printed.
    @discardableResult
    func fail(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws -> String {
        let ending = try await ending(arguments)
        #expect(
            ending.status > 0, "\(program) \(arguments.joined(separator: " ")):\n\(ending.output)",
            sourceLocation: location)
        return ending.output
    }

    /// Runs the client with a pipe from which a file comes, and expects it to succeed.
    func feed(_ file: String, _ arguments: String..., location: SourceLocation = #_sourceLocation) async throws {
        let ending = try await ending(arguments, before: ["/bin/sh", "-c", "cat -- \"$0\" | \"$@\"", file])
        #expect(
            ending.status == 0, "\(program) \(arguments.joined(separator: " ")):\n\(ending.output)",
            sourceLocation: location)
    }

    private func ending(_ arguments: [String], before launcher: [String] = []) async throws -> ChildProcess.Ending {
        try await ClientSlots.shared.whileHolding {
            try await ChildProcess.run(
                launcher + [program] + arguments, environment: environment, folder: folder.path, timeout: .seconds(300))
        }
    }

    /// A file of bytes that look random and are the same in each run.
    @discardableResult
    func makeFile(_ name: String, bytes count: Int, seed: UInt64 = 1) throws -> String {
        var state = seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            // A linear congruential generator; its high bits are the good ones.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var word = state >> 24
            for _ in 0..<min(5, count - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return try folder.write(name, bytes)
    }

    func makeFolder(_ name: String) { unsafe mkdir(folder.file(name), 0o700) }

    /// Expects two files to hold the same bytes.
    func expectSame(_ first: String, _ second: String, location: SourceLocation = #_sourceLocation) throws {
        let a = try TemporaryFolder.read(folder.file(first))
        let b = try TemporaryFolder.read(folder.file(second))
        #expect(a.count == b.count && a == b, "\(first) and \(second) differ", sourceLocation: location)
    }

    /// A bucket name that no other test uses.
    static func bucket(_ label: String) -> String {
        "\(label)-\(UInt64.random(in: .min ... .max))"
    }
}

/// Lets a few clients run at once: more would only wait for the same cores, and meet their own timeouts.
actor ClientSlots {
    static let shared = ClientSlots(count: 3)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    nonisolated func whileHolding<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        await take()
        do {
            let result = try await body()
            await give()
            return result
        } catch {
            await give()
            throw error
        }
    }

    private func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
