import Bytes
public import Metadata
import Synchronization
public import Threads

/// Settings of the engine; every default is visible here.
public struct JobEngineConfiguration: Sendable {
    /// After which a lease ends that is not renewed.
    public var leasePeriod = Duration.seconds(30)
    /// Between looks at leases, waiting jobs and limits.
    public var tick = Duration.milliseconds(250)
    /// How long events and ended jobs are kept.
    public var historyPeriod = Duration.seconds(7 * 86_400)
    /// How long an event waits for others, so that their jobs are made in one commit and not in one each.
    public var planDelay = Duration.milliseconds(25)
    /// Events whose jobs are made in one commit, at least 16.
    public var planLengthMax = 256
    /// How long a commit of jobs is to take while clients write; it holds up their writes for so long.
    public var planPeriod = Duration.milliseconds(3)
    /// While clients write, the rest after a commit of jobs, in times of what that took: 20 leave them 20 parts of 21 of the
    /// store's time. The rest has an end, so that jobs come also where the store is slow.
    public var planRest = 20

    public init() {}
}

/// Makes jobs of events, gives them to workers, and takes them back from those that are not heard of again.
///
/// What is durable is the store's; here are the leases, the limits, and those who wait.
public final class JobEngine: Sendable {
    public let store: any EventStore
    public let hooks: HookDirectory
    public let feed: JobFeed
    let variants = VariantQueue()
    let pool: Pool
    let configuration: JobEngineConfiguration
    private let listeners = Lock(Listeners())
    let state: Lock<State>
    let isStopped = Atomic(false)
    let expectsWorkers = Atomic(false)

    struct State {
        var leases: LeaseTable
        var lanes = LaneTable()
        /// How far jobs are that wait for an answer from outside, as far as it was told.
        var parked: [JobID: JobProgress] = [:]
        var waiters: [Waiting] = []
        /// An event was committed since the last look.
        var hasNews = true
        var isPlanning = false
        var isInRound = false
        /// Jobs may be ready that nobody was told of.
        var mayBeReady = true
        var nextDue: Timestamp?
        var schedules: [BucketID: [ScheduledHook]] = [:]
        var nextForget: ContinuousClock.Instant?
        /// When the next look is at what other gateways did, and when at their changes of hooks.
        var nextLook: ContinuousClock.Instant?
        var nextHooksLook: ContinuousClock.Instant?
        /// The revisions by which limits and schedules are set.
        var prepared: [BucketID: Int64] = [:]
        /// Leases of a shared store that ended before may have done so for want of a gateway.
        var listensSince: Timestamp?
        var rescuesFrom: ContinuousClock.Instant?
        /// The queues that hooks name.
        var queues: Set<String> = []
        /// When a worker asked for jobs last.
        var lastClaim: ContinuousClock.Instant?
    }

    private struct Listeners {
        var problem: (@Sendable (Problem) -> Void)?
        var event: (@Sendable () -> Void)?
    }

    struct Waiting {
        var waiter: Waiter<Void>
        var until: ContinuousClock.Instant
    }

    /// What went wrong in the background; the next round tries again.
    public enum Problem: Sendable {
        case planning(MetadataError)
        case rescuing(JobID, MetadataError)
        case forgetting(MetadataError)
        /// The moment of a schedule passed without its event.
        case scheduling(MetadataError)
        /// What other gateways do could not be read.
        case looking(MetadataError)
        /// A hook that an event was to set off is not in the revision that it names.
        case unknownHook(String, bucket: BucketID, revision: Int64)
        /// A kept revision of a bucket's hooks is not what this version reads.
        case unreadableHooks(bucket: BucketID, revision: Int64, reason: String)
    }

    public init(
        store: any EventStore, hooks: HookDirectory, pool: Pool,
        configuration: JobEngineConfiguration = JobEngineConfiguration()
    ) {
        (self.store, self.hooks, self.pool, self.configuration) = (store, hooks, pool, configuration)
        feed = JobFeed(pool: pool)
        state = Lock(State(leases: LeaseTable(period: configuration.leasePeriod)))
    }

    /// Who is told from now on of what went wrong in the background.
    public func observe(_ observer: @escaping @Sendable (Problem) -> Void) {
        listeners.withLock { $0.problem = observer }
    }

