import Metadata
import Synchronization
import Threads

/// Jobs are made of events behind the writes that the events are of.
extension JobEngine {
    /// An event was committed. Returns at once.
    public func notice() {
        tellFollower()
        let begins = state.withLock { state in
            state.hasNews = true
            guard !state.isPlanning, !isStopped.load(ordering: .relaxed) else { return false }
            state.isPlanning = true
            return true
        }
        if begins { pool.run { [self] in await plan() } }
    }

    /// Makes the jobs of all events that have none; one at a time is here.
    private func plan() async {
        var pace = PlanPace(configuration)
        while true {
            let goesOn = state.withLock { state in
                guard state.hasNews, !isStopped.load(ordering: .relaxed) else {
                    state.isPlanning = false
                    return false
                }
                return true
            }
            guard goesOn else { return }
            await pool.sleep(for: pace.rest)
            state.withLock { $0.hasNews = false }
            do throws(MetadataError) {
                let former = store.clientCommits
                let began = ContinuousClock.now
                let isMore = try await planBatch(lengthMax: pace.length)
                pace.note(.now - began, clientsWrote: store.clientCommits != former, isMore: isMore)
                if isMore { state.withLock { $0.hasNews = true } }
            } catch {
                report(.planning(error))
                // The next round tries again.
                state.withLock { state in
                    state.hasNews = true
                    state.isPlanning = false
                }
                return
            }
        }
    }

    /// Whether events may be left.
    private func planBatch(lengthMax: Int) async throws(MetadataError) -> Bool {
        let former = try await store.plannedEvents()
        let events = try await store.events(after: former, limit: lengthMax)
        guard let last = events.last else { return false }
        var groups: [JobGroup] = []
        for event in events {
            for chosen in event.draft.hooks {
                var hook = BuiltInHook(chosen.name)?.hook
                if hook == nil { hook = try await readableRules(of: event)?.configuration.hook(named: chosen.name) }
                if let hook {
                    groups.append(
                        HookPlanner.group(of: event, setOff: chosen, by: hook, id: JobID(at: event.moment)))
                } else {
                    report(.unknownHook(chosen.name, bucket: event.bucket, revision: event.draft.revision))
                }
            }
        }
        if let planned = try await store.planJobs(after: former, through: last.position, groups), !groups.isEmpty {
            wakeAll()
            tell(made: planned.made)
            tell(replaced: planned.replaced)
            // Some ended before they began.
            if groups.contains(where: { !$0.notify.isEmpty }) { tellFollower() }
        }
        return events.count == lengthMax
    }

    /// Nil where that revision is forgotten, or cannot be read: the events behind it are not to wait for it.
    private func readableRules(of event: ObjectEvent) async throws(MetadataError) -> HookRules? {
        do throws(MetadataError) {
            return try await hooks.rules(of: event.bucket, revision: event.draft.revision)
        } catch {
            guard case .broken(let reason) = error else { throw error }
            report(.unreadableHooks(bucket: event.bucket, revision: event.draft.revision, reason: reason))
            return nil
        }
    }
}
