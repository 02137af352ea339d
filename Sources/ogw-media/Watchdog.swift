import Glibc
import MediaSteps
import Synchronization

/// A thread that ends this process where nothing else can: when the supervisor goes, whatever a decoder is doing, and when a
/// step is stuck in code that never looks at the clock.
final class Watchdog: Sendable {
    /// What a step may take beyond its time until it is given up.
    private static let grace = Duration.seconds(3)
    private static let idle: Int64 = .max

    /// Milliseconds of the monotonic clock; `idle` between requests.
    private let deadline_ms = Atomic<Int64>(idle)
    private let request = Atomic<UInt64>(0)
    private let output: Output

    init(_ output: Output) { self.output = output }

    func expect(_ id: UInt64, within timeout: Duration) {
        request.store(id, ordering: .releasing)
        let wait = timeout + Self.grace
        deadline_ms.store(
            Self.now_ms + wait.components.seconds * 1_000 + wait.components.attoseconds / 1_000_000_000_000_000,
            ordering: .releasing)
    }

    /// False where the watchdog has already answered, and ends the process.
    func disarm() -> Bool { deadline_ms.exchange(Self.idle, ordering: .acquiringAndReleasing) != Self.idle }

    /// Starts the thread, once.
    func start() {
        var thread = pthread_t()
        // SAFETY: the reference is retained here and lives as long as the process.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let failed = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Watchdog>.fromOpaque(context).takeUnretainedValue().run()
                }
                return nil
            }, context)
        if failed == 0 { pthread_detach(thread) }
    }

    private func run() {
        while true {
            // No event is asked for: what is reported is that the other end has gone.
            var input = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
            if unsafe poll(&input, 1, 250) > 0, input.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { end(0) }
            let deadline = deadline_ms.load(ordering: .acquiring)
            guard deadline != Self.idle, Self.now_ms > deadline, disarm() else { continue }
            let id = request.load(ordering: .acquiring)
            output.write(
                Array(
                    """
                    {"id":\(id),"error":{"code":"timeout","reason":"the step was stuck, and the helper ends","permanent":false}}

                    """.utf8))
            end(3)
        }
    }

    private func end(_ status: Int32) -> Never {
        Programs.killRunning()
        _exit(status)
    }

    private static var now_ms: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}
