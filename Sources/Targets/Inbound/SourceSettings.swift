public import Hooks
public import JSON

/// What is said of a source of events, a list in Redis. Its secret is kept apart.
public struct SourceSettings: Sendable, Equatable {
    public static let nameWanted = "a source such as redis:inbox; Redis is the only kind"

    public var address: BrokerAddress
    public var database = 0
    /// As Redis knows it.
    public var user: String?
    /// Of the list.
    public var key: String
    /// The user of the store whose rights count; nil for those of its owner.
    public var actsAs: String?

    /// `value` is an object that may hold the secret too, which is not among these settings.
    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(
            value, of: ["url", "secret", "user", "key", "acts_as"], at: path, secrets: ["secret"])
        try SealedRegister.check(members)
        address = try members.redisAddress()
        database = address.redisDatabase ?? 0
        user = try members.shortText("user", wanted: "the name of a user")
        key = try members.requiredShortText("key", wanted: "the key of a list")
        actsAs = try members.shortText("acts_as", wanted: "the name of a user of this store")
    }

    /// Nil for what is no name of a source.
    public static func name(_ text: String) -> TargetName? {
        TargetName(text).flatMap { $0.kind == .redis ? $0 : nil }
    }
}
