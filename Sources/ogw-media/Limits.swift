import Glibc
import MediaSteps

/// What the kernel lets this process and the programs that it runs use up.
enum Limits {
    private static func set(_ resource: __rlimit_resource, _ value: Int, hard: Int? = nil) -> Bool {
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(hard ?? value))
        // SAFETY: the limit is lent for the call, as the usage is below.
        return unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0
    }

    /// Address space holds libraries, stacks and mapped files besides pixels.
    static func apply(_ helper: HelperClass) -> Bool {
        let memory = helper == .documents ? 1536 << 20 : 3 << 30
        let file = helper == .images ? 2 << 30 : helper == .documents ? 256 << 20 : 16 << 30
        // A file that grows too large is an error of the write, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        return set(RLIMIT_AS, memory) && set(RLIMIT_FSIZE, file) && set(RLIMIT_NOFILE, 64) && set(RLIMIT_CORE, 0)
    }

    /// Allows the next request as much processor time as its wall clock has on two cores, and some for its end.
    static func allowProcessorTime(_ wall: Duration) {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return }
        let used = Int(usage.ru_utime.tv_sec) + Int(usage.ru_stime.tv_sec)
        _ = set(RLIMIT_CPU, used + 2 * Int(wall.components.seconds) + 10, hard: Int(rlim_t(Int32.max)))
    }
}
