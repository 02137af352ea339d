import JSON

/// A target of events: its kind and its name, as in `webhook:cms`.
public struct TargetName: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        case webhook, redis, nats, kafka, amqp
    }

    public let kind: Kind
    public let name: String

    public static let wanted =
        "a target such as webhook:cms, of kind "
        + Kind.allCases.map(\.rawValue).joined(separator: ", ").namingChoices()

    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let kind = Kind(rawValue: parts[0]), HookName.isName(parts[1]) else { return nil }
        self.kind = kind
        name = parts[1]
    }

    public var description: String { "\(kind.rawValue):\(name)" }
}
