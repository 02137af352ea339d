public import Bytes

/// What happens to objects, and what follows from it: events, the hooks of buckets and their jobs, and the targets that are told.
///
/// An event is part of the commit that made it happen. Every write is atomic, durable when it returns, and decides its conditions in the
/// commit itself; reads see every write that returned before they began. Safe for concurrent use from the pool's threads.
public protocol EventStore: MetadataStore {
    /// Whether other gateways may use the store at the same time. Then the store keeps leases by its own clock, and what others did is found
    /// out by asking again.
    var isShared: Bool { get }
    /// How long hooks that were read may be gone by; nil for as long as this gateway does not change them itself.
    var hooksFreshFor: Duration? { get }
    /// Writes of clients that took effect here and that had to wait for those of jobs: as long as it grows, what can wait should. Stays 0 where
    /// they do not wait for one another.
    var clientCommits: UInt64 { get }

    /// Nil where it is gone.
    func bucket(_ id: BucketID) async throws(MetadataError) -> Bucket?
    /// The customer that a user's objects belong to; nil for a user that is not there, too.
    func customer(ofUser name: String) async throws(MetadataError) -> String?

    // Hooks
    /// A bucket's hooks as a document, and the number of their last change; nil where it never had any, no bytes where they were
    /// taken away.
    func hooks(of bucket: BucketID) async throws(MetadataError) -> (revision: Int64, document: [UInt8])?
    /// A former revision, by which a run that began with it goes on; nil where it is not kept any more.
    func hooks(of bucket: BucketID, revision: Int64) async throws(MetadataError) -> [UInt8]?
    /// Returns the revision, which is the present one where nothing changed. Throws `superseded` where the present one is another
    /// than `former`, 0 for none. Other gateways go by the new ones when it returns.
    func setHooks(
        _ document: [UInt8], of bucket: BucketID, ifRevision former: Int64?
    ) async throws(MetadataError) -> Int64

    /// The present revisions of all buckets that have or had hooks, for those who look for what others changed.
    func hookRevisions() async throws(MetadataError) -> [BucketID: Int64]

    // Events
    /// In the order of their positions, those after `position`. Those of one key are in the order of its changes, and none comes later at a
    /// position that was read past. What other gateways committed may follow within a second.
    func events(after position: Int64, limit: Int) async throws(MetadataError) -> [ObjectEvent]
    /// The position of the last event that is kept, 0 for none.
    func lastEvent() async throws(MetadataError) -> Int64
    /// Notes events of objects that stay as they are. Each gets its position and moment from the store; those of buckets that are gone
    /// are passed over. Returns how many were noted. At most 1,000.
    func noteEvents(_ events: [ObjectEvent]) async throws(MetadataError) -> Int

    // Jobs
    /// The last event whose jobs were made.
    func plannedEvents() async throws(MetadataError) -> Int64
    /// Makes the jobs of the events after `former` up to `last`. Nil, with nothing done, where others made them meanwhile. A
    /// group whose steps have a reason already fails at once, and its jobs are among the dead. A unique one replaces what no worker has begun
    /// with of the same hook and object.
    func planJobs(
        after former: Int64, through last: Int64, _ groups: [JobGroup]
    ) async throws(MetadataError) -> PlannedRuns?
    /// Leases what is ready, in order of rank. Each lease counts as a try.
    func claimJobs(_ claim: JobClaim) async throws(MetadataError) -> [LeasedJob]
    /// Lets the lease go on for that time from now, and counts as a word from the worker. False where the token has it no more. Does nothing,
    /// and is true, where the store is not shared: its one gateway knows.
    func renewLease(of job: JobID, token: [UInt8], for period: Duration) async throws(MetadataError) -> Bool
    /// Leases whose time is over, those first that ended first. None where the store is not shared.
    func endedLeases(limit: Int) async throws(MetadataError) -> [EndedLease]
    /// Publishes what the job made, and ends it, in one. Throws `leaseLost` where another has the job, and `sourceGone`, with nothing
    /// done, where the object is gone.
    func completeJob(_ completion: JobCompletion) async throws(MetadataError) -> JobEnding
    /// Throws `leaseLost` where another has the job.
    func endTry(_ failure: JobFailure) async throws(MetadataError) -> JobEnding
    /// Keeps an answer from outside, JSON of at most `Job.answerMax` bytes, for the job that waits for it.
    func answerJob(_ id: JobID, _ text: [UInt8]) async throws(MetadataError) -> JobAnswering
    /// Those that are leased end with their next word. Throws `noSuchJob`.
    func cancelJobs(of group: JobID) async throws(MetadataError) -> JobEnding
    /// Brings a dead job back. Throws `noSuchJob`.
    func retryJob(_ id: JobID) async throws(MetadataError) -> JobEnding
    func job(_ id: JobID) async throws(MetadataError) -> Job?
    func jobGroup(_ id: JobID) async throws(MetadataError) -> JobGroup?
    func jobs(of group: JobID) async throws(MetadataError) -> [Job]
    /// Newest first, those before `before`.
    func jobGroups(before: JobID?, limit: Int) async throws(MetadataError) -> [JobGroup]
    /// Of one object, newest first.
    func jobGroups(of key: ObjectKey, in bucket: BucketID, limit: Int) async throws(MetadataError) -> [JobGroup]
    /// In the order of their ids.
    func leasedJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job]
    /// The dead letters, in the order of their ids.
    func deadJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job]
    /// When the next job that waits for another try becomes available.
    func nextDueJob() async throws(MetadataError) -> Timestamp?
    /// Jobs that are ready, by queue; those beyond `limit` are not counted.
    func readyJobCounts(limit: Int) async throws(MetadataError) -> [String: Int]
    /// Forgets events and ended jobs that are older, up to a thousand of each; false where none was left. Events that have no jobs yet, or that
    /// a target needs, stay.
    func forgetHistory(before moment: Timestamp) async throws(MetadataError) -> Bool

    // Targets
    /// In order of name.
    func targets() async throws(MetadataError) -> [StoredTarget]
    func target(named name: String) async throws(MetadataError) -> StoredTarget?
    /// Registers a target, or replaces what was said of it; how far it is stays then, and a new one begins behind the last event. Of
    /// `target` its name, document and secret count. Throws `limitExceeded`.
    func setTarget(_ target: StoredTarget) async throws(MetadataError)
    /// Returns whether it was there. What it did not get is not kept for it.
    func removeTarget(_ name: String) async throws(MetadataError) -> Bool
    /// Notes that the target needs none of the events up to `position` any more, of which `count` were given up. Never backwards; nothing
    /// happens where it is gone.
    func moveTarget(_ name: String, to position: Int64, dropping count: Int64) async throws(MetadataError)

    // What one gateway does for all
    /// Whether this gateway is the one that does it, from now on for that time; then another one may be. Always true where the store is not
    /// shared.
    func takeDuty(_ name: String, for period: Duration) async throws(MetadataError) -> Bool
    /// Lets another gateway do it.
    func endDuty(_ name: String) async throws(MetadataError)
}

/// A lease that ran out by the clock of a shared store.
public struct EndedLease: Sendable, Equatable {
    public var leased: LeasedJob
    /// When, by that clock.
    public var ended: Timestamp
    /// The worker never said that it has the job: it may not have got it.
    public var isDoubtful: Bool

    public init(leased: LeasedJob, ended: Timestamp, isDoubtful: Bool) {
        (self.leased, self.ended, self.isDoubtful) = (leased, ended, isDoubtful)
    }
}