    /// Who is told from now on that an event was committed.
    public func follow(_ follower: @escaping @Sendable () -> Void) {
        listeners.withLock { $0.event = follower }
    }

    func report(_ problem: Problem) { listeners.withLock { $0 }.problem?(problem) }

    /// Tells who follows that an event was committed, or that a target has something to be told.
    func tellFollower() { listeners.withLock { $0 }.event?() }

    /// Takes over the leases that are out, and begins its rounds. No lease ends for a whole period.
    public func start() async throws(MetadataError) {
        var after: JobID?
        // Other gateways have leases of a shared store, and the store knows when they end.
        if store.isShared { beginListening() }
        while !store.isShared {
            let jobs = try await store.leasedJobs(after: after, limit: 1000)
            guard let last = jobs.last else { break }
            after = last.id
            for job in jobs {
                guard let group = try await store.jobGroup(job.group) else { continue }
                state.withLock {
                    $0.leases.add(LeasedJob(job: job, group: group), at: .now, isDoubtful: true)
                    $0.lanes.begin(job.lane)
                }
            }
        }
        let due = try await store.nextDueJob()
        state.withLock { $0.nextDue = due }
        try await prepareChanged()
        pool.run { [weak self, pool, tick = configuration.tick] in
            while let self, self.beginRound() {
                await self.round()
                self.state.withLock { $0.isInRound = false }
                await pool.sleep(for: tick)
            }
        }
    }

    /// False once it is stopped.
    private func beginRound() -> Bool {
        state.withLock { state in
            if isStopped.load(ordering: .relaxed) { return false }
            state.isInRound = true
            return true
        }
    }

    /// Those who wait or watch go away with nothing; leases stay. Returns when nothing is done in the background any more, so that the
    /// store can be closed. What is asked for later still takes effect.
    public func stop() async {
        state.withLock { _ in isStopped.store(true, ordering: .relaxed) }
        wakeAll()
        feed.end()
        variants.stop()
        while state.withLock({ $0.isPlanning || $0.isInRound }) { await pool.sleep(for: .milliseconds(2)) }
    }

    // MARK: Hooks

    /// Replaces the hooks of a bucket, as `HookDirectory.set`.
    public func setHooks(
        _ hooks: HookConfiguration?, document: [UInt8], of bucket: BucketID, ifRevision former: Int64? = nil
    ) async throws(MetadataError) -> Int64 {
        let revision = try await self.hooks.set(hooks, document: document, of: bucket, ifRevision: former)
        try await prepare(bucket)
        state.withLock { $0.prepared[bucket] = revision }
        return revision
    }

    /// As `prepare`, of all buckets whose hooks are of another revision than they were.
    func prepareChanged() async throws(MetadataError) {
        let known = state.withLock { $0.prepared }
        for (bucket, revision) in try await store.hookRevisions() where known[bucket] != revision {
            do throws(MetadataError) {
                _ = try await hooks.read(bucket)
                try await prepare(bucket)
            } catch {
                // One bucket whose hooks cannot be read holds up no other.
                guard case .broken(let reason) = error else { throw error }
                report(.unreadableHooks(bucket: bucket, revision: revision, reason: reason))
            }
            state.withLock { $0.prepared[bucket] = revision }
        }
    }

    /// Limits and schedules are those of the present hooks from now on.
    private func prepare(_ bucket: BucketID) async throws(MetadataError) {
        let rules = try await hooks.rules(of: bucket)
        state.withLock { state in
            state.schedules[bucket] = rules.flatMap { ScheduledHook.all(in: $0, after: .now()) }
            for hook in rules?.configuration.hooks ?? [] {
                state.queues.insert(hook.queue)
                state.lanes.limit(
                    HookPlanner.lane(of: hook.name, in: bucket), concurrencyMax: hook.concurrencyMax, rate: hook.rate)
            }
        }
    }

    // MARK: Work

