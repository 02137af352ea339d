public import Bytes

/// How a target fares.
public struct TargetStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Nothing is to be delivered.
        case idle
        case delivering
        /// The last delivery failed, or some keys wait for another try; or the target cannot be used.
        case failing
        /// Another gateway delivers, which can tell more.
        case elsewhere
        /// Nobody delivers, as no gateway runs.
        case stopped
    }

    public var state = State.stopped
    /// Events that are to be delivered, as far as they are read: there may be more where it is as many as are read ahead.
    public var pendingCount = 0
    public var hasMore = false
    /// When the oldest of them happened.
    public var oldestPending: Timestamp?
    public var lastFailure: String?
    public var lastFailureMoment: Timestamp?
    public var lastDelivery: Timestamp?
    /// Since the gateway started.
    public var deliveredCount: UInt64 = 0
    public var failureCount: UInt64 = 0
    /// Ever.
    public var droppedCount: Int64 = 0
}
