import Bytes

extension PolicyDocument {
    /// Whether the policy grants access to more than fixed values (userguide/access-control-block-public-access, The meaning of
    /// "public"). A policy counts as public until each of its grants is seen to be bound to a user, an address or the like.
    public var isPublic: Bool { statements.contains { $0.effect == .allow && !$0.isBound(version) } }
}

extension Statement {
    /// Keys that bind a grant, where their values are fixed.
    fileprivate static let bindingKeys: Set = [
        "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid",
        "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
        "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    ]

    fileprivate func isBound(_ version: PolicyDocument.Version) -> Bool {
        if case .only(let principals)? = principals, !principals.contains(.everyone) { return true }
        return conditions.contains { $0.binds(version) }
    }
}

extension Condition {
    private static let privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].compactMap { IPRange($0) }

    fileprivate func binds(_ version: PolicyDocument.Version) -> Bool {
        // These hold without the key.
        if ifExists || quantifier == .all || comparison.isNegated { return false }
        switch comparison {
        case .ipAddress where key == .sourceIP:
            return values.allSatisfy { IPRange($0).map(Self.isNarrow) ?? false }
        case .stringEquals, .stringEqualsIgnoreCase:
            return Self.isBinding(key) && values.allSatisfy { Self.isFixed($0, version, wildcardsAreText: true) }
        case .stringLike, .arnEquals, .arnLike:
            return Self.isBinding(key) && values.allSatisfy { Self.isFixed($0, version, wildcardsAreText: false) }
        default: return false
        }
    }

    private static func isBinding(_ key: ConditionKey) -> Bool { Statement.bindingKeys.contains(key.description) }

    private static func isFixed(_ value: String, _ version: PolicyDocument.Version, wildcardsAreText: Bool) -> Bool {
        guard let template = Template(Array(value.utf8), hasVariables: version == .of2012) else { return false }
        return wildcardsAreText ? template.isFixed : template.isConstant
    }

    /// Ranges wider than /8, of IPv6 /32, are taken for everybody, but for the private ones.
    private static func isNarrow(_ range: IPRange) -> Bool {
        if range.address.bytes.count == 16 { return range.bits >= 32 }
        return range.bits >= 8 || privateRanges.contains { $0.contains(range) }
    }
}
