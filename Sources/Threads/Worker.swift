internal import CLinux
import Glibc
import Synchronization

/// The life of the pool's threads.
extension Pool {
    static let wakeData = UInt64.max
    static let timerData = UInt64.max - 1
    /// How long a thread that is one too many waits for work before it goes.
    private static let spareLinger_ns: UInt64 = 1_000_000_000
    private static let watch_ns: UInt64 = 1_000_000

    func startWorkers() throws(PoolError) {
        for _ in 0..<workers {
            crew.withLock { _ in _ = alive.add(1, ordering: .relaxed) }
            let error = startThread()
            if error != 0 {
                stop()
                throw PoolError(call: "pthread_create", errno: error)
            }
        }
    }

    func startSpare() {
        let wanted = crew.withLock { crew in
            let threads = alive.load(ordering: .relaxed)
            guard !crew.isEnding, threads < Self.threadsMax,
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
        let left = crew.withLock { _ in alive.subtract(1, ordering: .relaxed).newValue }
        if left == 0 { eventfd_write(endedDescriptor, 1) }
    }

    /// Lets what is queued run, then ends the threads, and wakes all tasks that sleep. Waits for the threads, unless it
    /// is called on one of them. What is enqueued later is not run.
    public func stop() {
        let isFirst = !isStopping.exchange(true, ordering: .sequentiallyConsistent)
        // A task that begins to sleep later sees that the pool is stopping; threads end only when these have been queued.
        let sleeping = timers.withLock { $0.sleeping.due(.max) }
        for waiter in sleeping { waiter.resume(()) }
        if isFirst {
            let parked = crew.withLock { $0.end() }
            perform(.poller)
            for parking in parked { parking.call() }
        }
        if ThreadContext.current?.pool == ObjectIdentifier(self) { return }
        var count: eventfd_t = 0
        while alive.load(ordering: .relaxed) > 0, unsafe eventfd_read(endedDescriptor, &count) != 0, errno == EINTR {}
        // Another caller may be waiting too.
        eventfd_write(endedDescriptor, 1)
    }

    fileprivate func work() {
        let context = ThreadContext(pool: ObjectIdentifier(self))
        context.attach()
        let own = Parking()
        var turn = crew.withLock { $0.next(own) }
        while true {
            switch turn {
            case .work(let work, let call):
                perform(call)
                run(work, context)
                turn = crew.withLock { $0.next(own) }
            case .look:
                look()
                turn = crew.withLock { $0.next(own) }
            case .poll:
                if let work = poll(own) { run(work, context) }
                turn = crew.withLock { $0.next(own) }
            case .park:
                guard let next = wait(own, isWatching: false) else { return }
                turn = next
            case .watch:
                guard let next = wait(own, isWatching: true) else { return }
                turn = next
            case .end(let call):
                perform(call)
                return threadEnded()
            }
        }
    }

    private func run(_ work: Work, _ context: ThreadContext) {
        switch work {
        case .job(let job): run(job)
        case .resumption(let waiter): tail { waiter.resume(()) }
        case .event(Self.timerData): timerFired()
        case .event(let data):
            let token = PollToken(eventData: data)
            table.withLock { $0.owner(token) }?.descriptorIsReady()
        }
        while let job = context.tail {
            context.tail = nil
            run(job)
        }
        if !context.yielded.isEmpty {
            queue(context.yielded)
            context.yielded.removeAll(keepingCapacity: true)
        }
    }

    private func run(_ job: UnownedJob) {
        // SAFETY: the executor is self, which outlives the call.
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// Waits for events. The first is the caller's, the others are queued.
    private func poll(_ own: Parking) -> Work? {
        let (events, wasWoken) = takeEvents(limit_ms: -1)
        let (call, watcher) = crew.withLock {
            $0.polled(own, surplus: events.dropFirst(), wasWoken: wasWoken)
        }
        perform(call)
        watcher?.call()
        return events.first.map { .event($0) }
    }

    /// Queues the events that are there.
    private func look() {
        let (events, wasWoken) = takeEvents(limit_ms: 0)
        perform(
            crew.withLock { crew in
                crew.looked(surplus: events, wasWoken: wasWoken)
                return crew.call()
            })
    }

    private func takeEvents(limit_ms: Int32) -> (events: [UInt64], wasWoken: Bool) {
        var wasWoken = false
        let events = unsafe [UInt64](unsafeUninitializedCapacity: Int(CLINUX_EVENTS_MAX)) { buffer, count in
            // SAFETY: the capacity is what the call stores at most.
            let found = unsafe clinux_epoll_wait(epoll, buffer.baseAddress, limit_ms)
            for index in 0..<Int(max(0, found)) {
                if unsafe buffer[index] == Self.wakeData {
                    wasWoken = true
                } else {
                    unsafe buffer[count] = buffer[index]
                    count += 1
                }
            }
        }
        return (events, wasWoken)
    }

    /// Waits to be called. Nil: the thread is one too many, and counts no more.
    private func wait(_ own: Parking, isWatching: Bool) -> Crew.Turn? {
        let isSpare = !isWatching && alive.load(ordering: .relaxed) - blocked.load(ordering: .relaxed) > workers
        let wasCalled = own.wait(limit_ns: isWatching ? Self.watch_ns : isSpare ? Self.spareLinger_ns : 0)
        let (turn, watcher) = crew.withLock { crew -> (Crew.Turn?, Parking?) in
            let isOneTooMany = alive.load(ordering: .relaxed) - blocked.load(ordering: .relaxed) > workers
            if isSpare, !wasCalled, isOneTooMany, crew.leaves(own) {
                alive.subtract(1, ordering: .relaxed)
                return (nil, nil)
            }
            return crew.wakes(own, wasCalled: wasCalled)
        }
        watcher?.call()
        return turn
    }
}

private func poolThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    // SAFETY: `startThread` passed a retained pool.
    let pool = unsafe Unmanaged<Pool>.fromOpaque(argument).takeRetainedValue()
    pool.work()
    return nil
}
