/// The members of one object that was read, and where it stands. A member that is null counts as absent. Every error names the
/// path of what is wrong.
public struct JSONMembers: Sendable {
    /// The object's path: `hooks[0].when`; empty for the root.
    public let path: String
    private let members: [JSONValue.Member]
    private let secrets: Set<String>

    /// Throws where `value` is no object, or has a member that is not among `names`. Values of the members named in `secrets`
    /// are shown in no error.
    public init(
        _ value: JSONValue, of names: [String], at path: String, secrets: Set<String> = []
    ) throws(JSONFault) {
        let list = names.joined(separator: ", ")
        guard case .object = value else { throw JSONFault(path: path, wanted: "an object with members among \(list)") }
        try self.init(anyOf: value, at: path, secrets: secrets)
        for member in members where !names.contains(member.name) {
            throw JSONFault(path: Self.join(path, member.name), wanted: "no such member, only those among \(list)")
        }
    }

    /// An object whose members' names are the caller's to judge.
    public init(anyOf value: JSONValue, at path: String, secrets: Set<String> = []) throws(JSONFault) {
        // The value is not repeated: a secret may stand in it.
        guard case .object(let members) = value else { throw JSONFault(path: path, wanted: "an object") }
        self.members = members.filter { $0.value != .null }
        self.path = path
        self.secrets = secrets
    }

    /// In the order of the document, or of their names where it was read from text.
    public var names: [String] { members.map(\.name) }

    public func has(_ name: String) -> Bool { self[name] != nil }

    public subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

    public func path(of name: String) -> String { Self.join(path, name) }

    public func fault(_ name: String, wanted: String) -> JSONFault {
        let given = secrets.contains(name) ? nil : self[name].flatMap(Self.shown)
        return JSONFault(path: path(of: name), value: given, wanted: wanted)
    }

    // MARK: Values

    public func required(_ name: String, wanted: String) throws(JSONFault) -> JSONValue {
        guard let value = self[name] else { throw fault(name, wanted: wanted) }
        return value
    }

    public func text(_ name: String, wanted: String) throws(JSONFault) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw fault(name, wanted: wanted) }
        return text
    }

    public func requiredText(_ name: String, wanted: String) throws(JSONFault) -> String {
        guard let text = try text(name, wanted: wanted) else { throw fault(name, wanted: wanted) }
        return text
    }

    public func flag(_ name: String) throws(JSONFault) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.bool else { throw fault(name, wanted: "true or false") }
        return flag
    }

    public func integer(_ name: String, in range: ClosedRange<Int64>) throws(JSONFault) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw fault(name, wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public func number(_ name: String, in range: ClosedRange<Double>) throws(JSONFault) -> Double? {
        guard let value = self[name] else { return nil }
        guard let number = value.number, range.contains(number) else {
            throw fault(name, wanted: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// One of `choices`, by the name of its raw value.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ choices: Choice.Type = Choice.self
    ) throws(JSONFault) -> Choice? where Choice.RawValue == String {
        guard let value = self[name] else { return nil }
        guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
            throw fault(name, wanted: Choice.allCases.map(\.rawValue).joined(separator: ", ").namingChoices())
        }
        return choice
    }

    /// The items of a list with the path of each; none where the member is absent.
    public func list(_ name: String, countMax: Int) throws(JSONFault) -> [(path: String, value: JSONValue)] {
        guard let value = self[name] else { return [] }
        guard let items = value.array, items.count <= countMax else {
            throw JSONFault(path: path(of: name), wanted: "a list of at most \(countMax) items")
        }
        return items.enumerated().map { (path: "\(path(of: name))[\($0.offset)]", value: $0.element) }
    }

    /// A text, or a list of texts.
    public func texts(_ name: String, countMax: Int, wanted: String) throws(JSONFault) -> [(path: String, text: String)]
    {
        guard let value = self[name] else { return [] }
        if let text = value.string { return [(path: path(of: name), text: text)] }
        var texts: [(path: String, text: String)] = []
        for item in try list(name, countMax: countMax) {
            guard let text = item.value.string else { throw JSONFault(path: item.path, wanted: wanted) }
            texts.append((path: item.path, text: text))
        }
        return texts
    }

    // MARK: Words

    private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// Short texts and numbers only.
    private static func shown(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): String(text.prefix(200))
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .null, .array, .object: nil
        }
    }
}

extension String {
    /// `a, b, c` read aloud: `a, b or c`.
    public func namingChoices() -> String {
        guard let comma = lastIndex(of: ",") else { return self }
        return self[..<comma] + " or" + self[index(after: comma)...]
    }
}
