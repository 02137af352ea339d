import Bytes
import HTTPServer
import JSON

/// One entry of a route table: what is needed to route a request, to check it, to answer it, and to document it.
struct Route: Sendable {
    enum Method: String, Sendable, CaseIterable {
        case get = "GET", put = "PUT", post = "POST", patch = "PATCH", delete = "DELETE"
    }

    /// Who may call a route.
    enum Access: Sendable, Equatable {
        /// Whoever reaches the listener.
        case anyone
        /// Users who may read, by `ServicesAuthenticator`.
        case reader
        /// Users who may read and write.
        case editor
        /// Users with the policy admin.
        case administrator
        /// Whoever may open the control socket, which only the owner of the data folder may.
        case owner
    }

    enum Content: Sendable {
        case json(Schema)
        /// Another content type, as text.
        case text(String)
        /// `text/event-stream`: server-sent events (HTML, section 9.2).
        case events
        /// The bytes of an object, of its own type.
        case object
        case none
    }

    /// A parameter of the query. The handler checks it.
    struct QueryParameter: Sendable {
        let name: String
        let schema: Schema
        let description: String

        init(_ name: String, _ schema: Schema, _ description: String) {
            (self.name, self.schema, self.description) = (name, schema, description)
        }
    }

    let method: Method
    let path: PathTemplate
    let summary: String
    let access: Access
    let query: [QueryParameter]
    /// The JSON body that the route takes; nil for none.
    let request: Schema?
    /// The status of success and what it carries.
    let success: Int
    let response: Content
    /// Statuses beside the success that are no problem documents, with what they mean: 503 of a readiness check.
    let otherStatuses: [(status: Int, meaning: String)]
    let handler: @Sendable (RouteInput) async throws -> RouteAnswer

    init(
        _ method: Method, _ path: PathTemplate, _ summary: String, access: Access, query: [QueryParameter] = [],
        request: Schema? = nil, success: Int = 200, response: Content,
        otherStatuses: [(status: Int, meaning: String)] = [],
        handler: @escaping @Sendable (RouteInput) async throws -> RouteAnswer
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.query = query
        self.request = request
        self.success = success
        self.response = response
        self.otherStatuses = otherStatuses
        self.handler = handler
    }

    /// The same for the control socket, whose callers own the store.
    func forOwner() -> Route {
        Route(
            method, path, summary, access: .owner, query: query, request: request, success: success,
            response: response, otherStatuses: otherStatuses, handler: handler)
    }
}

/// A path with parameters: `/users/{name}/disable`. A parameter is one whole segment, decoded, never empty.
struct PathTemplate: Sendable, ExpressibleByStringLiteral {
    enum Segment: Sendable, Equatable {
        case literal([UInt8])
        case parameter(String)
    }

    let text: String
    let segments: [Segment]

    init(stringLiteral text: String) {
        self.text = text
        segments = text.utf8.split(separator: Ascii.slash).map { segment in
            segment.first == 0x7B && segment.last == 0x7D
                ? .parameter(String(ascii: segment.dropFirst().dropLast())) : .literal([UInt8](segment))
        }
    }

    var parameterNames: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// The parameters where the decoded segments fit; nil where they do not.
    func match(_ path: [[UInt8]]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, given) in zip(segments, path) {
            switch segment {
            case .literal(let literal): if literal != given { return nil }
            case .parameter(let name):
                guard !given.isEmpty else { return nil }
                parameters[name] = String(ascii: given)
            }
        }
        return parameters
    }
}

/// What a handler is given.
struct RouteInput: Sendable {
    /// The template's parameters, decoded.
    var parameters: [String: String]
    /// The body, which fits the route's schema; null without one.
    var body: JSONValue
    /// The query, decoded.
    var query: QueryParameters = .none
    /// Who sent it, where the route asks; nil for the owner of the store.
    var caller: Caller?
    /// Of the request; nil for one that did not come over HTTP.
    var head: RequestHead?
    /// The last event that a client has which comes back to a stream.
    var lastEventID: [UInt8]?

    /// The parameter of a name that the template has.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }
}

/// What a handler answers.
struct RouteAnswer: Sendable {
    var status: Int
    var contentType: StaticString
    var body: [UInt8]
    /// The JSON that `body` is made of, for callers in the same process.
    var value: JSONValue?
    /// Sent in place of `body`, as long as it writes.
    var stream: (@Sendable (BodyWriter) async throws -> Void)?
    /// Sent in place of all of it, but for what every answer carries.
    var response: Response?

    static func json(_ value: JSONValue, status: Int = 200) -> RouteAnswer {
        RouteAnswer(status: status, contentType: "application/json", body: value.text, value: value)
    }

    static func text(_ body: [UInt8], contentType: StaticString) -> RouteAnswer {
        RouteAnswer(status: 200, contentType: contentType, body: body)
    }

    static func events(_ stream: @escaping @Sendable (BodyWriter) async throws -> Void) -> RouteAnswer {
        RouteAnswer(status: 200, contentType: "text/event-stream", body: [], stream: stream)
    }

    /// An object, as a read of it answers.
    static func object(_ response: Response) -> RouteAnswer {
        RouteAnswer(status: response.status, contentType: "application/octet-stream", body: [], response: response)
    }

    static let empty = RouteAnswer(status: 204, contentType: "application/json", body: [])
}
