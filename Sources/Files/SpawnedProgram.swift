internal import CLinux
import Glibc
import Synchronization

/// A program that this process started, with a pipe to its standard input and, where that is asked for, one from its output.
///
/// The pipe to its input ends when this process does, however it ends: a program that watches it leaves no orphan. The kernel's own
/// signal for that (`PR_SET_PDEATHSIG`) comes with the end of the thread that started the program, and threads of a pool end.
public final class SpawnedProgram: Sendable {
    public enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        public var description: String {
            switch self {
            case .exited(let status): "it ended with status \(status)"
            case .signalled(let signal): "it was ended by signal \(signal)"
            }
        }
    }

    private static let running = -2
    public let pid: Int32
    /// The other end is its standard input.
    public let input: OpenFile
    /// The other end is its standard output.
    public let output: OpenFile?
    private let ended = Atomic<Int>(SpawnedProgram.running)

    private init(pid: Int32, input: OpenFile, output: OpenFile?) {
        (self.pid, self.input, self.output) = (pid, input, output)
    }

    /// Starts the program at `path` with just this environment, in a process group of its own, with no signal blocked or ignored.
    /// Its errors go where this process's go; its output to nowhere unless `takesOutput`.
    public static func start(
        _ path: String, _ arguments: [String], environment: [String: String], takesOutput: Bool
    ) throws(SystemError) -> SpawnedProgram {
        let (theirInput, ourInput) = try pipe()
        let pipe = takesOutput ? try pipe() : nil
        // SAFETY: actions and attributes are initialised, used and destroyed here; the C strings are freed after the spawn.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, theirInput.descriptor, STDIN_FILENO)
        if let pipe {
            unsafe posix_spawn_file_actions_adddup2(&actions, pipe.write.descriptor, STDOUT_FILENO)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        let argv = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        let envp = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: Int32 = 0
        let failure = unsafe posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, path: path) }
        return SpawnedProgram(pid: pid, input: ourInput, output: pipe?.read)
    }

    /// Both ends close with an exec.
    private static func pipe() throws(SystemError) -> (read: OpenFile, write: OpenFile) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the call fills the two numbers lent to it.
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError("pipe2") }
        return (OpenFile(owning: ends[0]), OpenFile(owning: ends[1]))
    }

    /// Its standard input ends. The descriptor stays this object's, and leads nowhere from here on.
    public func closeInput() {
        guard let null = try? OpenFile.open("/dev/null", flags: O_WRONLY) else { return }
        dup3(null.descriptor, input.descriptor, O_CLOEXEC)
    }

    /// Nil while it runs. One caller at a time.
    public func poll() -> Ending? {
        let known = ended.load(ordering: .acquiring)
        if known != Self.running { return Self.ending(of: known) }
        var status: Int32 = 0
        // SAFETY: the call fills the number lent to it.
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
        ended.store(Int(status), ordering: .releasing)
        return Self.ending(of: Int(status))
    }

    /// Nothing where it is known to have ended: its number may be another's by then.
    public func signal(_ number: Int32) {
        if ended.load(ordering: .acquiring) == Self.running { kill(pid, number) }
    }

    /// Waits up to `limit` for its end, then kills it. Blocks.
    public func end(within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        while poll() == nil {
            if ContinuousClock.now >= deadline { signal(SIGKILL) }
            usleep(2_000)
        }
    }

    private static func ending(of status: Int) -> Ending {
        let signal = Int32(truncatingIfNeeded: status & 0x7f)
        return signal == 0 ? .exited(Int32(truncatingIfNeeded: status >> 8 & 0xff)) : .signalled(signal)
    }
}
