public import Bytes
import Threads

/// Hooks, events and jobs, in the embedded store.
extension SQLiteStore: EventStore {
    public var isShared: Bool { false }
    public var hooksFreshFor: Duration? { nil }
    public var clientCommits: UInt64 { statistics.clientCommits }

    private static var wrongAnswer: MetadataError { .broken("the committer answered another question") }

    // MARK: Hooks

    public func hooks(of bucket: BucketID) async throws(MetadataError) -> (revision: Int64, document: [UInt8])? {
        try read { (rows) throws(MetadataError) in try rows.hooks(of: bucket) }
    }

    public func hooks(of bucket: BucketID, revision: Int64) async throws(MetadataError) -> [UInt8]? {
        try read { (rows) throws(MetadataError) in try rows.hooks(of: bucket, revision: revision) }
    }

    public func setHooks(
        _ document: [UInt8], of bucket: BucketID, ifRevision former: Int64? = nil
    ) async throws(MetadataError) -> Int64 {
        let answer = try await committer.submit(.setHooks(document, bucket, ifRevision: former))
        guard case .revision(let revision) = answer else { throw Self.wrongAnswer }
        return revision
    }

    public func hookRevisions() async throws(MetadataError) -> [BucketID: Int64] {
        try read { (rows) throws(MetadataError) in try rows.hookRevisions() }
    }

    public func bucket(_ id: BucketID) -> Bucket? { catalog.withLock { $0.bucket(id) } }

    public func customer(ofUser name: String) -> String? { catalog.withLock { $0.user(named: name)?.customer } }

    // MARK: Events

    public func events(after position: Int64, limit: Int) async throws(MetadataError) -> [ObjectEvent] {
        try read { (rows) throws(MetadataError) in try rows.events(after: position, limit: limit) }
    }

    public func lastEvent() async throws(MetadataError) -> Int64 {
        try read { (rows) throws(MetadataError) in try rows.lastEvent() }
    }

    public func noteEvents(_ events: [ObjectEvent]) async throws(MetadataError) -> Int {
        guard case .made(let count) = try await committer.submit(.noteEvents(events)) else { throw Self.wrongAnswer }
        return count
    }

    public func plannedEvents() async throws(MetadataError) -> Int64 {
        try read { (rows) throws(MetadataError) in try rows.plannedEvents() }
    }

    public func planJobs(
        after former: Int64, through last: Int64, _ groups: [JobGroup]
    ) async throws(MetadataError) -> PlannedRuns? {
        guard case .runs(let planned) = try await committer.submit(.planJobs(after: former, through: last, groups))
        else { throw Self.wrongAnswer }
        return planned
    }

    // MARK: Jobs

    public func claimJobs(_ claim: JobClaim) async throws(MetadataError) -> [LeasedJob] {
        guard case .claimed(let jobs) = try await committer.submit(.claimJobs(claim)) else { throw Self.wrongAnswer }
        return jobs
    }

    public func renewLease(
        of job: JobID, token: [UInt8], for period: Duration
    ) async throws(MetadataError) -> Bool { true }

    public func endedLeases(limit: Int) async throws(MetadataError) -> [EndedLease] { [] }

    public func completeJob(_ completion: JobCompletion) async throws(MetadataError) -> JobEnding {
        try await ending(.completeJob(completion))
    }

    public func endTry(_ failure: JobFailure) async throws(MetadataError) -> JobEnding {
        try await ending(.endTry(failure))
    }

    public func answerJob(_ id: JobID, _ text: [UInt8]) async throws(MetadataError) -> JobAnswering {
        guard case .jobAnswered(let answering) = try await committer.submit(.answerJob(id, text)) else {
            throw Self.wrongAnswer
        }
        return answering
    }

    public func cancelJobs(of group: JobID) async throws(MetadataError) -> JobEnding {
        try await ending(.cancelJobs(group: group))
    }

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

    public func jobGroups(before: JobID?, limit: Int) async throws(MetadataError) -> [JobGroup] {
        try read { (rows) throws(MetadataError) in try rows.jobGroups(before: before, limit: limit) }
    }

    public func jobGroups(
        of key: ObjectKey, in bucket: BucketID, limit: Int
    ) async throws(MetadataError) -> [JobGroup] {
        try read { (rows) throws(MetadataError) in try rows.jobGroups(of: key, in: bucket, limit: limit) }
    }

    public func leasedJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try read { (rows) throws(MetadataError) in try rows.jobs(held: .leased, after: after, limit: limit) }
    }

    public func deadJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try read { (rows) throws(MetadataError) in try rows.jobs(held: .dead, after: after, limit: limit) }
    }

    public func nextDueJob() async throws(MetadataError) -> Timestamp? {
        try read { (rows) throws(MetadataError) in try rows.nextDue() }
    }

    public func readyJobCounts(limit: Int) async throws(MetadataError) -> [String: Int] {
        try read { (rows) throws(MetadataError) in try rows.readyCounts(limit: limit) }
    }

    public func forgetHistory(before moment: Timestamp) async throws(MetadataError) -> Bool {
        guard case .planned(let isMore) = try await committer.submit(.forgetHistory(before: moment)) else {
            throw Self.wrongAnswer
        }
        return isMore
    }
}
