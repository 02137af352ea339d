/// A receiver of events, by the protocol that it speaks.
public protocol EventTarget: Sendable {
    /// Whether all events go in one order, and not those of each key by themselves.
    var isOrdered: Bool { get }
    /// How many `send`s may be under way at once, of different keys.
    var concurrency: Int { get }
    /// Messages that one `send` takes at most.
    var batchMax: Int { get }

    /// Sends the messages, in their order. Each that is counted as accepted is the receiver's; a later one may have come to it all the same.
    func send(_ messages: [TargetMessage]) async -> Delivery

    /// Ends what is under way with a failure, soon. Nothing is sent afterwards.
    func close()
}

/// What came of sending some messages.
public struct Delivery: Sendable, Equatable {
    /// How many of them, from the first on, the receiver has.
    public var acceptedCount: Int
    /// Why the next one did not get there; nil where all did.
    public var failure: TargetFailure?

    public init(acceptedCount: Int, failure: TargetFailure? = nil) {
        (self.acceptedCount, self.failure) = (acceptedCount, failure)
    }
}

/// Why a message was not delivered.
public struct TargetFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// For the person who looks after the target; never with a secret.
    public var reason: String
    /// Whether it is the receiver's trouble, so that other messages would fare no better.
    public var isOfReceiver: Bool
    /// What the receiver asks for.
    public var retryAfter: Duration?

    public init(_ reason: String, isOfReceiver: Bool = true, retryAfter: Duration? = nil) {
        self.reason = String(reason.prefix(500))
        self.isOfReceiver = isOfReceiver
        self.retryAfter = retryAfter
    }

    public var description: String { reason }
}
