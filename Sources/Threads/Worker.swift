internal import CLinux
import Glibc
import Synchronization

/// The life of the pool's threads.
extension Pool {
    static let wakeData = UInt64.max
    static let timerData = UInt64.max - 1
    private static let jobsPerTurn = 4
    /// How long a thread that is one too many waits for work before it goes.
    private static let spareLinger_ms: Int32 = 1000

    private enum Turn {
        case job(UnownedJob, chain: Bool)
        case look
        case sleep(limit_ms: Int32)
        case end(chain: Bool)
    }

    func startWorkers() throws(PoolError) {
        for _ in 0..<workers {
            state.withLock { _ in _ = alive.add(1, ordering: .relaxed) }
            let error = startThread()
            if error != 0 {
                stop()
                throw PoolError(call: "pthread_create", errno: error)
            }
        }
    }

    func startSpare() {
        let wanted = state.withLock { state in
            let threads = alive.load(ordering: .relaxed)
            guard !state.stopping, threads < Self.threadsMax,
                (threads - blocked.load(ordering: .relaxed)) * 2 < workers
            else { return false }
            alive.add(1, ordering: .relaxed)
            return true
        }
        if wanted { _ = startThread() }
    }

    /// The caller has counted the thread in `alive`; it is taken off again on failure.
    private func startThread() -> Int32 {
        var thread = pthread_t()
        // SAFETY: the new thread takes over the reference that is passed to it.
        let own = unsafe Unmanaged.passRetained(self)
        let error = unsafe pthread_create(&thread, nil, poolThread, own.toOpaque())
        if error != 0 {
            unsafe own.release()
            threadEnded()
        } else {
            pthread_detach(thread)
        }
        return error
    }

    private func threadEnded() {
        let left = state.withLock { _ in alive.subtract(1, ordering: .relaxed).newValue }
        if left == 0 { eventfd_write(endedDescriptor, 1) }
    }

    /// Lets what is queued run, then ends the threads, and wakes all tasks that sleep. Waits for the threads, unless it
    /// is called on one of them. What is enqueued later is not run.
    public func stop() {
        let first = state.withLock { state in
            let first = !state.stopping
            state.stopping = true
            return first
        }
        // Only now: a task that begins to sleep later sees that the pool is stopping.
        let sleeping = timers.withLock { $0.sleeping.due(.max) }
        for waiter in sleeping { waiter.resume(()) }
        if first { wakeOne() }
        if ThreadContext.current?.pool == ObjectIdentifier(self) { return }
        var count: eventfd_t = 0
        while alive.load(ordering: .relaxed) > 0, unsafe eventfd_read(endedDescriptor, &count) != 0, errno == EINTR {}
        // Another caller may be waiting too.
        eventfd_write(endedDescriptor, 1)
    }

    fileprivate func work() {
        let context = ThreadContext(pool: ObjectIdentifier(self))
        context.attach()
        var ran = 0
        var woken = false
        while true {
            switch nextTurn(ran: ran, woken: woken) {
            case .job(let job, let chain):
                if chain { wakeOne() }
                woken = false
                ran += 1
                run(job)
                continue
            case .end(let chain):
                if chain { wakeOne() }
                threadEnded()
                return
            case .look:
                ran = 0
                woken = look(limit_ms: 0, context)
            case .sleep(let limit):
                ran = 0
                woken = look(limit_ms: limit, context)
            }
        }
    }

    private func run(_ job: UnownedJob) {
        // SAFETY: the executor is self, which outlives the call.
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// One decision under the lock. `woken`: this thread consumed a wake, so it owes the chain.
    private func nextTurn(ran: Int, woken: Bool) -> Turn {
        state.withLock { state in
            if woken { state.waking = false }
            if ran < Self.jobsPerTurn, let job = state.queue.popFirst() {
                return .job(job, chain: woken && Self.mustWake(&state))
            }
            if !state.queue.isEmpty { return .look }
            if state.stopping {
                let chain = state.sleepers > 0
                return .end(chain: chain)
            }
            state.sleepers += 1
            let free = alive.load(ordering: .relaxed) - blocked.load(ordering: .relaxed)
            return .sleep(limit_ms: free > workers ? Self.spareLinger_ms : -1)
        }
    }

    /// Waits for one event and handles it. Returns whether it was a wake.
    private func look(limit_ms: Int32, _ context: ThreadContext) -> Bool {
        var events: UInt32 = 0
        var data: UInt64 = 0
        let found = unsafe clinux_epoll_wait_one(epoll, &events, &data, limit_ms)
        if limit_ms != 0 { state.withLock { $0.sleepers -= 1 } }
        guard found == 1 else { return false }
        switch data {
        case Self.wakeData: return true
        case Self.timerData: timerFired()
        default:
            let token = PollToken(eventData: data)
            table.withLock { $0.owner(token) }?.descriptorIsReady()
        }
        while let job = context.tail {
            context.tail = nil
            run(job)
        }
        return false
    }
}

private func poolThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    // SAFETY: `startThread` passed a retained pool.
    let pool = unsafe Unmanaged<Pool>.fromOpaque(argument).takeRetainedValue()
    pool.work()
    return nil
}