    /// Jobs for a worker; waits up to `wait` until there are some. None where that time has passed, or the engine stops. No
    /// queues stand for all.
    ///
    /// Where `confirmedWithin` is said, a lease that is not renewed within that time is taken back and costs no try: its worker
    /// may have gone while it waited.
    public func claim(
        worker: String, queues: [String], countMax: Int, wait: Duration, confirmedWithin: Duration? = nil
    ) async throws(MetadataError) -> [LeasedJob] {
        let until = ContinuousClock.now + wait
        while true {
            if isStopped.load(ordering: .relaxed) { return [] }
            let (room, limits) = state.withLock { state in
                state.lastClaim = .now
                state.mayBeReady = false
                return (state.lanes.room(at: .now), store.isShared ? state.lanes.limits : [:])
            }
            let asked = try await queues.isEmpty ? allQueues() : queues
            var wish = JobClaim(worker: worker, queues: asked, countMax: countMax, room: room)
            wish.leasePeriod = min(leasePeriod, confirmedWithin ?? leasePeriod)
            wish.isConfirmed = confirmedWithin == nil
            wish.limits = limits
            let jobs = try await store.claimJobs(wish)
            if !jobs.isEmpty {
                state.withLock { state in
                    for job in jobs {
                        state.leases.add(
                            job, at: .now, isDoubtful: confirmedWithin != nil, confirmedWithin: confirmedWithin)
                        state.lanes.begin(job.job.lane)
                    }
                }
                tell(claimed: jobs)
                return jobs
            }
            guard ContinuousClock.now < until else { return [] }
            await Waiter<Void>.suspend { waiter in
                let isReady = state.withLock { state in
                    if state.mayBeReady || isStopped.load(ordering: .relaxed) { return true }
                    state.waiters.append(Waiting(waiter: waiter, until: until))
                    return false
                }
                if isReady { waiter.resume(()) }
            }
        }
    }

    /// Publishes what the job made and ends it. A job whose object is gone is cancelled, and `sourceGone` thrown.
    public func complete(_ completion: JobCompletion) async throws(MetadataError) -> JobEnding {
        do throws(MetadataError) {
            let ending = try await store.completeJob(completion)
            announce(ending, of: release(completion.job, isCrash: false), now: .completed)
            if !completion.files.isEmpty { notice() }
            return ending
        } catch {
            guard error == .sourceGone else { throw error }
            try await abandon(completion.job, token: completion.token)
            throw error
        }
    }

    public func cancel(group: JobID) async throws(MetadataError) -> JobEnding {
        let ending = try await store.cancelJobs(of: group)
        for job in try await store.jobs(of: group) { release(job.id, isCrash: false) }
        announce(ending)
        return ending
    }

    public func retry(_ id: JobID) async throws(MetadataError) -> JobEnding {
        let ending = try await store.retryJob(id)
        announce(ending)
        return ending
    }

    func end(
        _ leased: LeasedJob, reason: String, isPermanent: Bool, isCrash: Bool, retryAfter: Duration? = nil,
        startsAnew: Bool = false
    ) async throws(MetadataError) -> JobEnding {
        let policy = try await work(of: leased)?.step.retry ?? RetryPolicy()
        let next = TryOutcome.next(
            after: leased.job, policy: policy, isPermanent: isPermanent, isCrash: isCrash, retryAfter: retryAfter,
            now: .now(), random: Double.random(in: 0..<1))
        let ending = try await store.endTry(
            JobFailure(
                job: leased.job.id, token: leased.job.token, next: next, reason: reason, isCrash: isCrash,
                startsAnew: startsAnew))
        release(leased.job.id, isCrash: isCrash)
        if case .retry(let moment) = next {
            state.withLock { $0.nextDue = min($0.nextDue ?? moment, moment) }
            announce(ending, of: leased.job, now: .waiting)
        } else {
            announce(ending, of: leased.job, now: .dead)
        }
        return ending
    }

    /// The job, where its lease was out.
    @discardableResult
    func release(_ id: JobID, isCrash: Bool) -> Job? {
        state.withLock { state in
            state.parked[id] = nil
            guard let lease = state.leases.remove(id) else { return nil }
            state.lanes.end(lease.job.lane, isCrash: isCrash, at: .now)
            return lease.job
        }
    }

    func announce(_ ending: JobEnding, of job: Job? = nil, now state: JobState = .available) {
        tell(ending, of: job, now: state)
        if ending.group.ended != nil, !ending.group.notify.isEmpty { notice() }
        wakeAll()
    }

    /// Those who wait look again.
    func wakeAll() {
        let waiters = state.withLock { state in
            state.mayBeReady = true
            defer { state.waiters = [] }
            return state.waiters
        }
        pool.corked { for waiting in waiters { waiting.waiter.resume(()) } }
    }
}
