import JSON

/// What a JSON value must look like. Requests are checked against it, and the OpenAPI document shows it.
indirect enum Schema: Sendable {
    case string(choices: [String] = [], description: String? = nil)
    /// Shown as a password in documents.
    case secret(description: String)
    case integer
    case number
    case boolean
    case array(of: Schema)
    /// A member that is not listed is refused in requests.
    case object([Property])
    /// An object with members of any name.
    case map(of: Schema)
    /// Any value; the handler checks it.
    case any(description: String)

    struct Property: Sendable {
        var name: String
        var schema: Schema
        var isRequired: Bool

        init(_ name: String, _ schema: Schema, required: Bool = true) {
            self.name = name
            self.schema = schema
            isRequired = required
        }
    }

    static let string = Schema.string()

    /// Appends what is wrong with `value`. `place` is its path: `steps.mark.scale`, empty for the whole body.
    /// The depth is that of the schema.
    func check(_ value: JSONValue, at place: String, into errors: inout [Problem.Field]) {
        switch (self, value) {
        case (.string(let choices, _), .string(let text)):
            if !choices.isEmpty, !choices.contains(text) {
                errors.append(.init(field: place, wanted: choices.joined(separator: ", ").namingChoices()))
            }
        case (.any, _): break
        case (.secret, .string), (.integer, .integer), (.number, .integer), (.number, .number), (.boolean, .bool): break
        case (.array(let element), .array(let values)):
            for (index, value) in values.enumerated() {
                element.check(value, at: "\(place)[\(index)]", into: &errors)
            }
        case (.map(let element), .object(let members)):
            for member in members { element.check(member.value, at: join(place, member.name), into: &errors) }
        case (.object(let properties), .object(let members)):
            check(members, against: properties, at: place, into: &errors)
        default: errors.append(.init(field: place, wanted: kind))
        }
    }

    private func check(
        _ members: [JSONValue.Member], against properties: [Property], at place: String,
        into errors: inout [Problem.Field]
    ) {
        for property in properties {
            // A null stands for an absent member.
            if let member = members.first(where: { $0.name == property.name }), member.value != .null {
                property.schema.check(member.value, at: join(place, property.name), into: &errors)
            } else if property.isRequired {
                errors.append(.init(field: join(place, property.name), wanted: property.schema.kind))
            }
        }
        for member in members where !properties.contains(where: { $0.name == member.name }) {
            let known = properties.map(\.name).joined(separator: ", ")
            errors.append(.init(field: join(place, member.name), wanted: "one of the fields \(known)"))
        }
    }

    private var kind: String {
        switch self {
        case .string(let choices, _):
            choices.isEmpty ? "a string" : choices.joined(separator: ", ").namingChoices()
        case .secret: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .array: "a list"
        case .object, .map: "an object"
        case .any: "a value"
        }
    }

    /// JSON Schema 2020-12, as OpenAPI 3.1 takes it.
    var document: JSONValue {
        switch self {
        case .string(let choices, let description):
            var members: [JSONValue.Member] = [.init("type", "string")]
            if !choices.isEmpty { members.append(.init("enum", .array(choices.map { .string($0) }))) }
            if let description { members.append(.init("description", .string(description))) }
            return .object(members)
        case .secret(let description):
            return ["type": "string", "format": "password", "description": .string(description)]
        case .integer: return ["type": "integer", "format": "int64"]
        case .number: return ["type": "number"]
        case .boolean: return ["type": "boolean"]
        case .any(let description): return ["description": .string(description)]
        case .array(let element): return ["type": "array", "items": element.document]
        case .map(let element): return ["type": "object", "additionalProperties": element.document]
        case .object(let properties):
            var members: [JSONValue.Member] = [
                .init("type", "object"),
                .init("properties", .object(properties.map { .init($0.name, $0.schema.document) })),
            ]
            let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
            if !required.isEmpty { members.append(.init("required", .array(required))) }
            return .object(members)
        }
    }

    private func join(_ place: String, _ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }
}
