import Bytes

/// A condition, ready to be asked. The values are read once; those with variables are filled in for each request.
struct CompiledCondition: Sendable {
    private enum Order: Sendable {
        case equal, less, lessOrEqual, greater, greaterOrEqual

        func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
            switch self {
            case .equal: a == b
            case .less: a < b
            case .lessOrEqual: a <= b
            case .greater: a > b
            case .greaterOrEqual: a >= b
            }
        }
    }

    private enum Test: Sendable {
        case texts([Template], ignoringCase: Bool)
        case patterns([Template])
        case arns([[Template]])
        case numbers(Order, [Double])
        case moments(Order, [Timestamp])
        case flags([Template])
        case binaries([[UInt8]])
        case addresses([Template], fixed: [IPRange])
        case absence(Set<Bool>)
    }

    private enum Refusal: Error {
        case value(String)
    }

    let key: ConditionKey
    /// Of the values.
    let variables: [ConditionKey]
    private let quantifier: Condition.Quantifier?
    private let ifExists: Bool
    private let isNegated: Bool
    private let test: Test

    /// The value that cannot be compared, as it was written; nil where all can.
    static func unreadable(_ condition: Condition, version: PolicyDocument.Version) -> String? {
        do {
            _ = try Self(condition, version: version)
            return nil
        } catch {
            guard case .value(let text) = error else { return nil }
            return text
        }
    }

    /// Nil for values that cannot be compared, which the parser refuses.
    static func compile(_ condition: Condition, version: PolicyDocument.Version) -> CompiledCondition? {
        try? Self(condition, version: version)
    }

    private init(_ condition: Condition, version: PolicyDocument.Version) throws(Refusal) {
        key = condition.key
        quantifier = condition.quantifier
        ifExists = condition.ifExists
        isNegated = condition.comparison.isNegated
        let values = condition.values
        test =
            switch condition.comparison {
            case .stringEquals, .stringNotEquals:
                .texts(try Self.templates(values, version), ignoringCase: false)
            case .stringEqualsIgnoreCase, .stringNotEqualsIgnoreCase:
                .texts(try Self.templates(values, version), ignoringCase: true)
            case .stringLike, .stringNotLike: .patterns(try Self.templates(values, version))
            case .arnEquals, .arnLike, .arnNotEquals, .arnNotLike:
                .arns(try Self.each(values) { Self.arn($0, version) })
            case .numericEquals, .numericNotEquals: .numbers(.equal, try Self.numbers(values))
            case .numericLessThan: .numbers(.less, try Self.numbers(values))
            case .numericLessThanEquals: .numbers(.lessOrEqual, try Self.numbers(values))
            case .numericGreaterThan: .numbers(.greater, try Self.numbers(values))
            case .numericGreaterThanEquals: .numbers(.greaterOrEqual, try Self.numbers(values))
            case .dateEquals, .dateNotEquals: .moments(.equal, try Self.moments(values))
            case .dateLessThan: .moments(.less, try Self.moments(values))
            case .dateLessThanEquals: .moments(.lessOrEqual, try Self.moments(values))
            case .dateGreaterThan: .moments(.greater, try Self.moments(values))
            case .dateGreaterThanEquals: .moments(.greaterOrEqual, try Self.moments(values))
            case .bool:
                .flags(
                    try Self.templates(values, version) {
                        !$0.isFixed || $0.text(Facts()).flatMap(PolicyFlag.parse) != nil
                    })
            case .binaryEquals: .binaries(try Self.each(values) { Base64.decode(Array($0.utf8)) })
            case .ipAddress, .notIPAddress: try Self.addresses(values, version)
            case .null: .absence(Set(try Self.each(values) { PolicyFlag.parse(Array($0.utf8)) }))
            }
        variables = Self.templates(of: test).flatMap(\.variables)
    }

    // MARK: Asking

    /// Whether it holds for a request with these facts; nil where a value that had to differ cannot be told, because a variable in it
    /// has none.
    func holds(_ facts: Facts) -> Bool? {
        let given = facts[key]
        if case .absence(let wanted) = test { return wanted.contains(given == nil) }
        guard let given, !given.isEmpty else {
            if ifExists { return true }
            return switch quantifier {
            case .all: true
            case .any: false
            case nil: isNegated
            }
        }
        var isTold = true
        func passes(_ fact: Fact) -> Bool {
            let match = matches(fact, facts, &isTold)
            return isNegated ? !match : match
        }
        let holds =
            switch quantifier {
            case .all: given.allSatisfy(passes)
            case .any: given.contains(where: passes)
            // Without a quantifier a negated operator wants that no value matches.
            case nil: isNegated ? given.allSatisfy(passes) : given.contains(where: passes)
            }
        return isNegated && !isTold && holds ? nil : holds
    }

    /// Whether some value of the policy matches. Clears `isTold` where a variable of one has no value.
    private func matches(_ fact: Fact, _ facts: Facts, _ isTold: inout Bool) -> Bool {
        switch test {
        case .texts(let values, let ignoringCase):
            let bytes = fact.bytes
            for value in values {
                guard let text = value.text(facts) else {
                    isTold = false
                    continue
                }
                if ignoringCase ? Ascii.equalIgnoringCase(text, bytes) : text == bytes { return true }
            }
            return false
        case .patterns(let values):
            let bytes = fact.bytes
            for value in values {
                guard let glob = value.glob(facts) else {
                    isTold = false
                    continue
                }
                if glob.matches(bytes) { return true }
            }
            return false
        case .arns(let values):
            guard let parts = Self.segments(fact.bytes) else { return false }
            for value in values {
                let globs = value.compactMap { $0.glob(facts) }
                guard globs.count == parts.count else {
                    isTold = false
                    continue
                }
                if zip(globs, parts).allSatisfy({ $0.matches($1) }) { return true }
            }
            return false
        case .numbers(let order, let values):
            guard let number = fact.number else { return false }
            return values.contains { order.holds(number, $0) }
        case .moments(let order, let values):
            guard let moment = fact.moment else { return false }
            return values.contains { order.holds(moment, $0) }
        case .flags(let values):
            guard let flag = fact.flag else { return false }
            for value in values {
                guard let text = value.text(facts) else {
                    isTold = false
                    continue
                }
                if PolicyFlag.parse(text) == flag { return true }
            }
            return false
        case .binaries(let values):
            guard let bytes = Base64.decode(fact.bytes) else { return false }
            return values.contains(bytes)
        case .addresses(let values, let fixed):
            guard let address = fact.address else { return false }
            if fixed.contains(where: { $0.contains(address) }) { return true }
            for value in values {
                guard let range = value.text(facts).flatMap({ IPRange($0) }) else {
                    isTold = false
                    continue
                }
                if range.contains(address) { return true }
            }
            return false
        case .absence: return false
        }
    }

    // MARK: Reading values

    private static func each<Value>(_ values: [String], _ read: (String) -> Value?) throws(Refusal) -> [Value] {
        var out: [Value] = []
        for value in values {
            guard let read = read(value) else { throw .value(value) }
            out.append(read)
        }
        return out
    }

    private static func templates(
        _ values: [String], _ version: PolicyDocument.Version, where isValid: (Template) -> Bool = { $0.isBounded }
    ) throws(Refusal) -> [Template] {
        try each(values) { value in
            Template(Array(value.utf8), hasVariables: version == .of2012).flatMap { isValid($0) ? $0 : nil }
        }
    }

    private static func numbers(_ values: [String]) throws(Refusal) -> [Double] {
        try each(values) { PolicyNumber.parse(Array($0.utf8)) }
    }

    private static func moments(_ values: [String]) throws(Refusal) -> [Timestamp] {
        try each(values) { PolicyDate.parse(Array($0.utf8)) }
    }

    private static func addresses(_ values: [String], _ version: PolicyDocument.Version) throws(Refusal) -> Test {
        let all = try templates(values, version)
        var fixed: [IPRange] = []
        for (template, value) in zip(all, values) where template.isFixed {
            guard let range = template.text(Facts()).flatMap({ IPRange($0) }) else { throw .value(value) }
            fixed.append(range)
        }
        return .addresses(all.filter { !$0.isFixed }, fixed: fixed)
    }

    private static func arn(_ text: String, _ version: PolicyDocument.Version) -> [Template]? {
        guard let parts = segments(Array(text.utf8), hasVariables: version == .of2012) else {
            // A star alone is any ARN.
            guard text == "*" else { return nil }
            return Array(repeating: text, count: 6).compactMap { Template(Array($0.utf8), hasVariables: false) }
        }
        let templates = parts.compactMap { Template(Array($0), hasVariables: version == .of2012) }
        return templates.count == parts.count && templates.allSatisfy(\.isBounded) ? templates : nil
    }

    /// The six parts of an ARN; a colon within a variable divides nothing.
    private static func segments(_ text: [UInt8], hasVariables: Bool = false) -> [ArraySlice<UInt8>]? {
        var parts: [ArraySlice<UInt8>] = []
        var start = 0
        var isInside = false
        for (place, byte) in text.enumerated() where parts.count < 5 {
            if hasVariables, byte == 0x24, place + 1 < text.count, text[place + 1] == 0x7B { isInside = true }
            if byte == 0x7D { isInside = false }
            if byte == Ascii.colon, !isInside {
                parts.append(text[start..<place])
                start = place + 1
            }
        }
        guard parts.count == 5 else { return nil }
        parts.append(text[start...])
        return parts
    }

    private static func templates(of test: Test) -> [Template] {
        switch test {
        case .texts(let values, _), .patterns(let values), .flags(let values), .addresses(let values, _): values
        case .arns(let values): values.flatMap { $0 }
        case .numbers, .moments, .binaries, .absence: []
        }
    }
}
