import Bytes
import Hooks
import JSON
import Metadata
import Targets
import Testing

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct TargetRoutesTests {
    private static let path = "/api/targets/webhook:cms"

    @Test func `a target is registered, shown without its secret, listed and removed`() async throws {
        let scene = try await RouteScene()
        let made = try await scene.ask(
            "PUT", Self.path, body: #"{"url": "https://cms.example/", "secret": "s3cret"}"#)
        #expect(made["name"] == "webhook:cms" && made["has_secret"] == .bool(true) && made["state"] == "stopped")
        #expect(made["settings"] == ["url": "https://cms.example/"])
        #expect(try await scene.ask("GET", Self.path) == made)
        let list = try await scene.send("GET", "/api/targets")
        #expect(list.json?["targets"] == .array([made]))
        #expect(!String(ascii: try #require(list.json).text).contains("s3cret"))
        #expect(try await scene.send("DELETE", Self.path).status == 204)
        #expect(try await scene.send("DELETE", Self.path).status == 404)
        #expect(try await scene.send("GET", Self.path).status == 404)
        await scene.store.close()
    }

    @Test func `only administrators come near targets, and what cannot be used is refused with its path`()
        async throws
    {
        let scene = try await RouteScene()
        #expect(try await scene.send("GET", "/api/targets", as: "emil").status == 403)
        #expect(try await scene.send("GET", "/api/targets", as: nil).status == 401)
        for (name, body, field) in [
            ("webhook:cms", #"{"url": "gopher://x/"}"#, "url"), ("pigeon:x", #"{"url": "https://x/"}"#, "target"),
            ("redis:x", #"{"url": "redis://x", "key": "k", "topic": "t"}"#, "topic"),
        ] {
            let answer = try await scene.send("PUT", "/api/targets/\(name)", body: body)
            #expect(answer.status == 422)
            #expect(answer.json?["errors"]?.array?.first?["field"]?.string == field, "\(answer)")
        }
        await scene.store.close()
    }

    @Test func `hooks may name a target that is registered, which stays as long as they do`() async throws {
        let scene = try await RouteScene()
        let hooks = #"{"hooks": [{"name": "h", "on": "object.created", "notify": "webhook:cms"}]}"#
        let path = "/api/buckets/photos/hooks"
        #expect(try await scene.send("PUT", path, body: hooks).status == 422)
        try await scene.ask("PUT", Self.path, body: #"{"url": "https://cms.example/"}"#)
        try await scene.ask("PUT", path, body: hooks)
        #expect(try await scene.send("DELETE", Self.path).status == 409)
        // A hook without steps tells of the event itself, and has no run.
        try await scene.put("a")
        let events = try await scene.engine.store.events(after: 0, limit: 10)
        #expect(events.map { $0.draft.bindings.map(\.target) } == [["webhook:cms"]] && events[0].draft.hooks.isEmpty)
        let replay = try await scene.ask("POST", "\(path)/replay", body: #"{"since": "1h"}"#)
        #expect(replay["made"] == .integer(1))
        let again = try await scene.engine.store.events(after: 0, limit: 10)
        #expect(again.map { $0.draft.bindings.map(\.target) } == [["webhook:cms"], ["webhook:cms"]])
        try await scene.ask("DELETE", path)
        #expect(try await scene.send("DELETE", Self.path).status == 204)
        await scene.store.close()
    }
}
