import Bytes
import Files
import Glibc
import ObjectGateway
import Threads

/// `ogw serve`: the gateway in the foreground, until SIGTERM or SIGINT.
enum ServeCommand: Command {
    static let syntax = CommandSyntax(
        "serve", "Serve the store until SIGTERM or SIGINT; SIGHUP reads the TLS certificate again.",
        options: [Environment.fileOption], settings: Setting.all,
        example: """
            ogw serve --data ./data --s3-listen 127.0.0.1:9000
            OGW_DATA=/srv/ogw OGW_LOG_FORMAT=json ogw serve --env-file /etc/ogw.env
            """)

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        var configured = try Environment.configuration(arguments)
        configured.workers.program = ProgramPath.own
        let configuration = configured
        // Blocked before any other thread exists, so that all inherit it and only `sigwait` below takes them.
        let signals = SignalSet([SIGTERM, SIGINT, SIGHUP])
        signals.block()
        let log = Log(
            format: configuration.logFormat, level: configuration.logLevel, writesAccess: configuration.logsAccess)
        let pool = try configuration.threads > 0 ? Pool.start(threads: configuration.threads) : Pool.start()
        let refusal = Lock<StartError?>(nil)
        let gateway = try waitFor(on: pool) {
            try await RunningGateway.start(configuration, pool: pool, log: log) { outcome in
                switch outcome {
                case .opened(let welcome): if let welcome { Terminal.print(welcome) }
                case .refused(let error):
                    refusal.withLock { $0 = error }
                    // Ends the wait below.
                    kill(getpid(), SIGTERM)
                }
            }
        }
        if let welcome = gateway.welcome { Terminal.print(welcome) }
        while true {
            let signal = signals.wait()
            if signal == SIGHUP {
                gateway.reload()
            } else {
                break
            }
        }
        // A second signal ends the process at once.
        signals.unblock()
        try waitFor(on: pool) { await gateway.stop() }
        if let error = refusal.withLock({ $0 }) { throw error }
        return 0
    }
}

/// A set of signals that one thread waits for.
struct SignalSet {
    private var set = sigset_t()

    init(_ signals: [Int32]) {
        // SAFETY: these calls touch the set lent to them, during the call only; so do those below.
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
    }

    func block() {
        var set = set
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    func unblock() {
        var set = set
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// The signal that came within that time.
    func wait(upTo limit: Duration) -> Int32? {
        var set = set
        var time = timespec()
        time.tv_sec = Int(limit.milliseconds / 1000)
        time.tv_nsec = Int(limit.milliseconds % 1000) * 1_000_000
        let signal = unsafe sigtimedwait(&set, nil, &time)
        return signal > 0 ? signal : nil
    }

    /// The signal that came.
    func wait() -> Int32 {
        var set = set
        var signal: Int32 = 0
        while unsafe sigwait(&set, &signal) != 0 {}
        return signal
    }
}
