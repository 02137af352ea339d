import Bytes
import Metadata
import Threads

/// What the engine looks after by itself.
extension JobEngine {
    func round() async {
        let now = ContinuousClock.now
        if store.isShared { await lookAround(at: now) } else { await rescue(at: now) }
        if state.withLock({ $0.hasNews && !$0.isPlanning }) { notice() }
        await runSchedules(at: .now())
        await wakeForTime(at: now)
        feed.wakeOverdue(at: now)
        variants.wakeOverdue(at: now)
        await forget(at: now)
    }

    /// From now on workers can be heard.
    func beginListening() {
        let now = ContinuousClock.now
        state.withLock { state in
            state.listensSince = .now()
            state.rescuesFrom = now + configuration.leasePeriod
        }
    }

    /// Once a second: what other gateways of the store did, and left.
    private func lookAround(at now: ContinuousClock.Instant) async {
        let (isTime, isTimeForHooks, isAwaited) = state.withLock { state -> (Bool, Bool, Bool) in
            if let next = state.nextLook, next > now { return (false, false, false) }
            state.nextLook = now + .seconds(1)
            state.hasNews = true
            let isTimeForHooks = state.nextHooksLook.map { $0 <= now } ?? true
            if isTimeForHooks { state.nextHooksLook = now + .seconds(5) }
            return (true, isTimeForHooks, !state.waiters.isEmpty)
        }
        guard isTime else { return }
        do throws(MetadataError) {
            if isAwaited, try await !store.readyJobCounts(limit: 1).isEmpty { wakeAll() }
            if isTimeForHooks { try await prepareChanged() }
            try await rescueShared(at: now)
        } catch {
            report(.looking(error))
            // Workers could not be heard meanwhile either.
            beginListening()
        }
    }

    /// As `rescue`, by the leases that the store keeps. Those that this gateway knows, and are over by what it heard, are looked up: another
    /// one may have heard of them, or ended them.
    private func rescueShared(at now: ContinuousClock.Instant) async throws(MetadataError) {
        let (rescuesFrom, listensSince) = state.withLock { ($0.rescuesFrom, $0.listensSince) }
        if rescuesFrom.map({ $0 <= now }) ?? true {
            for lease in try await store.endedLeases(limit: 100) {
                // A margin for the difference of two clocks.
                let since = listensSince.map { $0.milliseconds &+ 5_000 } ?? 0
                await rescue(lease.leased, isDoubtful: lease.isDoubtful || lease.ended.milliseconds < since)
            }
        }
        for lease in state.withLock({ $0.leases.ended(by: now) }) {
            let job = try await store.job(lease.job.id)
            if job?.state == .leased, job?.token == lease.job.token {
                state.withLock { $0.leases.extend(lease.job.id, at: now) }
            } else {
                release(lease.job.id, isCrash: false)
            }
        }
    }

    /// Ends the tries of workers that were not heard of again.
    private func rescue(at now: ContinuousClock.Instant) async {
        for lease in state.withLock({ $0.leases.ended(by: now) }) {
            await rescue(LeasedJob(job: lease.job, group: lease.group), isDoubtful: lease.isDoubtful)
        }
    }

    private func rescue(_ leased: LeasedJob, isDoubtful: Bool) async {
        do throws(MetadataError) {
            if isDoubtful {
                try await giveBack(leased.job.id, token: leased.job.token)
            } else {
                _ = try await end(
                    leased, reason: "the worker \(leased.job.worker) was not heard of again", isPermanent: false,
                    isCrash: true)
            }
        } catch {
            // Somebody else ended it meanwhile.
            if error == .leaseLost || error == .noSuchJob {
                release(leased.job.id, isCrash: false)
            } else {
                report(.rescuing(leased.job.id, error))
            }
        }
    }

    /// Whoever waits is told where waiting jobs became due, a limit may have opened, or its time is over.
    private func wakeForTime(at now: ContinuousClock.Instant) async {
        let isDue = state.withLock { $0.nextDue.map { $0 <= .now() } ?? false }
        if isDue {
            state.withLock { $0.nextDue = nil }
            wakeAll()
            // What is claimed meanwhile is due no more.
            let next: Timestamp?
            do throws(MetadataError) { next = try await store.nextDueJob() } catch { next = .now() }
            guard let next else { return }
            state.withLock { $0.nextDue = min($0.nextDue ?? next, next) }
            return
        }
        let overdue = state.withLock { state in
            if state.lanes.waitsForTime {
                state.mayBeReady = true
                defer { state.waiters = [] }
                return state.waiters
            }
            let overdue = state.waiters.filter { $0.until <= now }
            state.waiters.removeAll { $0.until <= now }
            return overdue
        }
        pool.corked { for waiting in overdue { waiting.waiter.resume(()) } }
    }

    /// Once an hour.
    private func forget(at now: ContinuousClock.Instant) async {
        let isTime = state.withLock { state in
            if let next = state.nextForget, next > now { return false }
            state.nextForget = now + .seconds(3600)
            return true
        }
        guard isTime else { return }
        let limit = Timestamp.now().milliseconds - configuration.historyPeriod.milliseconds
        do throws(MetadataError) {
            while try await store.forgetHistory(before: Timestamp(milliseconds: limit)) {}
        } catch {
            report(.forgetting(error))
        }
    }
}
