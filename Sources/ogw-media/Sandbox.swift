import CSandbox
import Glibc
import MediaSteps

/// What this process gives up before it reads input, for good: rights, system calls, files. What the kernel does not have
/// is left out and said in the first line.
enum Sandbox {
    struct Report: Encodable {
        var seccomp = false
        /// The version of Landlock's interface; 0 where the kernel has none.
        var landlock = 0
        var limits = false
    }

    /// Folders that libraries read: code, fonts, tables of characters and colours. None of them holds data of users.
    private static let readable = [
        "/usr", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/ImageMagick-6", "/var/cache/fontconfig",
        "/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/dev/null", "/dev/urandom", "/dev/zero",
    ]

    /// Called while the process has one thread: Landlock binds the caller and those that it starts.
    static func enter(_ helper: HelperClass, folder: String, programs: Programs) -> Report {
        var report = Report()
        // Nobody hands descriptors down on purpose.
        _ = csandbox_close_from(3)
        _ = csandbox_no_new_privileges()
        if helper != .media { _ = csandbox_not_dumpable() }
        report.limits = Limits.apply(helper)
        report.landlock = restrictFiles(helper, folder, programs)
        report.seccomp = csandbox_filter(helper == .media ? 1 : 0) == 0
        return report
    }

    private static func restrictFiles(_ helper: HelperClass, _ folder: String, _ programs: Programs) -> Int {
        let version = csandbox_landlock_version()
        guard version > 0 else { return 0 }
        let rules = csandbox_landlock_create(version)
        guard rules >= 0 else { return 0 }
        defer { close(rules) }
        func allow(_ path: String, _ access: UInt64) -> Bool {
            // SAFETY: the path is lent for the call.
            unsafe csandbox_landlock_allow(rules, path, access, version) == 0
        }
        // What is not on this machine needs no rule.
        for path in readable { _ = allow(path, CSANDBOX_READ) }
        _ = allow("/dev/null", CSANDBOX_READ | CSANDBOX_WRITE)
        if helper == .media {
            // The programs, and the loader that the kernel runs them by.
            for path in [
                programs.ffmpeg, programs.ffprobe, "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
            ] {
                if let path { _ = allow(path, CSANDBOX_READ | CSANDBOX_EXECUTE) }
            }
        }
        guard allow(folder, CSANDBOX_READ | CSANDBOX_WRITE) else { return 0 }
        return csandbox_landlock_restrict(rules) == 0 ? Int(version) : 0
    }

    /// Tries from inside what must not work. The names of what was refused, and of what was not.
    static func attempts() -> (refused: [String], allowed: [String]) {
        var refused: [String] = []
        var allowed: [String] = []
        func attempt(_ name: String, _ worked: Bool) {
            if worked { allowed.append(name) } else { refused.append(name) }
        }
        attempt("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) >= 0)
        attempt("unix-socket", socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) >= 0)
        attempt("io-uring", csandbox_try_io_uring() >= 0)
        attempt("read-outside", unsafe open("/etc/passwd", O_RDONLY) >= 0)
        attempt("write-outside", unsafe open("/tmp/ogw-media-sandbox-\(getpid())", O_WRONLY | O_CREAT, 0o600) >= 0)
        attempt("write-system", unsafe open("/usr/ogw-media-sandbox", O_WRONLY | O_CREAT, 0o600) >= 0)
        attempt("write-inside", unsafe open("sandbox-probe", O_WRONLY | O_CREAT, 0o600) >= 0)
        _ = unsafe unlink("sandbox-probe")
        attempt("signal-parent", kill(getppid(), 0) == 0)
        for (name, path) in [("run-program", "/bin/true"), ("run-ffmpeg", "/usr/bin/ffmpeg")] {
            var pid: Int32 = 0
            // SAFETY: the arguments end with a null pointer and outlive the call.
            let argv: [UnsafeMutablePointer<CChar>?] = unsafe [strdup(path), strdup("-version"), nil]
            defer { unsafe argv.forEach { unsafe free($0) } }
            let null = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
            var actions = unsafe posix_spawn_file_actions_t()
            unsafe posix_spawn_file_actions_init(&actions)
            unsafe posix_spawn_file_actions_adddup2(&actions, null, STDOUT_FILENO)
            defer { unsafe posix_spawn_file_actions_destroy(&actions) }
            let worked = unsafe posix_spawn(&pid, path, &actions, nil, argv, nil) == 0
            if worked { waitpid(pid, nil, 0) }
            attempt(name, worked)
        }
        return (refused, allowed)
    }
}
