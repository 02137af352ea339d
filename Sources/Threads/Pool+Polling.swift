internal import CLinux
import Synchronization

/// Descriptors and time.
extension Pool {
    /// Keeps `owner` until `forget`, and tells it the time.
    public func register(_ owner: any Pollable) -> PollToken {
        let token = table.withLock { $0.insert(owner) }
        let now = Monotonic.nanoseconds
        timers.withLock { timers in
            if timers.nextTick == .max { timers.nextTick = now &+ Self.tickInterval }
            program(&timers, now: now)
        }
        return token
    }

    /// Forgets the owner; call it before closing its descriptor. Events that come later are ignored.
    public func forget(_ token: PollToken) {
        _ = table.withLock { $0.remove(token) }
    }

    /// Reports `descriptor` to the owner of `token` once. `isNew`: it was not watched before. False when the kernel
    /// refuses.
    public func watch(_ descriptor: Int32, for interest: Interest, token: PollToken, isNew: Bool = false) -> Bool {
        let events = (interest == .read ? CLINUX_EPOLLIN : CLINUX_EPOLLOUT) | CLINUX_EPOLLONESHOT
        let operation = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        return clinux_epoll_ctl(epoll, operation, descriptor, events, token.eventData) == 0
    }

    /// Suspends the calling task for `duration`, or until the pool stops.
    public func sleep(for duration: Duration) async {
        let now = Monotonic.nanoseconds
        let wake = now &+ duration.nanosecondsClamped
        await Waiter<Void>.suspend { waiter in
            let stopped = timers.withLock { timers in
                if isStopping.load(ordering: .sequentiallyConsistent) { return true }
                timers.sleeping.insert(waiter, at: wake)
                program(&timers, now: now)
                return false
            }
            if stopped { waiter.resume(()) }
        }
    }

    func timerFired() {
        let now = Monotonic.nanoseconds
        let (due, ticks) = timers.withLock { timers in
            let due = timers.sleeping.due(now)
            let ticks = timers.nextTick <= now
            if ticks { timers.nextTick = now &+ Self.tickInterval }
            timers.programmed = .max
            program(&timers, now: now)
            return (due, ticks)
        }
        corked {
            for waiter in due { waiter.resume(()) }
            if ticks { tickOwners(now: now / 1_000_000) }
        }
    }

    /// In blocks, so that the table's lock is never held for long.
    private func tickOwners(now: UInt64) {
        var start = 0
        while true {
            let (owners, count) = table.withLock { ($0.owners(in: start..<(start + 256)), $0.slotCount) }
            for owner in owners { owner.tick(now: now) }
            start += 256
            if start >= count { return }
        }
    }

    /// Sets the timer descriptor when something is due earlier than it would fire.
    private func program(_ timers: inout Timers, now: UInt64) {
        let next = min(timers.sleeping.next ?? .max, timers.nextTick)
        guard next < timers.programmed else { return }
        timers.programmed = next
        clinux_timer_set(timerDescriptor, Int64(clamping: next > now ? next - now : 0))
    }
}
