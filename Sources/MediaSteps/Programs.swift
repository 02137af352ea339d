import Glibc
import Synchronization

/// ffmpeg and ffprobe, run as programs: what they decode they decode in processes of their own, inside this one's sandbox.
public struct Programs: Sendable {
    public let ffmpeg: String?
    public let ffprobe: String?

    public init(ffmpeg: String?, ffprobe: String?) {
        self.ffmpeg = ffmpeg
        self.ffprobe = ffprobe
    }

    /// Looks in the system's folders only, so that no environment chooses another program.
    public static func find() -> Programs {
        func look(_ name: String) -> String? {
            ["/usr/bin", "/usr/local/bin"].map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
        }
        return Programs(ffmpeg: look("ffmpeg"), ffprobe: look("ffprobe"))
    }

    /// The process that runs now, or 0.
    private static let running = Atomic<Int32>(0)

    /// Ends the program that runs, for a helper that ends itself. From any thread.
    public static func killRunning() {
        let pid = running.load(ordering: .acquiring)
        if pid > 0 { kill(pid, SIGKILL) }
    }

    enum Name: String {
        case ffmpeg, ffprobe
    }

    /// Runs a program to its end. Standard output goes to `take` in pieces; false from it ends the program.
    /// An exit status other than 0 is an error with the last line that the program wrote.
    func run(
        _ name: Name, _ arguments: [String], _ context: StepContext, take: (ArraySlice<UInt8>) -> Bool
    ) throws(MediaError) {
        guard let path = name == .ffmpeg ? ffmpeg : ffprobe else {
            throw MediaError(
                .program, "\(name.rawValue) is not installed here; on Debian it comes with the package ffmpeg")
        }
        let child = try Child.start(path, arguments)
        Self.running.store(child.pid, ordering: .releasing)
        defer { Self.running.store(0, ordering: .releasing) }
        let ending = child.collect(timeLeft: { context.timeLeft }, take: take)
        switch ending {
        case .exited(0), .ended: return
        case .exited: throw MediaError(.undecodable, child.lastLine(or: "\(name.rawValue) failed"))
        case .late: throw MediaError(.timeout, "\(name.rawValue) was still running when the step's time ran out")
        case .signalled(let signal) where signal == SIGXCPU || signal == SIGXFSZ:
            throw MediaError(.limit, "\(name.rawValue) needed more processor time or room than it may have")
        case .signalled(let signal):
            throw MediaError(.undecodable, "\(name.rawValue) ended by signal \(signal): \(child.lastLine(or: ""))")
        }
    }
}

/// A running program, its output in pipes.
private final class Child {
    enum Ending {
        case exited(Int32)
        case signalled(Int32)
        /// It was killed because its time ran out, or because nobody wanted more of it.
        case late
        case ended
    }

    let pid: Int32
    private let output: Int32
    private let errors: Int32
    /// The end of what it wrote to standard error.
    private var said: [UInt8] = []
    private static let saidBytesMax = 4096

    private init(pid: Int32, output: Int32, errors: Int32) {
        (self.pid, self.output, self.errors) = (pid, output, errors)
    }

    deinit {
        close(output)
        close(errors)
    }

    static func start(_ path: String, _ arguments: [String]) throws(MediaError) -> Child {
        var (results, complaints): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard unsafe pipe(&results) == 0 else { throw MediaError(.failed, "no pipe: errno \(errno)") }
        guard unsafe pipe(&complaints) == 0 else {
            results.forEach { close($0) }
            throw MediaError(.failed, "no pipe: errno \(errno)")
        }
        // No other thread starts a program meanwhile.
        for end in results + complaints { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer {
            close(results[1])
            close(complaints[1])
        }
        // SAFETY: the actions are initialised, used and destroyed here; the C strings are freed after the spawn.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, results[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, complaints[1], STDERR_FILENO)
        // A program whose reader has gone ends by this signal, which this process ignores.
        var broken = sigset_t()
        unsafe sigemptyset(&broken)
        unsafe sigaddset(&broken, SIGPIPE)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &broken)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let argv = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        let environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"]
        let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: Int32 = 0
        let failure = unsafe posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        guard failure == 0 else {
            close(results[0])
            close(complaints[0])
            throw MediaError(.program, "\(path) cannot be started: errno \(failure)")
        }
        return Child(pid: pid, output: results[0], errors: complaints[0])
    }

    func collect(timeLeft: () -> Duration, take: (ArraySlice<UInt8>) -> Bool) -> Ending {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var open = [true, true]
        while open[0] || open[1] {
            guard timeLeft() > .zero else { return stop(.late) }
            var waiting = [
                pollfd(fd: open[0] ? output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? errors : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waiting, 2, 200) > 0 else { continue }
            if waiting[0].revents != 0 {
                let got = unsafe read(output, &piece, piece.count)
                if got > 0, !take(piece[..<got]) { return stop(.ended) }
                if got == 0 || (got < 0 && errno != EINTR) { open[0] = false }
            }
            if waiting[1].revents != 0 {
                let got = unsafe read(errors, &piece, piece.count)
                if got > 0 { said = Array((said + piece[..<got]).suffix(Self.saidBytesMax)) }
                if got == 0 || (got < 0 && errno != EINTR) { open[1] = false }
            }
        }
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(pid, &status, WNOHANG)
            if ended == pid { break }
            if ended < 0 && errno != EINTR { return .exited(-1) }
            guard timeLeft() > .zero else { return stop(.late) }
            usleep(2_000)
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
    }

    private func stop(_ ending: Ending) -> Ending {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return ending
    }

    func lastLine(or other: String) -> String {
        let text = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline).last.map(String.init)
        return String((text ?? other).prefix(300))
    }
}
