import JSON

/// An error in the form of RFC 9457, `application/problem+json`.
public struct Problem: Error, Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        /// The path of the member in the body, or the name of the parameter.
        public var field: String
        public var wanted: String
        /// What was given, where it is short and may be shown.
        public var value: String?
        /// The character of the value at which it went wrong, counted from 1, where that is known.
        public var position: Int?
    }

    public var status: Int
    public var title: String
    /// One sentence for the person who sent the request.
    public var detail: String
    public var fields: [Field] = []
    /// The methods that the path has, for 405.
    var allow: [String] = []

    init(_ status: Int, _ title: String, _ detail: String, fields: [Field] = [], allow: [String] = []) {
        self.status = status
        self.title = title
        self.detail = detail
        self.fields = fields
        self.allow = allow
    }

    static func invalid(_ fields: [Field]) -> Problem {
        let sentences = fields.map { field -> String in
            let place = field.position.map { " at position \($0)" } ?? ""
            let given = field.value.map { " is \"\($0)\"" } ?? ""
            return "\(field.field.isEmpty ? "the body" : field.field)\(given)\(place): wanted \(field.wanted)"
        }
        return Problem(422, "Invalid input", sentences.joined(separator: "; ") + ".", fields: fields)
    }

    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "about:blank"), .init("title", .string(title)), .init("status", .integer(Int64(status))),
            .init("detail", .string(detail)),
        ]
        if !fields.isEmpty { members.append(.init("errors", .array(fields.map(Self.value)))) }
        return .object(members)
    }

    private static func value(of field: Field) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("field", .string(field.field)), .init("wanted", .string(field.wanted)),
        ]
        if let value = field.value { members.append(.init("value", .string(value))) }
        if let position = field.position { members.append(.init("position", .integer(Int64(position)))) }
        return .object(members)
    }

    static let schema = Schema.object([
        .init("type", .string), .init("title", .string), .init("status", .integer), .init("detail", .string),
        .init(
            "errors",
            .array(
                of: .object([
                    .init("field", .string), .init("wanted", .string), .init("value", .string, required: false),
                    .init("position", .integer, required: false),
                ])), required: false),
    ])
}
