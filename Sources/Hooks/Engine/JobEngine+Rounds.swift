import Bytes
import Metadata
import Threads

/// What the engine looks after by itself.
extension JobEngine {
    func round() async {
        let now = ContinuousClock.now
        await rescue(at: now)
        if state.withLock({ $0.hasNews && !$0.isPlanning }) { notice() }
        await runSchedules(at: .now())
        await wakeForTime(at: now)
        feed.wakeOverdue(at: now)
        variants.wakeOverdue(at: now)
        await forget(at: now)
    }

    /// Ends the tries of workers that were not heard of again.
    private func rescue(at now: ContinuousClock.Instant) async {
        for lease in state.withLock({ $0.leases.ended(by: now) }) {
            let leased = LeasedJob(job: lease.job, group: lease.group)
            do throws(MetadataError) {
                if lease.isDoubtful {
                    try await giveBack(lease.job.id, token: lease.job.token)
                } else {
                    _ = try await end(
                        leased, reason: "the worker \(lease.job.worker) was not heard of again", isPermanent: false,
                        isCrash: true)
                }
            } catch {
                // Somebody else ended it meanwhile.
                if error == .leaseLost || error == .noSuchJob {
                    release(lease.job.id, isCrash: false)
                } else {
                    report(.rescuing(lease.job.id, error))
                }
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
