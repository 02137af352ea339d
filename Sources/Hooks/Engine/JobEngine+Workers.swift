import Bytes
public import Metadata
import Synchronization
import Threads

/// What a job is to do, as its run began with it.
public struct JobWork: Sendable {
    public var leased: LeasedJob
    public var hook: Hook
    public var step: Step
    /// Of the whole configuration.
    public var presets: [String: Preset]
}

/// What the engine knows of workers beside their leases.
extension JobEngine {
    /// Nil where that revision is forgotten.
    public func work(of leased: LeasedJob) async throws(MetadataError) -> JobWork? {
        let event = leased.group.event
        let builtIn = BuiltInHook(leased.group.hook)
        // What it is to do may stand in no document.
        let rules =
            builtIn == .probe ? HookRules.none : try await hooks.rules(of: event.bucket, revision: event.draft.revision)
        let hook = builtIn?.hook ?? rules?.configuration.hook(named: leased.group.hook)
        guard let rules, let hook, leased.group.steps.indices.contains(leased.job.step) else { return nil }
        let name = leased.group.steps[leased.job.step].name
        guard let step = hook.steps.first(where: { $0.name == name }) else { return nil }
        return JobWork(leased: leased, hook: hook, step: step, presets: rules.configuration.presets)
    }

    // MARK: The ends of tries

    /// The try failed; by a crash, where the object ended the program that was to read it. What the try waited for from outside is
    /// forgotten where the next one `startsAnew`.
    public func fail(
        _ id: JobID, token: [UInt8], reason: String, isPermanent: Bool, isCrash: Bool = false,
        retryAfter: Duration? = nil, startsAnew: Bool = false
    ) async throws(MetadataError) -> JobEnding {
        guard let leased = try await leased(id, token: token) else { throw .leaseLost }
        return try await end(
            leased, reason: reason, isPermanent: isPermanent, isCrash: isCrash, retryAfter: retryAfter,
            startsAnew: startsAnew)
    }

    /// The worker stops before it began, or in the middle, through no fault of the job.
    public func giveBack(_ id: JobID, token: [UInt8]) async throws(MetadataError) {
        let ending = try await store.endTry(
            JobFailure(job: id, token: token, next: .giveBack, reason: "the worker gave it back"))
        release(id, isCrash: false)
        announce(ending)
    }

    /// The object is gone that the job was for: it is cancelled.
    public func abandon(_ id: JobID, token: [UInt8]) async throws(MetadataError) {
        let ending = try await store.endTry(
            JobFailure(job: id, token: token, next: .cancelled, reason: "the object is gone"))
        announce(ending, of: release(id, isCrash: false), now: .cancelled)
    }

    /// Keeps what the worker was told with its lease.
    public func note(_ focus: NotedFocus, of id: JobID) { state.withLock { $0.leases.note(focus, of: id) } }

    /// Nil where nothing was noted, as after a start.
    public func focus(of id: JobID) -> NotedFocus? { state.withLock { $0.leases.leases[id]?.focus } }

    // MARK: Workers

    public var leasePeriod: Duration { configuration.leasePeriod }

    /// Whether the holder of that lease completed the job already: its answer may have been lost.
    public func wasCompleted(_ id: JobID, by token: [UInt8]) async throws(MetadataError) -> Bool {
        guard let job = try await store.job(id), !token.isEmpty else { return false }
        return job.state == .completed && job.token == token
    }

    /// Workers are to be started where there are jobs: those who wait for one need no other.
    public func expectWorkers(_ areExpected: Bool) { expectsWorkers.store(areExpected, ordering: .relaxed) }

    /// Whether somebody will take a job that is ready, as far as can be told.
    public var hasWorkers: Bool {
        if expectsWorkers.load(ordering: .relaxed) { return true }
        return state.withLock { state in
            if !state.waiters.isEmpty || !state.leases.leases.isEmpty { return true }
            return state.lastClaim.map { $0.duration(to: .now) < Self.workerSilenceMax } ?? false
        }
    }

    /// Longer than a claim may wait, and a worker sleeps between two.
    private static let workerSilenceMax = Duration.seconds(90)

    /// Jobs that the worker of that name has.
    public func leaseCount(of worker: String) -> Int {
        state.withLock { $0.leases.leases.values.count { $0.job.worker == worker } }
    }

    /// Jobs that are ready, of all queues; those beyond `limit` are not counted. Of those whose wait is over one at most: it is a claim
    /// that makes them ready, so where nobody claims somebody has to be started for them.
    public func readyCount(limit: Int) async throws(MetadataError) -> Int {
        let ready = try await store.readyJobCounts(limit: limit).values.reduce(0, +)
        guard ready < limit, let due = try await store.nextDueJob(), due <= .now() else { return ready }
        return ready + 1
    }

    /// Workers are known to have ended, so that nobody has to wait for their leases to run out. `isCrash` says that their jobs
    /// may be the reason.
    public func workersEnded(isCrash: Bool, _ isOne: @Sendable (String) -> Bool) async {
        let held = state.withLock { $0.leases.leases.values.filter { isOne($0.job.worker) } }
        for lease in held {
            do throws(MetadataError) {
                if isCrash, !lease.isDoubtful {
                    _ = try await end(
                        LeasedJob(job: lease.job, group: lease.group),
                        reason: "the worker \(lease.job.worker) ended in the middle of it", isPermanent: false,
                        isCrash: true)
                } else {
                    try await giveBack(lease.job.id, token: lease.job.token)
                }
            } catch {
                // What it ended itself at its last moment is done; the rest waits for the end of its lease.
                if error == .leaseLost || error == .noSuchJob { release(lease.job.id, isCrash: false) }
            }
        }
    }

    /// The queues of all hooks, and those that jobs of former revisions wait in.
    func allQueues() async throws(MetadataError) -> [String] {
        let waiting = try await store.readyJobCounts(limit: 10_000).keys
        return state.withLock { $0.queues.union(waiting).union([Hook.queueDefault]) }.sorted()
    }
}
