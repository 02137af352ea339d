public import Bytes
import Threads

/// Hooks, events and jobs, in the embedded store.
extension SQLiteStore {
    private static var wrongAnswer: MetadataError { .broken("the committer answered another question") }

    // MARK: Hooks

    /// A bucket's hooks as a document, and how often they were changed; nil where it never had any, no bytes where they were
    /// taken away.
    public func hooks(of bucket: BucketID) async throws(MetadataError) -> (revision: Int64, document: [UInt8])? {
        try read { (rows) throws(MetadataError) in try rows.hooks(of: bucket) }
    }

    /// A former revision, by which a run that began with it goes on; nil where it is not kept any more.
    public func hooks(of bucket: BucketID, revision: Int64) async throws(MetadataError) -> [UInt8]? {
        try read { (rows) throws(MetadataError) in try rows.hooks(of: bucket, revision: revision) }
    }

    /// Returns the revision, which is the present one where nothing changed. Throws `superseded` where the present one is another
    /// than `former`, 0 for none.
    public func setHooks(
        _ document: [UInt8], of bucket: BucketID, ifRevision former: Int64? = nil
    ) async throws(MetadataError) -> Int64 {
        let answer = try await committer.submit(.setHooks(document, bucket, ifRevision: former))
        guard case .revision(let revision) = answer else { throw Self.wrongAnswer }
        return revision
    }

    /// A bucket by its id, from memory.
    public func bucket(_ id: BucketID) -> Bucket? { catalog.withLock { $0.bucket(id) } }

    /// The customer that a user's objects belong to, from memory; nil for a user that is not there, too.
    public func customer(ofUser name: String) -> String? { catalog.withLock { $0.user(named: name)?.customer } }

    // MARK: Events

    /// In the order of the commits, those after `position`.
    public func events(after position: Int64, limit: Int) async throws(MetadataError) -> [ObjectEvent] {
        try read { (rows) throws(MetadataError) in try rows.events(after: position, limit: limit) }
    }

    /// The position of the last event that is kept, 0 for none.
    public func lastEvent() async throws(MetadataError) -> Int64 {
        try read { (rows) throws(MetadataError) in try rows.lastEvent() }
    }

    /// Notes events of objects that stay as they are. Each gets its position and moment in the commit; those of buckets that are gone
    /// are passed over. Returns how many were noted. At most 1,000.
    public func noteEvents(_ events: [ObjectEvent]) async throws(MetadataError) -> Int {
        guard case .made(let count) = try await committer.submit(.noteEvents(events)) else { throw Self.wrongAnswer }
        return count
    }

    /// The last event whose jobs were made.
    public func plannedEvents() async throws(MetadataError) -> Int64 {
        try read { (rows) throws(MetadataError) in try rows.plannedEvents() }
    }

    /// Makes the jobs of the events after `former` up to `last`. False, with nothing done, where others made them meanwhile. A
    /// group whose steps have a reason already fails at once, and its jobs are among the dead.
    public func planJobs(
        after former: Int64, through last: Int64, _ groups: [JobGroup]
    ) async throws(MetadataError) -> Bool {
        guard case .planned(let isDone) = try await committer.submit(.planJobs(after: former, through: last, groups))
        else { throw Self.wrongAnswer }
        return isDone
    }

    // MARK: Jobs

    /// Leases what is ready, in order of rank. Each lease counts as a try.
    public func claimJobs(_ claim: JobClaim) async throws(MetadataError) -> [LeasedJob] {
        guard case .claimed(let jobs) = try await committer.submit(.claimJobs(claim)) else { throw Self.wrongAnswer }
        return jobs
    }

    /// Publishes what the job made, and ends it, in one. Throws `leaseLost` where another has the job, and `sourceGone`, with nothing
    /// done, where the object is gone.
    public func completeJob(_ completion: JobCompletion) async throws(MetadataError) -> JobEnding {
        try await ending(.completeJob(completion))
    }

    /// Throws `leaseLost` where another has the job.
    public func endTry(_ failure: JobFailure) async throws(MetadataError) -> JobEnding {
        try await ending(.endTry(failure))
    }

    /// Keeps an answer from outside, JSON of at most `Job.answerMax` bytes, for the job that waits for it.
    public func answerJob(_ id: JobID, _ text: [UInt8]) async throws(MetadataError) -> JobAnswering {
        guard case .jobAnswered(let answering) = try await committer.submit(.answerJob(id, text)) else {
            throw Self.wrongAnswer
        }
        return answering
    }

    /// Throws `noSuchJob`.
    public func cancelJobs(of group: JobID) async throws(MetadataError) -> JobEnding {
        try await ending(.cancelJobs(group: group))
    }

    /// Brings a dead job back. Throws `noSuchJob`.
    public func retryJob(_ id: JobID) async throws(MetadataError) -> JobEnding { try await ending(.retryJob(id)) }

    private func ending(_ mutation: Mutation) async throws(MetadataError) -> JobEnding {
        guard case .jobEnded(let ending) = try await committer.submit(mutation) else { throw Self.wrongAnswer }
        return ending
    }

    public func job(_ id: JobID) async throws(MetadataError) -> Job? {
        try read { (rows) throws(MetadataError) in try rows.job(id) }
    }

    public func jobGroup(_ id: JobID) async throws(MetadataError) -> JobGroup? {
        try read { (rows) throws(MetadataError) in try rows.jobGroup(id) }
    }

    public func jobs(of group: JobID) async throws(MetadataError) -> [Job] {
        try read { (rows) throws(MetadataError) in try rows.jobs(of: group) }
    }

    /// Newest first, those before `before`.
    public func jobGroups(before: JobID?, limit: Int) async throws(MetadataError) -> [JobGroup] {
        try read { (rows) throws(MetadataError) in try rows.jobGroups(before: before, limit: limit) }
    }

    /// Of one object, newest first.
    public func jobGroups(
        of key: ObjectKey, in bucket: BucketID, limit: Int
    ) async throws(MetadataError) -> [JobGroup] {
        try read { (rows) throws(MetadataError) in try rows.jobGroups(of: key, in: bucket, limit: limit) }
    }

    /// Jobs that are leased, in the order of their ids.
    public func leasedJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try read { (rows) throws(MetadataError) in try rows.jobs(held: .leased, after: after, limit: limit) }
    }

    /// The dead letters, in the order of their ids.
    public func deadJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try read { (rows) throws(MetadataError) in try rows.jobs(held: .dead, after: after, limit: limit) }
    }

    /// When the next job that waits for another try becomes available.
    public func nextDueJob() async throws(MetadataError) -> Timestamp? {
        try read { (rows) throws(MetadataError) in try rows.nextDue() }
    }

    /// Jobs that are ready, by queue; those beyond `limit` are not counted.
    public func readyJobCounts(limit: Int) async throws(MetadataError) -> [String: Int] {
        try read { (rows) throws(MetadataError) in try rows.readyCounts(limit: limit) }
    }

    /// Forgets events and ended jobs that are older, up to a thousand of each; false where none was left.
    public func forgetHistory(before moment: Timestamp) async throws(MetadataError) -> Bool {
        guard case .planned(let isMore) = try await committer.submit(.forgetHistory(before: moment)) else {
            throw Self.wrongAnswer
        }
        return isMore
    }
}
