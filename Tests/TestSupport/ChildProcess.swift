import Glibc
import Threads

/// A program that a test started, in a process group of its own, its output in a file.
public final class ChildProcess: Sendable {
    public let pid: Int32
    /// Holds what the program wrote to standard output and standard error.
    public let outputPath: String

    /// How a program ended.
    public struct Ending: Sendable {
        /// The exit status, or the negative number of the signal that ended it.
        public let status: Int32
        public let output: String
    }

    private init(pid: Int32, outputPath: String) {
        self.pid = pid
        self.outputPath = outputPath
    }

    /// Starts a program with just this environment and without standard input. `arguments[0]` is its path, or a name that
    /// is looked up on this process's PATH.
    public static func start(
        _ arguments: [String], environment: [String: String] = [:], folder: String, outputPath: String
    ) throws -> ChildProcess {
        guard let program = arguments.first else { throw TestSupportError("no program named") }
        // env(1) changes the folder, which posix_spawn does not; exec keeps the pid.
        let command = ["/usr/bin/env", "--chdir=\(folder)", program] + arguments.dropFirst()
        let output = unsafe open(outputPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let input = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(output)
            close(input)
        }
        guard output >= 0, input >= 0 else { throw TestSupportError("cannot write \(outputPath): errno \(errno)") }

        // SAFETY: actions and attributes are initialised, used and destroyed here; the C strings are freed after the spawn.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))

        var environment = environment
        if environment["PATH"] == nil { environment["PATH"] = variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin" }
        let argv = unsafe command.map { unsafe strdup($0) } + [nil]
        let envp = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: Int32 = 0
        let failure = unsafe posix_spawn(&pid, command[0], &actions, &attributes, argv, envp)
        guard failure == 0 else { throw TestSupportError("cannot start \(program): errno \(failure)") }
        return ChildProcess(pid: pid, outputPath: outputPath)
    }

    /// Runs a program to its end. One that outlives `timeout` is killed, with its children, and is an error.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String, timeout: Duration = .seconds(120)
    ) async throws -> Ending {
        let scratch = try TemporaryFolder()
        let child = try start(
            arguments, environment: environment, folder: folder, outputPath: scratch.file("output"))
        return try await child.wait(timeout: timeout)
    }

    /// What the program has written so far.
    public var output: String {
        String(decoding: (try? TemporaryFolder.read(outputPath)) ?? [], as: UTF8.self)
    }

    public func signal(_ number: Int32) { kill(pid, number) }

    /// Nil while the program runs.
    public func poll() -> Ending? {
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7f
        return Ending(status: signal == 0 ? status >> 8 & 0xff : -signal, output: output)
    }

    /// Waits on a thread of its own, so that a test that waits holds up no other. Call it once.
    public func wait(timeout: Duration) async throws -> Ending {
        let ending: Ending? = await withCheckedContinuation { continuation in
            startThread {
                let deadline = ContinuousClock.now + timeout
                while ContinuousClock.now < deadline {
                    if let ending = self.poll() { return continuation.resume(returning: ending) }
                    usleep(5_000)
                }
                // The whole group, as a client may have children of its own.
                kill(-self.pid, SIGKILL)
                var status: Int32 = 0
                unsafe waitpid(self.pid, &status, 0)
                continuation.resume(returning: nil)
            }
        }
        guard let ending else { throw TestSupportError("still running after \(timeout), killed:\n\(output)") }
        return ending
    }
}

/// A variable of this process's environment.
public func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}
