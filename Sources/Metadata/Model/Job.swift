public import Bytes

/// Names a job, or a group of them: a UUID of version 7 (RFC 9562 section 5.7).
public struct JobID: Hashable, Comparable, Sendable {
    /// 16 bytes.
    public let bytes: [UInt8]

    /// Nil unless there are 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// A new one.
    public init(at moment: Timestamp) { bytes = UUIDBytes.version7(at: moment) }

    /// Reads the form with dashes, in either case; nil for anything else.
    public init?(_ text: some Collection<UInt8>) {
        guard let bytes = UUIDBytes.parse(text) else { return nil }
        self.bytes = bytes
    }

    /// 36 characters, with dashes, lower case.
    public var text: [UInt8] { UUIDBytes.text(bytes) }

    public static func < (a: JobID, b: JobID) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

/// One step of one run of a hook, waiting for a worker, with one, or ended.
public struct Job: Sendable, Equatable {
    public var id: JobID
    public var group: JobID
    /// Its place among the group's steps.
    public var step: Int
    public var state: JobState
    /// The name of the queue it waits in.
    public var queue: String
    /// What limits of concurrency and rate are counted by: the jobs of one hook share a lane.
    public var lane: [UInt8]
    /// Lower goes first.
    public var rank: Int64
    /// Tries that were begun.
    public var attempt = 0
    /// Tries that ended without a word from the worker.
    public var crashCount = 0
    /// When a waiting job becomes available.
    public var due: Timestamp?
    /// What its holder proves the lease by, 16 random bytes; kept after the end, so that an answer sent again is known.
    public var token: [UInt8] = []
    /// The name of the worker that has it, or had it last.
    public var worker = ""
    /// Why the last try failed.
    public var reason = ""
    /// What a worker left that waits for an answer from outside, for the one that goes on: JSON; empty where none does.
    public var ticket: [UInt8] = []
    /// The answer that came: JSON; empty for none.
    public var answer: [UInt8] = []
    public var created: Timestamp
    /// When its state changed last.
    public var changed: Timestamp

    public init(
        id: JobID, group: JobID, step: Int, state: JobState, queue: String, lane: [UInt8], rank: Int64,
        created: Timestamp
    ) {
        self.id = id
        self.group = group
        self.step = step
        self.state = state
        self.queue = queue
        self.lane = lane
        self.rank = rank
        self.created = created
        changed = created
    }

    /// Of `reason`, in bytes.
    public static let reasonMax = 2000
    /// Of `ticket`, in bytes.
    public static let ticketMax = 16 << 10
    /// Of `answer`, in bytes.
    public static let answerMax = 64 << 10
}
