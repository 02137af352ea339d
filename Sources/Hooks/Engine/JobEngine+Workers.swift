public import Metadata
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
        let rules = try await hooks.rules(of: event.bucket, revision: event.draft.revision)
        let hook = rules?.configuration.hooks.first { $0.name == leased.group.hook }
        guard let rules, let hook, leased.group.steps.indices.contains(leased.job.step) else { return nil }
        let name = leased.group.steps[leased.job.step].name
        guard let step = hook.steps.first(where: { $0.name == name }) else { return nil }
        return JobWork(leased: leased, hook: hook, step: step, presets: rules.configuration.presets)
    }

    // MARK: The ends of tries

    /// The try failed; by a crash, where the object ended the program that was to read it.
    public func fail(
        _ id: JobID, token: [UInt8], reason: String, isPermanent: Bool, isCrash: Bool = false,
        retryAfter: Duration? = nil
    ) async throws(MetadataError) -> JobEnding {
        guard let leased = try await leased(id, token: token) else { throw .leaseLost }
        return try await end(
            leased, reason: reason, isPermanent: isPermanent, isCrash: isCrash, retryAfter: retryAfter)
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

    // MARK: Workers

    public var leasePeriod: Duration { configuration.leasePeriod }

    /// Whether the holder of that lease completed the job already: its answer may have been lost.
    public func wasCompleted(_ id: JobID, by token: [UInt8]) async throws(MetadataError) -> Bool {
        guard let job = try await store.job(id), !token.isEmpty else { return false }
        return job.state == .completed && job.token == token
    }

    /// Jobs that the worker of that name has.
    public func leaseCount(of worker: String) -> Int {
        state.withLock { $0.leases.leases.values.count { $0.job.worker == worker } }
    }

    /// Jobs that are ready, of all queues; those beyond `limit` are not counted.
    public func readyCount(limit: Int) async throws(MetadataError) -> Int {
        try await store.readyJobCounts(limit: limit).values.reduce(0, +)
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
        return state.withLock { $0.queues.union(waiting) }.sorted()
    }
}
