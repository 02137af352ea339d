public import Bytes

/// A registered receiver of events, and how far it is with them; or a registered addon or source of events, which hear of none by
/// themselves.
public struct StoredTarget: Sendable, Equatable {
    /// As `kind:name`; the kind of addons is `addon`, and `source:` stands before the kind and name of a source.
    public var name: String
    /// What was said of it, as JSON, without its secret.
    public var document: [UInt8]
    /// Empty where it has none.
    public var sealedSecret: [UInt8]
    public var created: Timestamp
    /// Each event up to this one was delivered to it, was given up, or is none of its. The store gives it.
    public var position: Int64 = 0
    /// Events that were given up for their age. The store counts them.
    public var droppedCount: Int64 = 0

    public static let addonPrefix = "addon:"
    public static let sourcePrefix = "source:"

    /// Whether it is told of events.
    public var isReceiver: Bool { !name.hasPrefix(Self.addonPrefix) && !name.hasPrefix(Self.sourcePrefix) }

    /// The position of one that is registered when `last` is the last event: what is no receiver keeps none from being forgotten.
    public func firstPosition(after last: Int64) -> Int64 { isReceiver ? last : .max }

    public init(name: String, document: [UInt8], sealedSecret: [UInt8], created: Timestamp) {
        (self.name, self.document, self.sealedSecret, self.created) = (name, document, sealedSecret, created)
    }
}
