internal import CLinux
import Glibc
import Synchronization

/// The threads that everything runs on: one shared epoll, one queue of work, and as many workers as were asked for.
///
/// As many of them run or wait in epoll as there are cores (`Crew`); the others are parked. A job that is enqueued wakes at
/// most one thread, and none while one is being woken; a woken thread that leaves work behind wakes the next.
public final class Pool: TaskExecutor, Sendable {
    struct Timers {
        var sleeping = TimerQueue()
        /// When the timer descriptor fires, and when owners are told the time again, in `Monotonic.nanoseconds`.
        var programmed = UInt64.max
        var nextTick = UInt64.max
    }

    static let tickInterval: UInt64 = 250_000_000
    static let threadsMax = 64

    let epoll: Int32
    let wakeDescriptor: Int32
    let timerDescriptor: Int32
    let endedDescriptor: Int32
    let workers: Int
    let crew: Lock<Crew>
    let table = Lock(PollTable())
    let timers = Lock(Timers())
    /// Workers alive, and those inside `blocking`. `alive` changes only under the lock of `crew`.
    let alive = Atomic<Int>(0)
    let blocked = Atomic<Int>(0)
    let isStopping = Atomic<Bool>(false)

    /// A running pool of eight threads. Ends the process where the kernel gives no descriptor or thread.
    public convenience init() {
        do throws(PoolError) {
            try self.init(threads: 8, atOnce: nil)
            try startWorkers()
        } catch {
            print(error.description)
            exit(71)
        }
    }

    /// `threads` is 1...64: how many jobs run at a time, apart from those that block. `atOnce` (the count of cores, at least
    /// 2, where it is nil): how many of them run while none takes longer than about a millisecond.
    public static func start(threads: Int = 8, atOnce: Int? = nil) throws(PoolError) -> Pool {
        let pool = try Pool(threads: min(max(threads, 1), threadsMax), atOnce: atOnce)
        try pool.startWorkers()
        return pool
    }

    private init(threads: Int, atOnce: Int?) throws(PoolError) {
        workers = threads
        let places = atOnce ?? max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        crew = Lock(Crew(places: min(max(places, 1), threads)))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        timerDescriptor = clinux_timer_create()
        endedDescriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard epoll >= 0, wakeDescriptor >= 0, timerDescriptor >= 0, endedDescriptor >= 0 else {
            throw PoolError(call: "epoll_create1, eventfd, timerfd_create", errno: errno)
        }
        // Edge-triggered: each write of the event and each expiry of the timer reports once, to one thread.
        let events = CLINUX_EPOLLIN | CLINUX_EPOLLET
        guard clinux_epoll_ctl(epoll, EPOLL_CTL_ADD, wakeDescriptor, events, Self.wakeData) == 0,
            clinux_epoll_ctl(epoll, EPOLL_CTL_ADD, timerDescriptor, events, Self.timerData) == 0
        else { throw PoolError(call: "epoll_ctl", errno: errno) }
    }

    deinit {
        for descriptor in [epoll, wakeDescriptor, timerDescriptor, endedDescriptor] where descriptor >= 0 {
            close(descriptor)
        }
    }

    /// Runs `body` on the calling thread, after telling the pool that this thread may block, so that a spare thread can
    /// take its place. May also be called on threads that are not the pool's; then it only runs `body`.
    @inlinable
    public func blocking<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let isCounted = beginBlocking()
        defer { if isCounted { endBlocking() } }
        return try body()
    }

    /// False on a thread that is not this pool's, or is inside `blocking` already.
    @usableFromInline
    func beginBlocking() -> Bool {
        guard let context = ThreadContext.current, context.pool == ObjectIdentifier(self), !context.isBlocking else {
            return false
        }
        context.isBlocking = true
        let now = blocked.add(1, ordering: .relaxed).newValue
        if (alive.load(ordering: .relaxed) - now) * 2 < workers { startSpare() }
        return true
    }

    @usableFromInline
    func endBlocking() {
        ThreadContext.current?.isBlocking = false
        blocked.subtract(1, ordering: .relaxed)
    }

    /// Starts `operation` as a task on the pool; callable on any thread.
    public func run(_ operation: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) { await operation() }
    }

    /// Starts `operation` on the calling thread, which must be one of the pool's; it leaves that thread only where it
    /// really waits.
    public func immediate(_ operation: @escaping @Sendable () async -> Void) {
        Task.immediate(executorPreference: self) { await operation() }
    }

    /// Whether the calling thread is one of a pool's.
    public static var isOnPoolThread: Bool { ThreadContext.current?.pool != nil }

    /// Runs `body`, which resumes many continuations, and wakes threads for all of them once at its end.
    public func corked(_ body: () -> Void) {
        let context: ThreadContext
        if let own = ThreadContext.current {
            context = own
        } else {
            context = ThreadContext(pool: nil)
            context.attach()
        }
        context.corkDepth += 1
        body()
        context.corkDepth -= 1
        guard context.corkDepth == 0, !context.corked.isEmpty else { return }
        let jobs = context.corked
        context.corked.removeAll(keepingCapacity: true)
        push(jobs)
    }

    /// Runs `resume`, which resumes one continuation as the last act of an event handler: the resumed task goes on at
    /// once on this thread, after the handler returned.
    public func tail(_ resume: () -> Void) {
        guard let context = ThreadContext.current, context.pool == ObjectIdentifier(self), context.tail == nil else {
            return resume()
        }
        context.takesTail = true
        resume()
        context.takesTail = false
    }

    /// Lets all that is queued run first.
    public func yield() async {
        await Waiter<Void>.suspend { waiter in
            // Resumed here and now, the task would go on without having waited.
            if let context = ThreadContext.current, context.pool == ObjectIdentifier(self) {
                context.yielded.append(waiter)
            } else {
                queue([waiter])
            }
        }
    }

    func queue(_ yielded: [Waiter<Void>]) {
        perform(
            crew.withLock { crew in
                for waiter in yielded { crew.queue.append(.resumption(waiter)) }
                return crew.call()
            })
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if let context = ThreadContext.current {
            if context.takesTail {
                context.takesTail = false
                context.tail = job
                return
            }
            if context.corkDepth > 0 {
                context.corked.append(job)
                return
            }
        }
        perform(
            crew.withLock { crew in
                crew.queue.append(.job(job))
                return crew.call()
            })
    }

    private func push(_ jobs: [UnownedJob]) {
        perform(
            crew.withLock { crew in
                for job in jobs { crew.queue.append(.job(job)) }
                return crew.call()
            })
    }

    func perform(_ call: Crew.Call) {
        switch call {
        case .nobody: break
        case .poller: eventfd_write(wakeDescriptor, 1)
        case .parked(let parking): parking.call()
        }
    }
}

/// Why a pool could not be started.
public struct PoolError: Error, Sendable, CustomStringConvertible {
    public let call: String
    public let errno: Int32

    public var description: String { "\(call) failed with errno \(errno)" }
}
