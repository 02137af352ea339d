public import Bytes

/// What a user may do. Finer policies refine this later; the decision has one place (`Access` in ObjectGateway).
public enum CannedPolicy: String, Sendable, CaseIterable {
    case readonly, readwrite, writeonly, admin
}

/// Someone who signs requests with one access key.
public struct User: Sendable, Equatable {
    /// 1...64 of `A-Z a-z 0-9 . _ - @`, unique.
    public var name: String
    /// 3...128 printable ASCII characters without space and `/`, unique.
    public var accessKey: [UInt8]
    /// The secret key, sealed by the store's key file; opened by `SecretBox` only.
    public var sealedSecret: [UInt8]
    public var policy: CannedPolicy
    /// The customer that the user's objects belong to.
    public var customer: String?
    public var isDisabled: Bool
    public var created: Timestamp

    public init(
        name: String, accessKey: [UInt8], sealedSecret: [UInt8], policy: CannedPolicy, customer: String?,
        isDisabled: Bool, created: Timestamp
    ) {
        self.name = name
        self.accessKey = accessKey
        self.sealedSecret = sealedSecret
        self.policy = policy
        self.customer = customer
        self.isDisabled = isDisabled
        self.created = created
    }
}
