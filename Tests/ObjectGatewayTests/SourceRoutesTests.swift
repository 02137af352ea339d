import Bytes
import HTTPServer
import Hooks
import JSON
import Metadata
import Testing

@testable import ObjectGateway

/// The register of sources over REST, and what their messages may.
@Suite struct SourceRoutesTests {
    private static let path = "/api/sources/redis:inbox"
    private static let body =
        #"{"url": "redis://127.0.0.1:6379/0", "key": "inbox", "secret": "s3cret", "acts_as": "emil"}"#

    @Test func `a source is set, shown without its secret, listed and removed`() async throws {
        let scene = try await RouteScene()
        let made = try await scene.ask("PUT", Self.path, body: Self.body)
        #expect(made["name"]?.string == "redis:inbox" && made["has_secret"]?.bool == true)
        #expect(made["state"]?.string == "stopped" && made["settings"]?["acts_as"]?.string == "emil")
        #expect(!String(ascii: made.text).contains("s3cret"))
        #expect(try await scene.ask("GET", "/api/sources")["sources"] == .array([made]))
        #expect(try await scene.ask("GET", Self.path) == made)
        #expect(try await scene.ask("GET", "/api/targets")["targets"] == .array([]), "a source is no target")
        #expect(try await scene.send("DELETE", Self.path).status == 204)
        #expect(try await scene.send("DELETE", Self.path).status == 404)
        #expect(try await scene.send("GET", Self.path).status == 404)
        await scene.store.close()
    }

    @Test func `only administrators come near sources, and what cannot be used is refused with its path`()
        async throws
    {
        let scene = try await RouteScene()
        #expect(try await scene.send("GET", "/api/sources", as: "emil").status == 403)
        for (name, body, field) in [
            ("redis:x", #"{"url": "kafka://x", "key": "k"}"#, "url"), ("redis:x", #"{"url": "redis://x"}"#, "key"),
            ("nats:x", #"{"url": "redis://x", "key": "k"}"#, "source"),
            ("redis:x", #"{"url": "redis://x", "key": "k", "mode": "list"}"#, "mode"),
            ("redis:x", #"{"url": "redis://x", "key": "k", "acts_as": "nobody"}"#, "acts_as"),
        ] {
            let answer = try await scene.send("PUT", "/api/sources/\(name)", body: body)
            #expect(answer.status == 422)
            #expect(answer.json?["errors"]?.array?.first?["field"]?.string == field, "\(answer)")
        }
        await scene.store.close()
    }

    @Test func `messages have the checks and the rights of api events`() async throws {
        let scene = try await RouteScene()
        try await scene.put("in/a", by: "anna")
        try await scene.setHooks()
        let hooks = HookAdministration(
            jobs: scene.store.jobs, targets: scene.store.targets, addons: scene.store.addons,
            metadata: scene.store.metadata)
        func take(_ messages: [String], as user: String?) async throws -> [String?] {
            try await hooks.take(messages.map { Array($0.utf8) }, as: user, of: scene.store.users)
        }
        func message(_ key: String, _ event: String = "file-saved", bucket: String = "photos") -> String {
            #"{"event": "\#(event)", "bucket": "\#(bucket)", "key": "\#(key)"}"#
        }
        let reasons = try await take(
            [
                message("in/a"), message("in/b"), message("in/a", "eaten"), "no JSON", message("in/a"),
                message("in/a", "file-deleted"), message("in/a", bucket: "none"), #"{"event": "file-saved"}"#,
                message("in/a") + String(repeating: " ", count: 65 << 10),
            ], as: "emil")
        #expect(reasons.map { $0 == nil } == [true, false, false, false, true, false, false, false, false])
        #expect(reasons[1] == "There is no such object." && reasons[6] == "There is no bucket none.")
        #expect(try await take([message("in/a")], as: "otto") == ["There is no such object."])
        #expect(try await take([message("in/a")], as: nil) == [nil])
        for user in ["anna", "nobody"] {
            await #expect(throws: (any Error).self) { _ = try await take([message("in/a")], as: user) }
        }
        _ = try await scene.store.users.setDisabled(true, name: "emil")
        await #expect(throws: (any Error).self) { _ = try await take([message("in/a")], as: "emil") }
        let events = try await scene.engine.store.events(after: 0, limit: 10)
        #expect(events.map(\.draft.principal) == ["emil", "emil", "root"])
        await scene.store.close()
    }
}
