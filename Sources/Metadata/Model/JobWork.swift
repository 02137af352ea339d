public import Bytes

/// A wish for work.
public struct JobClaim: Sendable, Equatable {
    /// The worker's name.
    public var worker: String
    /// Names of queues, the first served first.
    public var queues: [String]
    /// 1...100.
    public var countMax: Int
    /// How many more jobs of each lane may start now; lanes that are missing have no limit.
    public var room: [[UInt8]: Int]
    /// How many jobs of each lane may run at once, through all gateways of a store that is shared.
    public var limits: [[UInt8]: Int] = [:]
    /// How long the leases last, where the store is shared and keeps them.
    public var leasePeriod = Duration.seconds(30)
    /// Whether a worker is known to have them. A lease of one that is not, and that runs out, costs no try.
    public var isConfirmed = true

    public init(worker: String, queues: [String], countMax: Int, room: [[UInt8]: Int] = [:]) {
        self.worker = worker
        self.queues = queues
        self.countMax = countMax
        self.room = room
    }
}

/// A job with what its holder needs to know.
public struct LeasedJob: Sendable, Equatable {
    public var job: Job
    public var group: JobGroup

    public init(job: Job, group: JobGroup) {
        self.job = job
        self.group = group
    }
}

/// The end of a job that was done.
public struct JobCompletion: Sendable {
    public var job: JobID
    public var token: [UInt8]
    /// What the files are called, and the objects that they become, all with content in files of their own.
    public var files: [(name: String, version: NewVersion)]
    /// JSON; empty for nothing.
    public var result: [UInt8]
    /// What was found of the source. It is noted of the asset as long as the source is its newest version.
    public var found: AssetFindings?
    /// What is known of the source's asset from now on.
    public var details: AssetDetails?
    /// What `details` were made of. Where others stand there, nothing is done and `superseded` is thrown.
    public var formerDetails: AssetDetails?
    /// Laid over the source's tags as they are in the commit, in place of those of the same keys. Where that would make more than
    /// `Tag.countMax`, nothing is done, and `limitExceeded` thrown.
    public var tags: [Tag]

    public init(
        job: JobID, token: [UInt8], files: [(name: String, version: NewVersion)] = [], result: [UInt8] = [],
        found: AssetFindings? = nil, tags: [Tag] = []
    ) {
        self.job = job
        self.token = token
        self.files = files
        self.result = result
        self.found = found
        self.tags = tags
    }
}

/// The end of a try that was not.
public struct JobFailure: Sendable, Equatable {
    public enum Next: Sendable, Equatable {
        /// Another try at that time.
        case retry(at: Timestamp)
        /// None: it goes among the dead.
        case dead
        /// At once, and the try does not count: the worker gave it back, or lost it through no fault of the job.
        case giveBack
        /// Its worker waits for an answer from outside: it becomes available when that comes, or at that time. The try does not count.
        case park(until: Timestamp, ticket: [UInt8])
        /// The object it was for is gone.
        case cancelled
    }

    public var job: JobID
    public var token: [UInt8]
    public var next: Next
    public var reason: String
    /// Whether the worker was not heard of again.
    public var isCrash: Bool
    /// Whether the next try forgets the ticket and the answer that this one had.
    public var startsAnew: Bool

    public init(
        job: JobID, token: [UInt8], next: Next, reason: String, isCrash: Bool = false, startsAnew: Bool = false
    ) {
        self.startsAnew = startsAnew
        self.job = job
        self.token = token
        self.next = next
        self.reason = reason
        self.isCrash = isCrash
    }
}

/// What came of an answer from outside to a job.
public enum JobAnswering: Sendable, Equatable {
    /// It is kept. The job is available where it waited, and is among those that were started then.
    case noted(JobEnding)
    /// The job has an answer, which stays.
    case repeated
    /// The job has ended, or is forgotten.
    case over
}

/// What came of the end of a job.
public struct JobEnding: Sendable, Equatable {
    /// As it is now.
    public var group: JobGroup
    /// Jobs that became available.
    public var started: [Job]
    /// Whether the same end was noted before.
    public var isRepeated: Bool

    public init(group: JobGroup, started: [Job], isRepeated: Bool = false) {
        self.group = group
        self.started = started
        self.isRepeated = isRepeated
    }
}
