public import Bytes

/// How a source of events fares.
public struct SourceStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Nothing waits in the list.
        case idle
        case taking
        /// Redis, or the store, cannot be reached, or the user whose rights count lacks them.
        case failing
        /// Another gateway takes from it, which can tell more.
        case elsewhere
        /// Nobody takes: no gateway runs, or the source cannot be used.
        case stopped
    }

    public var state = State.stopped
    /// Messages that wait in the list, those under way included, and those that were set aside, when it was last looked at.
    public var waitingCount: Int64 = 0
    public var deadCount: Int64 = 0
    /// Since the gateway started.
    public var takenCount: UInt64 = 0
    public var refusedCount: UInt64 = 0
    public var failureCount: UInt64 = 0
    public var lastFailure: String?
    public var lastFailureMoment: Timestamp?
    public var lastTaken: Timestamp?
}
