import Bytes
import JSON

/// The OpenAPI 3.1 document of a route table.
enum OpenAPIDocument {
    static func make(of routes: [Route], title: String, version: String, server: String) -> JSONValue {
        var paths: [JSONValue.Member] = []
        for route in routes {
            let operation = JSONValue.Member(route.method.rawValue.lowercased(), operation(route))
            if let index = paths.firstIndex(where: { $0.name == route.path.text }) {
                if case .object(let methods) = paths[index].value {
                    paths[index].value = .object(methods + [operation])
                }
            } else {
                paths.append(.init(route.path.text, .object([operation])))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": .string(title), "version": .string(version)],
            "servers": [["url": .string(server)]],
            "paths": .object(paths),
            "components": [
                "schemas": ["Problem": Problem.schema.document],
                "securitySchemes": [
                    "basic": ["type": "http", "scheme": "basic"],
                    "api_key": ["type": "apiKey", "in": "header", "name": "X-API-Key"],
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(identifier(of: route))), .init("summary", .string(route.summary)),
        ]
        var parameters = route.path.parameterNames.map { name -> JSONValue in
            ["name": .string(name), "in": "path", "required": .bool(true), "schema": ["type": "string"]]
        }
        parameters += route.query.map { parameter -> JSONValue in
            [
                "name": .string(parameter.name), "in": "query", "required": .bool(false),
                "description": .string(parameter.description), "schema": parameter.schema.document,
            ]
        }
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let request = route.request {
            members.append(.init("requestBody", ["content": ["application/json": ["schema": request.document]]]))
        }
        if route.access != .anyone, route.access != .owner {
            members.append(.init("security", [["basic": []], ["api_key": []]]))
        }
        members.append(.init("responses", responses(route)))
        return .object(members)
    }

    private static func responses(_ route: Route) -> JSONValue {
        let content: JSONValue? =
            switch route.response {
            case .json(let schema): ["application/json": ["schema": schema.document]]
            case .text(let type): .object([.init(type, ["schema": ["type": "string"]])])
            case .object: ["*/*": ["schema": ["type": "string", "format": "binary"]]]
            case .events: ["text/event-stream": ["schema": ["type": "string"]]]
            case .none: nil
            }
        func response(_ description: String) -> JSONValue {
            var members: [JSONValue.Member] = [.init("description", .string(description))]
            if let content { members.append(.init("content", content)) }
            return .object(members)
        }
        var members: [JSONValue.Member] = [.init("\(route.success)", response("Success"))]
        for other in route.otherStatuses { members.append(.init("\(other.status)", response(other.meaning))) }
        members.append(
            .init(
                "default",
                [
                    "description": "A problem (RFC 9457)",
                    "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
                ]))
        return .object(members)
    }

    /// `get_health_live`: unique, since method and template are.
    private static func identifier(of route: Route) -> String {
        let words = route.path.segments.map { segment -> String in
            switch segment {
            case .literal(let bytes):
                String(ascii: bytes.map { $0 == Ascii.dot || $0 == Ascii.dash ? Ascii.underscore : $0 })
            case .parameter(let name): "by_\(name)"
            }
        }
        return ([route.method.rawValue.lowercased()] + (words.isEmpty ? ["index"] : words)).joined(separator: "_")
    }
}
