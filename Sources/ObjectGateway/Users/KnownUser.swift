public import Metadata

/// A user with the opened secret key, as requests are checked against. Never logged, never encoded.
public struct KnownUser: Sendable {
    public let name: String
    public let accessKey: [UInt8]
    public let secret: [UInt8]
    public let policy: CannedPolicy
    /// The customer that the user's objects belong to.
    public let customer: String?
    public let isDisabled: Bool
}

extension KnownUser: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the secret.
    public var description: String { "user \(name)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
