import Bytes
import HTTPServer
import JSON
import Testing

@testable import ObjectGateway

private let echo = Schema.object([
    .init("name", .string), .init("kind", .string(choices: ["a", "b", "c"]), required: false),
    .init("count", .integer, required: false), .init("list", .array(of: .boolean), required: false),
])

private func table(log: Log = Log(level: .error)) -> RouteTable {
    RouteTable(
        [
            Route(.get, "/things", "List", access: .anyone, response: .json(.map(of: .string))) { _ in .json([:]) },
            Route(.get, "/things/special", "Special", access: .anyone, response: .json(.map(of: .string))) { _ in
                .json(["which": "literal"])
            },
            Route(.get, "/things/{name}", "One", access: .anyone, response: .json(.map(of: .string))) { input in
                .json(["which": .string(input.parameter("name"))])
            },
            Route(.delete, "/things/{name}", "Remove", access: .anyone, success: 204, response: .none) { _ in .empty },
            Route(
                .post, "/things", "Make", access: .anyone, request: echo, success: 201,
                response: .json(.map(of: .string))
            ) { input in .json(input.body, status: 201) },
            Route(.get, "/fails", "Fails", access: .anyone, response: .none) { _ in throw Broken() },
        ], log: log)
}

private struct Broken: Error { let secret = "inner detail" }

@Suite struct RouteTableTests {
    private func answer(_ method: String, _ target: String, _ body: String = "") async throws -> Response {
        await table().handle(try plainRequest(method, target, body: body)).response
    }

    @Test(arguments: [
        ("/things/x", "x"), ("/things/special", "literal"), ("/things/a%20b%2Fc", "a b/c"), ("/things/x?y=1", "x"),
        ("/things/x/", "x"),
    ])
    func `a parameter is one decoded segment, and a literal goes before it`(target: String, which: String) async throws
    {
        let answer = try await answer("GET", target)
        #expect(answer.status == 200 && answer.json?["which"]?.string == which)
    }

    @Test(arguments: ["/", "/thing", "/things/a/b", "/THINGS"])
    func `an unknown path is a 404 problem`(target: String) async throws {
        let answer = try await answer("GET", target)
        #expect(answer.status == 404 && answer.field("content-type") == "application/problem+json")
        #expect(answer.json?["status"]?.integer == 404)
    }

    @Test func `a known path with another method is 405 and says which it takes`() async throws {
        let put = try await answer("PUT", "/things/x")
        #expect(put.status == 405 && put.field("allow") == "GET, DELETE, HEAD")
        let brew = try await answer("BREW", "/things")
        #expect(brew.status == 405 && brew.field("allow") == "GET, POST, HEAD")
    }

    @Test(arguments: ["/things/%", "/things/%zz", "/things/%00"])
    func `a path that cannot be decoded is 400`(target: String) async throws {
        #expect(try await answer("GET", target).status == 400)
    }

    @Test func `HEAD answers as GET without the body`() async throws {
        let answer = try await answer("HEAD", "/things/x")
        #expect(answer.status == 200)
        guard case .headOnly(let length) = answer.body else {
            Issue.record("a body")
            return
        }
        #expect(length == UInt64("{\"which\":\"x\"}".utf8.count))
    }

    @Test(arguments: [
        ("{}", "name"), ("{\"name\":1}", "name"), ("{\"name\":\"x\",\"kind\":\"d\"}", "kind"),
        ("{\"name\":\"x\",\"count\":1.5}", "count"), ("{\"name\":\"x\",\"list\":[true,1]}", "list[1]"),
        ("{\"name\":\"x\",\"other\":1}", "other"), ("[]", ""), ("", "name"),
    ])
    func `a body that does not fit is 422 and names the field`(body: String, field: String) async throws {
        let answer = try await answer("POST", "/things", body)
        #expect(answer.status == 422)
        #expect(answer.json?["errors"]?.array?.first?["field"]?.string == field)
    }

    @Test(arguments: ["{", "nul", "{\"a\":}", "\u{FEFF}x", String(repeating: "[", count: 100_000)])
    func `a body that is no JSON is 400`(body: String) async throws {
        #expect(try await answer("POST", "/things", body).status == 400)
    }

