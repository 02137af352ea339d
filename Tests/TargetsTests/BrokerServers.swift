import Glibc
import TestSupport
import Threads

/// A program that serves on a port of 127.0.0.1, started by a test and ended by it.
final class ServerProgram: Sendable {
    let port: UInt16
    let folder: TemporaryFolder
    private let arguments: [String]
    private let environment: [String: String]
    private let child = Lock<ChildProcess?>(nil)

    init(port: UInt16, folder: TemporaryFolder, _ arguments: [String], environment: [String: String] = [:]) {
        (self.port, self.folder, self.arguments) = (port, folder, arguments)
        self.environment = environment.merging(["HOME": folder.path]) { own, _ in own }
    }

    /// Waits until it accepts connections.
    func run() async throws {
        let started = try ChildProcess.start(
            arguments, environment: environment, folder: folder.path, outputPath: folder.file("server.log"))
        child.withLock { $0 = started }
        try await until("\(arguments[0]) on port \(port):\n\(started.output)") {
            if let ending = started.poll() { throw TestSupportError("\(arguments[0]) ended:\n\(ending.output)") }
            return accepts(port)
        }
    }

    var output: String { child.withLock { $0 }?.output ?? "" }

    /// At once, with its children.
    func kill() async throws {
        guard let running = child.withLock({ $0.take() }) else { return }
        Glibc.kill(-running.pid, SIGKILL)
        _ = try await running.wait(timeout: .seconds(30))
    }
}

/// Redis with a password.
struct RedisServer {
    let password = "redis-secret"
    private let program: ServerProgram
    var port: UInt16 { program.port }

    /// `isDurable` lets it keep what it has confirmed, also where it is killed.
    static func start(isDurable: Bool = false) async throws -> RedisServer {
        let (folder, port) = (try TemporaryFolder(), try freeLoopbackPort())
        let server = RedisServer(
            program: ServerProgram(
                port: port, folder: folder,
                [
                    try tool("redis-server"), "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly",
                    isDurable ? "yes" : "no", "--appendfsync", "always", "--dir", folder.path, "--requirepass",
                    "redis-secret",
                ]))
        try await server.run()
        return server
    }

    func run() async throws { try await program.run() }
    func kill() async throws { try await program.kill() }

    private func command(_ arguments: [String]) throws -> [String] {
        [try tool("redis-cli"), "-p", "\(port)", "--no-auth-warning", "-a", password, "--raw"] + arguments
    }

    /// What a command prints, line by line.
    func lines(_ arguments: String...) async throws -> [[UInt8]] { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> [[UInt8]] {
        let ending = try await ChildProcess.run(try command(arguments), folder: program.folder.path)
        guard ending.status == 0 else { throw TestSupportError("redis-cli: \(ending.output)") }
        return ending.output.split(separator: "\n").map { Array($0.utf8) }
    }

    func subscribe(_ channel: String) throws -> ChildProcess {
        try ChildProcess.start(
            try command(["SUBSCRIBE", channel]), folder: program.folder.path,
            outputPath: program.folder.file("subscription"))
    }
}

/// A NATS server with streams, which asks for a token.
struct NATSServer {
    let token = "nats-secret"
    private let program: ServerProgram
    var port: UInt16 { program.port }

    static func start() async throws -> NATSServer {
        let (folder, port) = (try TemporaryFolder(), try freeLoopbackPort())
        let server = NATSServer(
            program: ServerProgram(
                port: port, folder: folder,
                [
                    try tool("nats-server"), "-a", "127.0.0.1", "-p", "\(port)", "-js", "-sd", folder.file("streams"),
                    "--auth", "nats-secret",
                ]))
        try await server.program.run()
        return server
    }

    func kill() async throws { try await program.kill() }
}

/// RabbitMQ as one node that knows no other.
struct RabbitServer {
    private let program: ServerProgram
    private let mapperPort: UInt16
    var port: UInt16 { program.port }

    static func start() async throws -> RabbitServer {
        let folder = try TemporaryFolder()
        let (port, nodePort, mapperPort) = (try freeLoopbackPort(), try freeLoopbackPort(), try freeLoopbackPort())
        try folder.write("plugins", "[].\n".utf8)
        let environment = [
            "RABBITMQ_NODENAME": "ogw-\(port)@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": "\(port)", "RABBITMQ_DIST_PORT": "\(nodePort)",
            "RABBITMQ_MNESIA_BASE": folder.file("data"), "RABBITMQ_LOG_BASE": folder.file("log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": folder.file("plugins"), "RABBITMQ_CONFIG_FILE": folder.file("none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false -erl_epmd_port \(nodePort) +S 1:1",
            // What the start script asks for names of nodes is a daemon of its own.
            "ERL_EPMD_PORT": "\(mapperPort)", "ERL_EPMD_ADDRESS": "127.0.0.1", "LC_ALL": "C.UTF-8",
        ]
        let server = RabbitServer(
            program: ServerProgram(
                port: port, folder: folder, [try Self.script()], environment: environment), mapperPort: mapperPort)
        do { try await server.program.run() } catch {
            try await server.kill()
            throw error
        }
        return server
    }

    /// Debian's own command changes to another user; the one behind it does not.
    private static func script() throws -> String {
        let base = "/usr/lib/rabbitmq/lib"
        guard let folder = unsafe opendir(base) else { throw TestSupportError("rabbitmq-server is missing") }
        defer { unsafe closedir(folder) }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                // SAFETY: the name ends within its 256 bytes.
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix("rabbitmq_server-") { return "\(base)/\(name)/sbin/rabbitmq-server" }
        }
        throw TestSupportError("rabbitmq-server is missing")
    }

    func kill() async throws {
        try await program.kill()
        _ = try await ChildProcess.run(
            ["epmd", "-port", "\(mapperPort)", "-kill"], environment: ["ERL_EPMD_RELAXED_COMMAND_CHECK": "1"],
            folder: "/")
    }
}
