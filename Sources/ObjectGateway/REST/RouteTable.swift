import Bytes
import HTTPServer
import JSON
import Metadata
import Policies

/// Routes of one listener: finds the route, checks the input, and answers errors as problem documents.
struct RouteTable: Sendable {
    let routes: [Route]
    private let log: Log
    /// Nil where no route asks who calls.
    private let authenticator: ServicesAuthenticator?
    /// What is said of a path that no route has.
    private let elsewhere: Problem
    /// The most bytes of a JSON body.
    private static let bodySizeMax = 1 << 20

    init(
        _ routes: [Route], log: Log, authenticator: ServicesAuthenticator? = nil,
        elsewhere: Problem = Problem(404, "Not found", "There is nothing under this path.")
    ) {
        self.routes = routes
        self.log = log
        self.authenticator = authenticator
        self.elsewhere = elsewhere
    }

    /// What was found for a path: the route, or the problem with the template where one matches.
    enum Match {
        case route(Route, [String: String])
        case problem(Problem, endpoint: String)
    }

    /// `path` is the raw path; it is decoded here, once. HEAD counts as GET.
    func match(method: String, path: ArraySlice<UInt8>) -> Match {
        var segments: [[UInt8]] = []
        for segment in path.split(separator: Ascii.slash) {
            guard let decoded = PercentEncoding.decode(segment), !decoded.contains(0) else {
                return .problem(
                    Problem(400, "Bad path", "The path is not valid percent-encoding."), endpoint: "unmatched")
            }
            segments.append(decoded)
        }
        let fitting = routes.compactMap { route in route.path.match(segments).map { (route, $0) } }
        let wanted = method == "HEAD" ? "GET" : method
        // A literal segment goes before a parameter: routes of a table stand in that order.
        if let (route, parameters) = fitting.first(where: { $0.0.method.rawValue == wanted }) {
            return .route(route, parameters)
        }
        guard let template = fitting.first?.0.path.text else {
            return .problem(elsewhere, endpoint: "unmatched")
        }
        var allow = fitting.map { $0.0.method.rawValue }
        if allow.contains("GET") { allow.append("HEAD") }
        let detail = "This path takes \(allow.joined(separator: ", "))."
        return .problem(Problem(405, "Method not allowed", detail, allow: allow), endpoint: template)
    }

    /// Answers a request that did not come over HTTP.
    func answer(method: String, path: String, body: JSONValue) async -> RouteAnswer {
        let parts = path.utf8.split(separator: Ascii.question, maxSplits: 1)
        switch match(method: method, path: [UInt8](parts.first ?? path.utf8[...])[...]) {
        case .problem(let problem, _): return Self.answer(problem)
        case .route(let route, let parameters):
            let query = parts.count > 1 ? try? QueryParameters([UInt8](parts[1])[...]) : QueryParameters.none
            guard let query else { return Self.answer(Self.badQuery) }
            return await run(route, RouteInput(parameters: parameters, body: body, query: query))
        }
    }

    func handle(_ request: Request) async -> (response: Response, endpoint: String) {
        let method = String(ascii: request.head.methodBytes)
        switch match(method: method, path: request.head.path) {
        case .problem(let problem, let endpoint):
            return (Self.response(Self.answer(problem), allow: problem.allow, method: method), endpoint)
        case .route(let route, let parameters):
            let answer: RouteAnswer
            do {
                let caller = try await caller(of: request, for: route)
                guard let query = try? QueryParameters(request.head.query) else {
                    throw Self.badQuery
                }
                let body = route.request == nil ? JSONValue.null : try await Self.body(of: request)
                answer = await run(
                    route,
                    RouteInput(
                        parameters: parameters, body: body, query: query, caller: caller, head: request.head,
                        lastEventID: request.head.first("last-event-id").map { [UInt8]($0) }))
            } catch let problem as Problem {
                answer = Self.answer(problem)
            } catch {
                answer = Self.answer(Problem(400, "Bad request", "The body could not be read."))
            }
            return (Self.response(answer, method: method), route.path.text)
        }
    }

    private static let badQuery = Problem(400, "Bad query", "The query is not valid percent-encoding.")

