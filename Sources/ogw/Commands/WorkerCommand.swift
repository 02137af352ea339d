import Bytes
import Digests
import Files
import Glibc
import ObjectGateway
import Threads
import Worker

/// `ogw worker`: does the jobs of a gateway, of this machine or another, until SIGTERM or SIGINT.
enum WorkerCommand: Command {
    static let syntax = CommandSyntax(
        "worker", "Do the jobs of a gateway until SIGTERM or SIGINT; `ogw serve` starts its own.",
        options: [
            .init(
                "--gateway", "URL",
                "The services listener of a gateway elsewhere. Where not given, the one that serves OGW_DATA."),
            .init(
                "--token", "TOKEN",
                "A token of `ogw worker-token add`. Other users of the machine can see it here: OGW_WORKER_TOKEN takes it too."
            ),
            .init("--name", "NAME", "What this worker is called. Default the host's name and the process's number."),
            .init("--queues", "NAME,...", "Serve these queues only, the first before the others."),
            .init("--folder", "FOLDER", "A folder of its own for its files. Default one in TMPDIR."),
            .init("--media", "PROGRAM", "The program ogw-media. Default the one beside ogw."),
            .init("--stop-within", "DURATION", "How long the job under way may go on after SIGTERM. Default 30s."),
            .init("--idle-exit", "DURATION", "End after so long without a job."),
            .init("--supervised", nil, "End with the standard input, as `ogw serve` has it of its own workers."),
            Environment.fileOption,
        ], settings: ["OGW_DATA", "OGW_LOG_FORMAT", "OGW_LOG_LEVEL"].compactMap(Setting.named),
        example: """
            OGW_WORKER_TOKEN=... ogw worker --gateway https://store.example:9001 --queues default,video
            """)

    /// What is logged of the worker.
    private static let nameRule = "1 to 64 of A-Z a-z 0-9 . _ - @"

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let settings = try Environment.configuration(arguments)
        let configuration = try configuration(arguments, data: settings.data)
        let grace = try duration("--stop-within", arguments) ?? .seconds(30)
        let signals = SignalSet([SIGTERM, SIGINT])
        signals.block()
        // A decoder that died is an error of a write, not this process's end.
        signal(SIGPIPE, SIG_IGN)
        let log = Log(format: settings.logFormat, level: settings.logLevel)
        let pool = try Pool.start(threads: 4)
        let worker = try Worker(configuration, pool: pool) { log.report($0, of: configuration.name) }
        let outcome = Lock<Result<Void, any Error>?>(nil)
        pool.run {
            do {
                try await worker.run()
                outcome.withLock { $0 = .success(()) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        while true {
            if let outcome = outcome.withLock({ $0 }) {
                try outcome.get()
                return 0
            }
            if signals.wait(upTo: .milliseconds(100)) != nil { break }
            // The gateway is gone, and with it whoever takes what this worker makes.
            if configuration.isSupervised, inputHasEnded { return 1 }
        }
        signals.unblock()
        try waitFor(on: pool) { await worker.stop(within: grace) }
        log.drain()
        return 0
    }

    private static func configuration(_ arguments: ParsedArguments, data: String) throws -> WorkerConfiguration {
        let gateway: WorkerConfiguration.Gateway
        let isSupervised = arguments.switches.contains("--supervised")
        if let url = arguments.values["--gateway"] {
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw usage("--gateway is \"\(url)\": wanted a URL such as http://host:9001")
            }
            guard let token = arguments.values["--token"] ?? Environment.variable("OGW_WORKER_TOKEN") else {
                throw usage("--token is missing: wanted it, or OGW_WORKER_TOKEN, beside --gateway")
            }
            gateway = .url(url.hasSuffix("/") ? String(url.dropLast()) : url, token: token)
        } else {
            gateway = .socket(ControlCaller.socketPath(in: data))
        }
        let name = arguments.values["--name"] ?? "\(hostName)-\(getpid())"
        guard isName(name) else { throw usage("--name is \"\(name)\": wanted \(nameRule)") }
        var configuration = WorkerConfiguration(
            gateway: gateway, name: name,
            folder: arguments.values["--folder"]
                ?? "\(Environment.variable("TMPDIR") ?? "/tmp")/ogw-worker-\(Hex.string(SecureRandom.bytes(8)))",
            mediaProgram: arguments.values["--media"] ?? ProgramPath.beside("ogw-media"))
        configuration.queues =
            arguments.values["--queues"].map { $0.split(separator: ",").map(String.init) } ?? []
        configuration.isSupervised = isSupervised
        configuration.idleTime = try duration("--idle-exit", arguments)
        return configuration
    }

    private static func duration(_ flag: String, _ arguments: ParsedArguments) throws -> Duration? {
        guard let text = arguments.values[flag] else { return nil }
        guard let duration = DurationText.parse(text.utf8) else {
            throw usage("\(flag) is \"\(text)\": wanted \(DurationText.wanted)")
        }
        return duration
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.dot || $0 == Ascii.underscore
                    || $0 == Ascii.dash || $0 == 0x40
            }
    }

    private static var hostName: String {
        let known = Environment.variable("HOSTNAME") ?? ""
        if isName(known), known.utf8.count <= 50 { return known }
        var bytes = [CChar](repeating: 0, count: 256)
        // SAFETY: the call fills at most the room that it is given, and the last byte stays 0.
        _ = unsafe gethostname(&bytes, bytes.count - 1)
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return isName(name) ? String(name.prefix(50)) : "worker"
    }

    private static var inputHasEnded: Bool {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        // SAFETY: the struct is lent for the call. Nothing is ever written there: what can be read is the end.
        return unsafe poll(&input, 1, 0) > 0
    }
}

/// Where the programs of this installation lie.
enum ProgramPath {
    /// This program's file; nil where the kernel does not say.
    static var own: String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the call fills at most the room that it is given.
        let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A program in the folder of this one.
    static func beside(_ name: String) -> String {
        guard let own, let slash = own.lastIndex(of: "/") else { return "/usr/bin/\(name)" }
        return "\(own[..<slash])/\(name)"
    }
}

extension Log {
    fileprivate func report(_ news: WorkerNews, of worker: String) {
        switch news {
        case .gatewayAway(let reason):
            event("gateway_away", level: .warning, ["worker": .text(worker), "reason": .text(reason)])
        case .gatewayBack: event("gateway_back", ["worker": .text(worker)])
        case .refused(let reason):
            event("worker_refused", level: .error, ["worker": .text(worker), "reason": .text(reason)])
        case .begun(let job, let hook, let step, let attempt):
            event(
                "job_begun",
                [
                    "worker": .text(worker), "job": .text(job), "hook": .text(hook), "step": .text(step),
                    "attempt": .integer(attempt),
                ])
        case .completed(let job, let time):
            event("job_completed", ["worker": .text(worker), "job": .text(job), "time_us": .duration(time)])
        case .failed(let job, let reason):
            event("job_failed", level: .warning, ["worker": .text(worker), "job": .text(job), "reason": .text(reason)])
        case .lost(let job): event("job_lost", level: .warning, ["worker": .text(worker), "job": .text(job)])
        case .parked(let job): event("job_parked", level: .debug, ["worker": .text(worker), "job": .text(job)])
        case .gaveBack(let job): event("job_given_back", ["worker": .text(worker), "job": .text(job)])
        }
    }
}
