/// An error in the form of RFC 9457, `application/problem+json`.
public struct Problem: Error, Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        /// The path of the member in the body, or the name of the parameter.
        public var field: String
        public var wanted: String
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
        let sentences = fields.map { "\($0.field.isEmpty ? "the body" : $0.field): wanted \($0.wanted)" }
        return Problem(422, "Invalid input", sentences.joined(separator: "; ") + ".", fields: fields)
    }

    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "about:blank"), .init("title", .string(title)), .init("status", .integer(Int64(status))),
            .init("detail", .string(detail)),
        ]
        if !fields.isEmpty {
            members.append(
                .init("errors", .array(fields.map { ["field": .string($0.field), "wanted": .string($0.wanted)] })))
        }
        return .object(members)
    }

    static let schema = Schema.object([
        .init("type", .string), .init("title", .string), .init("status", .integer), .init("detail", .string),
        .init("errors", .array(of: .object([.init("field", .string), .init("wanted", .string)])), required: false),
    ])
}
