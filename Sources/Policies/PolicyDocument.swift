/// What was written in a policy, in order (IAM UserGuide, reference_policies_grammar).
public struct PolicyDocument: Sendable, Equatable {
    public enum Version: String, Sendable {
        /// Also where nothing is said. Has no variables.
        case of2008 = "2008-10-17"
        case of2012 = "2012-10-17"
    }

    public var version: Version
    public var id: String?
    public var statements: [Statement]

    public init(version: Version = .of2012, id: String? = nil, statements: [Statement]) {
        self.version = version
        self.id = id
        self.statements = statements
    }
}

public struct Statement: Sendable, Equatable {
    public enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    public var sid: String?
    public var effect: Effect
    /// Nil in a user's policy, whose principal is the user.
    public var principals: Selection<Principal>?
    /// Patterns such as `s3:Get*`.
    public var actions: Selection<String>
    /// Patterns of ARNs, or `*`.
    public var resources: Selection<String>
    public var conditions: [Condition]

    public init(
        sid: String? = nil, effect: Effect, principals: Selection<Principal>? = nil, actions: Selection<String>,
        resources: Selection<String>, conditions: [Condition] = []
    ) {
        self.sid = sid
        self.effect = effect
        self.principals = principals
        self.actions = actions
        self.resources = resources
        self.conditions = conditions
    }
}

/// An element and its negation: `Action` or `NotAction`.
public enum Selection<Element: Sendable & Equatable>: Sendable, Equatable {
    case only([Element])
    case allBut([Element])

    public var elements: [Element] {
        switch self {
        case .only(let elements), .allBut(let elements): elements
        }
    }
}

/// Whom a statement of a bucket's policy speaks of.
public enum Principal: Sendable, Equatable {
    /// `*`: everyone, also without a signature.
    case everyone
    /// The account: its root user. In a `Deny` each of its users, too; in an `Allow` it leaves them to their own policies.
    case account
    case user(String)
    /// A service, an identity provider, or the like: nobody who calls this gateway.
    case other(String)
}