    @Test func `a body above the limit is 413`() async throws {
        let answer = try await answer("POST", "/things", String(repeating: " ", count: (1 << 20) + 1))
        #expect(answer.status == 413)
    }

    @Test func `a body that fits reaches the handler`() async throws {
        let answer = try await answer(
            "POST", "/things", "{\"name\":\"é\\u0000\",\"kind\":\"b\",\"count\":-3,\"list\":[true]}")
        #expect(answer.status == 201 && answer.json?["name"]?.string == "é\u{0}")
        #expect(answer.json?["count"]?.integer == -3)
    }

    @Test func `a handler that fails is a 500 that tells nothing, and a log line that tells all`() async throws {
        let request = try plainRequest("GET", "/fails")
        let lines = await loggedAsync { log in
            let answer = await table(log: log).handle(request).response
            #expect(answer.status == 500)
            #expect(answer.json?["detail"]?.string?.contains("inner") == false)
        }
        #expect(lines.contains("inner detail") && lines.contains("/fails"))
    }
}

@Suite struct OpenAPIDocumentTests {
    private func tables() -> [RouteTable] {
        let log = Log(level: .error)
        return [
            ServicesRoutes.table(
                metrics: Metrics(operations: []), readiness: Readiness([]), log: log, pool: storePool,
                publicURL: "http://h", version: "1"),
            table(),
        ]
    }

    @Test func `the document lists every route of its table and is valid JSON`() throws {
        for table in tables() {
            let made = OpenAPIDocument.make(of: table.routes, title: "t", version: "1", server: "/")
            let read = try #require(JSONValue(parsing: made.text))
            #expect(read["openapi"]?.string == "3.1.0")
            for route in table.routes {
                let operation = read["paths"]?[route.path.text]?[route.method.rawValue.lowercased()]
                #expect(operation?["summary"]?.string == route.summary, "\(route.method) \(route.path.text)")
                #expect(operation?["responses"]?["\(route.success)"] != nil)
                #expect((operation?["requestBody"] != nil) == (route.request != nil))
                #expect(
                    (operation?["parameters"]?.array?.count ?? 0)
                        == route.path.parameterNames.count + route.query.count)
            }
        }
    }

    @Test func `operation ids are unique`() {
        for table in tables() {
            let made = OpenAPIDocument.make(of: table.routes, title: "t", version: "1", server: "/")
            var ids: Set<String> = []
            for route in table.routes {
                let id = made["paths"]?[route.path.text]?[route.method.rawValue.lowercased()]?["operationId"]?.string
                #expect(id.map { ids.insert($0).inserted } == true)
            }
        }
    }

    @Test func `the services listener serves its own document, and metrics as text`() async throws {
        let table = tables()[0]
        let document = await table.handle(try plainRequest("GET", "/openapi.json")).response
        #expect(document.json?["paths"]?["/health/ready"]?["get"]?["responses"]?["503"] != nil)
        let metrics = await table.handle(try plainRequest("GET", "/metrics")).response
        #expect(metrics.field("content-type") == "text/plain; version=0.0.4; charset=utf-8")
    }
}

@Suite struct ReadinessTests {
    @Test func `one failed check makes the gateway not ready, and says which`() async {
        let answer = await Readiness([
            .init(name: "metadata", failure: { nil }), .init(name: "disk", failure: { "full" }),
        ]).answer()
        #expect(answer.status == 503 && answer.value?["status"]?.string == "not_ready")
        #expect(answer.value?["checks"]?["metadata"]?["status"]?.string == "ok")
        #expect(answer.value?["checks"]?["disk"]?["reason"]?.string == "full")
    }

    @Test func `a gateway that stops is not ready`() async {
        let readiness = Readiness([])
        #expect(await readiness.answer().status == 200)
        readiness.stop()
        #expect(await readiness.answer().status == 503)
    }
}

@Suite struct JSONValueTests {
    @Test func `what is written is read again`() throws {
        let value: JSONValue = [
            "a": .array([.null, .bool(true), .integer(.min), .number(0.5), "\u{0}\"\\\n\u{2028}é🎉"]), "b": [:], "c": [],
        ]
        #expect(JSONValue(parsing: value.text) == value)
    }
}
