import Glibc
import LoadClient
import TestSupport
import Threads

/// Where the programs lie and how the server is started.
struct ServerSetup: Sendable {
    /// The built `ogw`.
    var program: String
    /// The library that makes system calls fail; nil where it is not built.
    var preload: String?
    var data: String
    /// Holds the log.
    var scratch: String
    /// Added to the server's environment.
    var environment: [String: String] = [:]

    /// With the library, told by `variables` what to do to calls on files below the data folder.
    func preloading(_ variables: [String: String]) throws -> ServerSetup {
        guard let preload else { throw ClientError("--preload is missing: scripts/crash builds it and names it") }
        var setup = self
        setup.environment["LD_PRELOAD"] = preload
        setup.environment["OGW_FAULT_FOLDER"] = data
        setup.environment.merge(variables) { _, new in new }
        return setup
    }
}

/// A running `ogw serve`.
final class ServerProcess: Sendable {
    static let accessKey = "CRASHKEY00000001"
    static let secret = "crash+secret/0123456789abcdef"

    let endpoint: Endpoint
    private let child: ChildProcess
    private let end: Lock<ChildProcess.Ending?> = Lock(nil)

    private init(endpoint: Endpoint, child: ChildProcess) {
        self.endpoint = endpoint
        self.child = child
    }

    enum Start {
        case running(ServerProcess)
        /// It ended before it was ready, with this log.
        case refused(status: Int32, log: String)
    }

    /// Starts a server and does not wait for it.
    static func launch(_ setup: ServerSetup) throws -> ServerProcess {
        let port = try freeLoopbackPort()
        var environment = [
            "OGW_DATA": setup.data, "OGW_S3_LISTEN": "127.0.0.1:\(port)", "OGW_SERVICES_LISTEN": "off",
            "OGW_ROOT_ACCESS_KEY": accessKey, "OGW_ROOT_SECRET_KEY": secret, "OGW_ACCESS_LOG": "off",
            "HOME": setup.scratch, "OGW_DISK_FREE_MIN": "0",
        ]
        environment.merge(setup.environment) { _, own in own }
        let child = try ChildProcess.start(
            [setup.program, "serve"], environment: environment, folder: setup.scratch,
            outputPath: "\(setup.scratch)/log")
        return ServerProcess(endpoint: Endpoint(port: port, accessKey: accessKey, secret: secret), child: child)
    }

    static func start(_ setup: ServerSetup) throws -> Start {
        let server = try launch(setup)
        let session = Session(server.endpoint)
        let deadline = Monotonic.milliseconds + 120_000
        while Monotonic.milliseconds < deadline {
            if let ending = server.ending { return .refused(status: ending.status, log: ending.output) }
            // A server that answers at all is up, whatever it answers while calls are made to fail.
            if case .answer = session.call("GET", "/") { return .running(server) }
            usleep(5_000)
        }
        server.kill()
        throw ClientError("the server was not ready within 120 s:\n\(server.log)")
    }

    /// A server that has to start.
    static func started(_ setup: ServerSetup) throws -> ServerProcess {
        switch try start(setup) {
        case .running(let server): return server
        case .refused(let status, let log):
            throw ClientError("the server does not start, status \(status):\n    \(log.suffix(2000))")
        }
    }

    /// Nil while it runs.
    var ending: ChildProcess.Ending? {
        end.withLock { end in
            if end == nil { end = child.poll() }
            return end
        }
    }

    var log: String { child.output }

    /// As `kill -9`; returns when the process is gone.
    @discardableResult
    func kill() -> ChildProcess.Ending { end(by: SIGKILL) }

    /// As a service manager does.
    @discardableResult
    func stop() -> ChildProcess.Ending { end(by: SIGTERM) }

    private func end(by signal: Int32) -> ChildProcess.Ending {
        while true {
            if let ending { return ending }
            child.signal(signal)
            let next = Monotonic.milliseconds + 60_000
            while Monotonic.milliseconds < next {
                if let ending { return ending }
                usleep(1_000)
            }
            child.signal(SIGKILL)
        }
    }
}

extension ChildProcess.Ending {
    /// A signal that says that the program itself is broken.
    var isCrash: Bool { [-SIGSEGV, -SIGILL, -SIGABRT, -SIGTRAP, -SIGBUS, -SIGFPE].contains(status) }

    var tail: String { output.split(separator: "\n").suffix(8).joined(separator: "\n    ") }
}
