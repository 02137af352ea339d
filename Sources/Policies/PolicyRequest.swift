import Bytes

/// Who asks.
public enum PolicyCaller: Sendable, Equatable {
    /// Sent no signature.
    case anonymous
    /// The account itself.
    case root
    /// A user of the account. The name is also the id that grants name.
    case user(String)

    /// As grants and owners name the caller; nil for nobody.
    public var id: String? {
        switch self {
        case .anonymous: nil
        case .root: Self.rootID
        case .user(let name): name
        }
    }

    public static let rootID = "root"
}

/// What is asked for, and what is known of it. A value of the call, made anew for each action that a request needs.
public struct PolicyRequest: Sendable {
    public var caller: PolicyCaller
    public var action: Action
    /// What stands behind `arn:aws:s3:::`: `bucket`, `bucket/key`, or nothing.
    public var resource: [UInt8]
    public var facts: Facts

    public init(
        caller: PolicyCaller, action: Action, bucket: [UInt8] = [], key: [UInt8]? = nil, facts: Facts = Facts()
    ) {
        self.caller = caller
        self.action = action
        self.facts = facts
        if let key {
            var resource = bucket
            resource.reserveCapacity(bucket.count + 1 + key.count)
            resource.append(Ascii.slash)
            resource += key
            self.resource = resource
        } else {
            resource = bucket
        }
    }
}