    /// Nil for a route that does not ask.
    private func caller(of request: Request, for route: Route) async throws -> Caller? {
        if route.access == .anyone || route.access == .owner { return nil }
        guard let authenticator else { throw Problem(403, "Forbidden", "Nobody may call this path here.") }
        let caller: Caller
        do { caller = try await authenticator.authenticate(request.head) } catch let error as MetadataError {
            log.event("users_unreadable", level: .error, ["error": .failure(error)])
            throw Problem(503, "Unavailable", "The users cannot be read now; try again.")
        }
        if let lacking = Self.right(that: caller, lacksFor: route.access) {
            throw Problem(
                403, "Forbidden", "The policy \(caller.policy?.rawValue ?? "") does not let this user \(lacking).")
        }
        return caller
    }

    /// Nil where nothing is lacking.
    static func right(that caller: Caller, lacksFor access: Route.Access) -> String? {
        switch access {
        case .anyone, .owner: nil
        case .reader: caller.allows(.getObject) ? nil : "read"
        case .editor:
            caller.allows(.getObject) && caller.allows(.deleteObject)
                ? nil : "change this"
        case .administrator: caller.policy == .admin ? nil : "administer the gateway"
        }
    }

    private func run(_ route: Route, _ input: RouteInput) async -> RouteAnswer {
        do {
            if let schema = route.request {
                var errors: [Problem.Field] = []
                schema.check(input.body, at: "", into: &errors)
                if !errors.isEmpty { throw Problem.invalid(errors) }
            }
            return try await route.handler(input)
        } catch let problem as Problem {
            return Self.answer(problem)
        } catch MetadataError.unavailable(let reason), MetadataError.overloaded(let reason) {
            log.event(
                "route_unavailable", level: .warning,
                ["endpoint": .text(route.path.text), "method": .text(route.method.rawValue), "reason": .text(reason)])
            return Self.answer(Problem(503, "Unavailable", "The store cannot be reached now; try again."))
        } catch {
            log.event(
                "route_failed", level: .error,
                ["endpoint": .text(route.path.text), "method": .text(route.method.rawValue), "error": .failure(error)])
            return Self.answer(Problem(500, "Internal error", "The request failed; the log tells more."))
        }
    }

    static func body(of request: Request) async throws -> JSONValue {
        var bytes: [UInt8] = []
        while try await request.body.read({ piece in
            guard bytes.count + piece.count <= bodySizeMax else {
                throw Problem(413, "Body too large", "A JSON body has at most \(bodySizeMax) bytes.")
            }
            for index in piece.indices { bytes.append(piece[index]) }
        }) {}
        if bytes.isEmpty { return .object([]) }
        guard let value = JSONValue(parsing: bytes) else {
            throw Problem(400, "Not JSON", "The body is not valid JSON.")
        }
        return value
    }

    private static func answer(_ problem: Problem) -> RouteAnswer {
        let document = problem.document
        return RouteAnswer(
            status: problem.status, contentType: "application/problem+json", body: document.text, value: document)
    }

    private static func response(_ answer: RouteAnswer, allow: [String] = [], method: String) -> Response {
        if var response = answer.response {
            // A foreign file is shown in no page of this origin.
            response.headers.add("x-content-type-options", "nosniff")
            response.headers.add("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
            return response
        }
        var headers = HeaderBlock()
        headers.add("cache-control", "no-store")
        headers.add("x-content-type-options", "nosniff")
        if !allow.isEmpty { headers.add("allow", allow.joined(separator: ", ")) }
        if answer.status == 401 { headers.add("www-authenticate", "Basic realm=\"ObjectGateway\", charset=\"UTF-8\"") }
        if answer.status == 503 { headers.add("retry-after", "1") }
        if answer.status == 204 { return Response(status: 204, headers: headers) }
        headers.add("content-type", answer.contentType.description)
        if let stream = answer.stream {
            // A proxy that gathers what it passes on would hold events back.
            headers.add("x-accel-buffering", "no")
            return Response(
                status: answer.status, headers: headers,
                body: method == "HEAD" ? .headOnly(length: 0) : .stream(length: nil, stream))
        }
        return Response(
            status: answer.status, headers: headers,
            body: method == "HEAD" ? .headOnly(length: UInt64(answer.body.count)) : .bytes(answer.body))
    }
}
