import Bytes
import Hooks
import JSON
import Metadata
import Testing

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct HookRoutesTests {
    private static let path = "/api/buckets/photos/hooks"
    private static func document(_ name: String, _ more: String = "") -> String {
        #"{"hooks": [{"name": "\#(name)", "on": "object.created", \#(more)"steps": {"a": {"probe": true}}}]}"#
    }

    @Test func `hooks are set, shown, replaced over a known revision only, and taken away`() async throws {
        let scene = try await RouteScene()
        let none = try await scene.ask("GET", Self.path)
        #expect(none["revision"]?.integer == 0 && none["configuration"] == ["hooks": []])
        let first = try await scene.ask("PUT", "\(Self.path)?revision=0", body: Self.document("first"))
        let revision = try #require(first["revision"]?.integer)
        let shown = try await scene.ask("GET", Self.path)
        #expect(shown["revision"]?.integer == revision)
        #expect(shown["configuration"] == JSONValue(parsing: bytes(Self.document("first"))))
        let stale = try await scene.send("PUT", "\(Self.path)?revision=0", body: Self.document("second"))
        #expect(stale.status == 409)
        #expect(try await scene.send("PUT", "\(Self.path)?revision=x", body: Self.document("second")).status == 422)
        let second = try await scene.ask("PUT", "\(Self.path)?revision=\(revision)", body: Self.document("second"))
        #expect(try #require(second["revision"]?.integer) > revision)
        #expect(try await scene.send("DELETE", "\(Self.path)?revision=\(revision)").status == 409)
        try await scene.ask("DELETE", Self.path)
        #expect(try await scene.ask("GET", Self.path)["configuration"] == ["hooks": []])
        #expect(try await scene.engine.hooks.rules(of: scene.bucket.id) == nil)
        await scene.store.close()
    }

    @Test func `only administrators come near hooks, and only those of a bucket that is there`() async throws {
        let scene = try await RouteScene()
        for user in ["anna", "emil"] {
            #expect(try await scene.send("GET", Self.path, as: user).status == 403)
            #expect(try await scene.send("PUT", Self.path, as: user, body: Self.document("x")).status == 403)
        }
        #expect(try await scene.send("GET", Self.path, as: nil).status == 401)
        #expect(try await scene.send("PUT", "/api/buckets/nobody/hooks", body: Self.document("x")).status == 404)
        #expect(try await scene.send("GET", "/api/buckets/No/hooks").status == 422)
        // The owner of the store needs no credentials on the control socket.
        let answer = await scene.control.handle(try scene.request("GET", Self.path, as: nil)).response
        #expect(answer.status == 200)
        await scene.store.close()
    }

    @Test func `hooks with faults are refused with all of them, and change nothing`() async throws {
        let scene = try await RouteScene()
        try await scene.ask("PUT", Self.path, body: Self.document("good"))
        let bad = Self.document("bad name", #""priority": 1000, "notify": "webhook:unknown", "#)
        let refused = try await scene.send("PUT", Self.path, body: bad)
        #expect(refused.status == 422 && refused.field("content-type") == "application/problem+json")
        let errors = try #require(refused.json?["errors"]?.array)
        #expect(
            errors.compactMap { $0["field"]?.string }.sorted() == [
                "hooks[0].name", "hooks[0].notify[0]", "hooks[0].priority",
            ])
        #expect(errors.first { $0["field"]?.string == "hooks[0].priority" }?["value"]?.string == "1000")
        let told = try await scene.ask("POST", "\(Self.path)/validate", body: bad)
        #expect(told["valid"]?.bool == false && told["faults"]?.array?.count == 3)
        #expect(told["faults"]?.array?.allSatisfy { $0["wanted"]?.string?.isEmpty == false } == true)
        #expect(try await scene.ask("POST", "\(Self.path)/validate", body: Self.document("x"))["valid"]?.bool == true)
        let kept = try await scene.ask("GET", Self.path)["configuration"]
        #expect(kept == JSONValue(parsing: bytes(Self.document("good"))))
        await scene.store.close()
    }

    @Test func `a dry run says which hooks run, why others do not, and sets nothing off`() async throws {
        let scene = try await RouteScene()
        try await scene.put("in/a.png", type: "image/png")
        try await scene.ask(
            "PUT", Self.path,
            body: #"""
                {"hooks": [
                  {"name": "picture", "on": "object.created", "when": {"mime": "image/*", "customer": "acme"},
                   "steps": {"a": {"preview": true}, "b": {"deliver": "https://example.com/", "after": "a"}}},
                  {"name": "off", "enabled": false, "on": "object.created", "steps": {"a": {"probe": true}}},
                  {"name": "gone", "on": "object.removed", "steps": {"a": {"deliver": "https://example.com/"}}}]}
                """#)
        let answer = try await scene.ask("POST", "\(Self.path)/dry-run", body: #"{"key": "in/a.png"}"#)
        #expect(answer["is_there"]?.bool == true && answer["event"]?.string == "s3:ObjectCreated:Put")
        #expect(answer["object"]?["content_type"]?.string == "image/png")
        let hooks = try #require(answer["hooks"]?.array)
        #expect(hooks.map { $0["runs"]?.bool } == [true, false, false])
        #expect(hooks[0]["steps"]?.array?.map { $0["after"]?.string } == [nil, "a"])
        #expect(hooks[1]["reason"]?.string == "it is disabled")
        #expect(hooks[2]["reason"]?.string?.contains("not among its events") == true)
        let removal = try await scene.ask(
            "POST", "\(Self.path)/dry-run", body: #"{"key": "in/a.png", "event": "s3:ObjectRemoved:*"}"#)
        #expect(removal["hooks"]?.array?.map { $0["runs"]?.bool } == [false, false, true])
        let other = try await scene.ask(
            "POST", "\(Self.path)/dry-run",
            body: #"{"key": "new.txt", "content_type": "text/plain", "configuration": \#(Self.document("only"))}"#)
        #expect(other["is_there"]?.bool == false)
        #expect(other["hooks"]?.array?.map { $0["name"]?.string } == ["only"])
        for body in [#"{"key": "k", "event": "object.eaten"}"#, #"{"key": ""}"#, #"{"key": "k", "configuration": 1}"#] {
            #expect(try await scene.send("POST", "\(Self.path)/dry-run", body: body).status == 422, "\(body)")
        }
        #expect(try await scene.engine.store.events(after: 0, limit: 10).isEmpty)
        await scene.store.close()
    }

    @Test func `a backfill sets hooks off for what is there, page by page, once for each`() async throws {
        let scene = try await RouteScene()
        for index in 0..<1_100 { try await scene.put("in/\(index)", type: index == 7 ? "text/plain" : "image/png") }
        try await scene.put("out/1", type: "image/png")
        #expect(try await scene.send("POST", "\(Self.path)/backfill").status == 409)
        try await scene.setHooks(#""when": {"mime": "image/*"}, "#)
        #expect(try await scene.send("POST", "\(Self.path)/backfill", body: #"{"hook": "x"}"#).status == 422)
        #expect(try await scene.send("POST", "\(Self.path)/backfill", body: #"{"after": "x"}"#).status == 422)
        var (made, scanned, next, pages): (Int64, Int64, String?, Int) = (0, 0, nil, 0)
        repeat {
            let after = next.map { #", "after": "\#($0)""# } ?? ""
            let page = try await scene.ask(
                "POST", "\(Self.path)/backfill", body: #"{"hook": "h", "prefix": "in/"\#(after)}"#)
            made += page["made"]?.integer ?? 0
            scanned += page["scanned"]?.integer ?? 0
            next = page["next"]?.string
            pages += 1
        } while next != nil
        #expect(scanned == 1_100 && made == 1_099 && pages == 3)
        let events = try await scene.engine.store.events(after: 0, limit: 2_000)
        #expect(Set(events.map(\.key.text)).count == 1_099 && events.count == 1_099)
        #expect(events.allSatisfy { $0.draft.principal == "boss" && $0.draft.customer == "acme" })
        // The job of an object that is there can end well.
        try await scene.engine.start()
        try await scene.complete(try await scene.claim())
        await scene.store.close()
    }

    @Test func `a replay sets the hooks of kept events off again, once, as they are now`() async throws {
        let scene = try await RouteScene()
        try await scene.setHooks()
        for index in 0..<3 { try await scene.put("k\(index)") }
        try await scene.setHooks(#""queue": "slow", "#)
        let revision = try await scene.ask("GET", Self.path)["revision"]?.integer
        let answer = try await scene.ask("POST", "\(Self.path)/replay", body: #"{"since": "1h"}"#)
        #expect(answer["made"]?.integer == 3 && answer["next"] == .null)
        let events = try await scene.engine.store.events(after: 0, limit: 100)
        #expect(events.count == 6 && events.suffix(3).allSatisfy { $0.draft.revision == revision })
        #expect(events.prefix(3).map(\.sequence) == events.suffix(3).map(\.sequence))
        let future = #"{"since": "2999-01-01T00:00:00Z"}"#
        #expect(try await scene.ask("POST", "\(Self.path)/replay", body: future)["made"]?.integer == 0)
        for body in [#"{"since": "yesterday"}"#, "{}"] {
            #expect(try await scene.send("POST", "\(Self.path)/replay", body: body).status == 422)
        }
        await scene.store.close()
    }

    @Test func `hooks that are set anew keep the bindings of the notification configuration`() async throws {
        let scene = try await RouteScene()
        let binding = #"{"id": "b", "hook": "first", "on": ["s3:ObjectTagging:*"], "prefix": "", "suffix": ""}"#
        let bound = String(Self.document("first").dropLast()) + #", "bindings": [\#(binding)]}"#
        try await scene.ask("PUT", Self.path, body: bound)
        try await scene.ask("PUT", Self.path, body: Self.document("first", #""priority": 5, "#))
        let rules = try #require(try await scene.engine.hooks.rules(of: scene.bucket.id))
        #expect(rules.configuration.bindings.map(\.id) == ["b"] && rules.configuration.hooks[0].priority == 5)
        #expect(try await scene.ask("GET", Self.path)["configuration"]?["bindings"]?.array?.count == 1)
        // They would name nothing.
        let refused = try await scene.send("PUT", Self.path, body: Self.document("other"))
        #expect(refused.json?["errors"]?.array?.map { $0["field"]?.string } == ["bindings[0].hook"])
        let none = String(Self.document("other").dropLast()) + #", "bindings": []}"#
        #expect(try await scene.send("PUT", Self.path, body: none).status == 200)
        await scene.store.close()
    }

    @Test func `an event from outside is heard by the hooks of an object that is there`() async throws {
        let scene = try await RouteScene()
        try await scene.put("in/a", by: "anna")
        try await scene.setHooks()
        func tell(_ key: String, _ event: String = "file-saved", as user: String = "emil") async throws -> Response {
            try await scene.send(
                "POST", "/api/events", as: user,
                body: #"{"event": "\#(event)", "bucket": "photos", "key": "\#(key)"}"#)
        }
        let answer = try await tell("in/a")
        #expect(answer.status == 202 && answer.json?["hooks"] == ["h"])
        let events = try await scene.engine.store.events(after: 0, limit: 10)
        #expect(events.map(\.draft.principal) == ["emil"] && events.map(\.key.text) == ["in/a"])
        #expect(try await tell("in/a", as: "anna").status == 403)
        #expect(try await tell("in/a", as: "otto").status == 404)
        #expect(try await tell("in/b").status == 404)
        #expect(try await tell("in/a", "file-deleted").status == 409)
        #expect(try await tell("in/a", "eaten").status == 422)
        #expect(try await scene.engine.store.events(after: 0, limit: 10).count == 1)
        await scene.store.close()
    }
}
