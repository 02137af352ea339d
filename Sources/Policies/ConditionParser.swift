import Bytes
import JSON

/// Reads a statement's `Condition`, and checks that every value is one that its operator can compare.
struct ConditionParser {
    let use: PolicyDocument.Use
    let version: PolicyDocument.Version
    let path: String

    func conditions(_ value: JSONValue) throws(PolicyFault) -> [Condition] {
        guard case .object(let operators) = value else { throw PolicyFault("Invalid policy syntax.", at: path) }
        var conditions: [Condition] = []
        for member in operators {
            let place = "\(path).\(member.name)"
            guard let form = Self.form(of: member.name) else {
                throw PolicyFault("Invalid Condition type : \(member.name.prefix(200))", at: place)
            }
            guard case .object(let keys) = member.value else { throw PolicyFault("Invalid policy syntax.", at: place) }
            for key in keys {
                conditions.append(try condition(form, key, at: "\(place).\(key.name)"))
            }
        }
        return conditions
    }

    private typealias Form = (quantifier: Condition.Quantifier?, comparison: ConditionOperator, ifExists: Bool)

    /// `ForAnyValue:StringLikeIfExists` in its parts.
    private static func form(of name: String) -> Form? {
        var rest = name[...]
        var quantifier: Condition.Quantifier?
        if let colon = rest.firstIndex(of: ":") {
            guard let known = Condition.Quantifier(rawValue: String(rest[..<colon])) else { return nil }
            quantifier = known
            rest = rest[rest.index(after: colon)...]
        }
        let ifExists = rest.hasSuffix("IfExists")
        if ifExists { rest = rest.dropLast(8) }
        guard let comparison = ConditionOperator(rawValue: String(rest)) else { return nil }
        // Null asks whether the key is there.
        if comparison == .null, ifExists || quantifier != nil { return nil }
        return (quantifier, comparison, ifExists)
    }

    private func condition(_ form: Form, _ member: JSONValue.Member, at place: String) throws(PolicyFault) -> Condition
    {
        let key = ConditionKey(member.name)
        if case .bucket = use, !key.isKnown { throw PolicyFault("Policy has an invalid condition key", at: place) }
        guard member.name.contains(":") else { throw PolicyFault("Policy has an invalid condition key", at: place) }
        let items: [JSONValue]
        if let array = member.value.array { items = array } else { items = [member.value] }
        guard !items.isEmpty else { throw PolicyFault("Invalid policy syntax.", at: place) }
        var values: [String] = []
        for item in items {
            guard let text = Self.text(of: item) else { throw PolicyFault("Invalid policy syntax.", at: place) }
            values.append(text)
        }
        let condition = Condition(
            form.comparison, key, values, quantifier: form.quantifier, ifExists: form.ifExists)
        if let wrong = CompiledCondition.unreadable(condition, version: version) {
            throw PolicyFault("Invalid value in Condition \(form.comparison.rawValue): \(wrong.prefix(200))", at: place)
        }
        return condition
    }

    /// Numbers and truth values may be written without quotes.
    private static func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .null, .array, .object: nil
        }
    }
}
