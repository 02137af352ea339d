import Bytes
import Hooks
import JSON
import Metadata
import TestSupport
import Testing

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct AddonRoutesTests {
    private static let path = "/api/addons/faces"

    @Test func `an addon is registered, shown without its secret, listed apart from targets, and removed`()
        async throws
    {
        let scene = try await RouteScene()
        let made = try await scene.ask(
            "PUT", Self.path, body: #"{"driver": "http", "url": "https://faces.example/", "secret": "s3cret"}"#)
        #expect(made["name"] == "faces" && made["has_secret"] == .bool(true))
        #expect(made["settings"] == ["driver": "http", "url": "https://faces.example/"])
        #expect(try await scene.ask("GET", Self.path) == made)
        #expect(try await scene.ask("GET", "/api/addons")["addons"] == .array([made]))
        #expect(try await scene.ask("GET", "/api/targets")["targets"] == .array([]))
        // A change without a secret keeps the one that is there; an empty one takes it away.
        let changed = try await scene.ask("PUT", Self.path, body: #"{"driver": "fal"}"#)
        #expect(changed["has_secret"] == .bool(true) && changed["created_at"] == made["created_at"])
        let open = try await scene.ask("PUT", Self.path, body: #"{"driver": "fal", "secret": ""}"#)
        #expect(open["has_secret"] == .bool(false))
        #expect(try await scene.send("DELETE", Self.path).status == 204)
        #expect(try await scene.send("DELETE", Self.path).status == 404)
        #expect(try await scene.send("GET", Self.path).status == 404)
        await scene.store.close()
    }

    @Test func `only administrators come near addons, and what cannot be used is refused with its path`() async throws {
        let scene = try await RouteScene()
        #expect(try await scene.send("GET", "/api/addons", as: "emil").status == 403)
        #expect(try await scene.send("GET", "/api/addons", as: nil).status == 401)
        for (name, body, field) in [
            ("faces", #"{"driver": "http", "url": "gopher://x/"}"#, "url"), ("-x", #"{"driver": "fal"}"#, "addon"),
            ("faces", #"{"driver": "fal", "topic": "t"}"#, "topic"), ("faces", "{}", "driver"),
        ] {
            let answer = try await scene.send("PUT", "/api/addons/\(name)", body: body)
            #expect(answer.status == 422)
            #expect(answer.json?["errors"]?.array?.first?["field"]?.string == field, "\(answer)")
        }
        await scene.store.close()
    }

    @Test func `hooks may name an addon that is registered, which stays as long as they do`() async throws {
        let scene = try await RouteScene()
        let hooks =
            #"{"hooks": [{"name": "h", "on": "object.created", "steps": {"f": {"addon": "faces", "save": "metadata.custom.faces"}}}]}"#
        let path = "/api/buckets/photos/hooks"
        let refused = try await scene.send("PUT", path, body: hooks)
        #expect(refused.status == 422)
        #expect(refused.json?["errors"]?.array?.first?["field"]?.string == "hooks[0].steps.f.addon")
        try await scene.ask("PUT", Self.path, body: #"{"driver": "fal"}"#)
        try await scene.ask("PUT", path, body: hooks)
        #expect(try await scene.send("DELETE", Self.path).status == 409)
        try await scene.ask("DELETE", path)
        #expect(try await scene.send("DELETE", Self.path).status == 204)
        await scene.store.close()
    }

    @Test func `an addon keeps no events from being forgotten`() async throws {
        let scene = try await RouteScene()
        try await scene.ask("PUT", Self.path, body: #"{"driver": "fal"}"#)
        let entry = try #require(try await scene.engine.store.target(named: "addon:faces"))
        #expect(entry.position == .max)
        await scene.store.close()
    }

    @Test func `a callback that nobody asked for is none`() async throws {
        let scene = try await RouteScene()
        for token in ["x", String(repeating: "0", count: 120)] {
            let answer = try await scene.send(
                "POST", "/api/addon-callbacks/\(token)", as: nil, body: #"{"metadata": 1}"#)
            #expect(answer.status == 404)
        }
        await scene.store.close()
    }

    @Test func `a token is one job's, for a time, and of this store only`() throws {
        let box = try #require(SecretBox(key: [UInt8](repeating: 1, count: 32)))
        let other = try #require(SecretBox(key: [UInt8](repeating: 2, count: 32)))
        let (job, until) = (JobID(at: .now()), Timestamp(milliseconds: 1_234_567_890_123))
        let token = try #require(CallbackTokens(box).token(for: job, until: until))
        let read = try #require(CallbackTokens(box).read(token))
        #expect(read.job == job && read.until == until)
        #expect(CallbackTokens(other).read(token) == nil)
        for place in token.indices {
            var changed = token
            changed.replaceSubrange(place...place, with: token[place] == "0" ? "1" : "0")
            #expect(CallbackTokens(box).read(changed) == nil)
        }
    }

    @Test func `what an addon found is put into the rest of the free metadata`() throws {
        func custom(_ former: String?, _ path: [String]) throws -> String {
            String(
                decoding: try SavedMetadata.custom(former.map { Array($0.utf8) }, with: .integer(1), at: path),
                as: UTF8.self)
        }
        #expect(try custom(nil, ["faces"]) == #"{"faces":1}"#)
        #expect(try custom(#"{"a": 2, "faces": 3}"#, ["faces"]) == #"{"a":2,"faces":1}"#)
        #expect(try custom(#"{"a": {"b": 2}}"#, ["a", "c", "d"]) == #"{"a":{"b":2,"c":{"d":1}}}"#)
        #expect(try custom(#"{"a": 2}"#, ["a", "c"]) == #"{"a":{"c":1}}"#)
        #expect(throws: Problem.self) {
            try custom(#"{"x": "\#(String(repeating: "y", count: SavedMetadata.sizeMax))"}"#, ["a"])
        }
    }
}
