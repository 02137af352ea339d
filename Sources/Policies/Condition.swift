/// How a condition compares (IAM UserGuide, reference_policies_elements_condition_operators).
public enum ConditionOperator: String, Sendable, CaseIterable {
    case stringEquals = "StringEquals"
    case stringNotEquals = "StringNotEquals"
    case stringEqualsIgnoreCase = "StringEqualsIgnoreCase"
    case stringNotEqualsIgnoreCase = "StringNotEqualsIgnoreCase"
    case stringLike = "StringLike"
    case stringNotLike = "StringNotLike"
    case numericEquals = "NumericEquals"
    case numericNotEquals = "NumericNotEquals"
    case numericLessThan = "NumericLessThan"
    case numericLessThanEquals = "NumericLessThanEquals"
    case numericGreaterThan = "NumericGreaterThan"
    case numericGreaterThanEquals = "NumericGreaterThanEquals"
    case dateEquals = "DateEquals"
    case dateNotEquals = "DateNotEquals"
    case dateLessThan = "DateLessThan"
    case dateLessThanEquals = "DateLessThanEquals"
    case dateGreaterThan = "DateGreaterThan"
    case dateGreaterThanEquals = "DateGreaterThanEquals"
    case bool = "Bool"
    case binaryEquals = "BinaryEquals"
    case ipAddress = "IpAddress"
    case notIPAddress = "NotIpAddress"
    case arnEquals = "ArnEquals"
    case arnLike = "ArnLike"
    case arnNotEquals = "ArnNotEquals"
    case arnNotLike = "ArnNotLike"
    case null = "Null"

    /// True where none of the values may match.
    var isNegated: Bool {
        switch self {
        case .stringNotEquals, .stringNotEqualsIgnoreCase, .stringNotLike, .numericNotEquals, .dateNotEquals,
            .notIPAddress, .arnNotEquals, .arnNotLike:
            true
        default: false
        }
    }
}

/// One key of one operator in a statement's `Condition`. All of a statement's conditions must hold.
public struct Condition: Sendable, Equatable {
    /// How a key with several values is judged.
    public enum Quantifier: String, Sendable {
        /// Every value of the request passes; also where it has none.
        case all = "ForAllValues"
        /// Some value of the request passes.
        case any = "ForAnyValue"
    }

    public var quantifier: Quantifier?
    public var comparison: ConditionOperator
    /// `...IfExists`: holds where the request does not have the key.
    public var ifExists: Bool
    public var key: ConditionKey
    /// One of them must match, or none where the operator is a negated one. As written.
    public var values: [String]

    public init(
        _ comparison: ConditionOperator, _ key: ConditionKey, _ values: [String], quantifier: Quantifier? = nil,
        ifExists: Bool = false
    ) {
        self.comparison = comparison
        self.key = key
        self.values = values
        self.quantifier = quantifier
        self.ifExists = ifExists
    }
}
