import Bytes
import Digests
import Hooks
import JSON
import Metadata
import Testing

@testable import ObjectGateway

/// What operations note for the hooks of a bucket.
@Suite struct EventTests {
    private static let all = """
        "object.created", "object.removed", "object.tagged", "object.restored"
        """

    /// Hooks as the members of one, on all events.
    private static func set(
        _ members: String = "", on events: String = all, of bucket: String = "bucket", in fixture: GatewayFixture
    ) async throws {
        let text = bytes(
            #"{"hooks": [{"name": "h", "on": [\#(events)], \#(members)"#
                + #""steps": {"a": {"deliver": "https://example.com/"}}}]}"#)
        let configuration = try HookConfiguration(parsing: text)
        _ = try await fixture.jobs.setHooks(configuration, document: text, of: try await fixture.bucket(bucket).id)
    }

    private static func events(_ fixture: GatewayFixture) async throws -> [ObjectEvent] {
        try await fixture.store.events(after: 0, limit: 1000)
    }

    private static func names(_ fixture: GatewayFixture) async throws -> [String] {
        try await events(fixture).map { "\($0.draft.name.text) \($0.key.text)" }
    }

    private static func delete(_ keys: [String], in fixture: GatewayFixture) async throws -> Answer {
        let xml = "<Delete>\(keys.map { "<Object><Key>\($0)</Key></Object>" }.joined())</Delete>"
        return try await fixture.send(
            "POST", "/bucket", "delete", headers: [("content-md5", Base64.string(Digest.md5(bytes(xml))))],
            body: bytes(xml))
    }

    @Test func `each operation that changes objects notes its event, in the order of the commits`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(in: fixture)
        try await fixture.put("a")
        #expect(
            try await fixture.send("PUT", "/bucket/b", headers: [("x-amz-copy-source", "bucket/a")]).status == 200)
        try await fixture.putMultipart("c", [bytes("part")])
        let tagging = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
        let md5 = Base64.string(Digest.md5(bytes(tagging)))
        #expect(
            try await fixture.send("PUT", "/bucket/a", "tagging", headers: [("content-md5", md5)], body: bytes(tagging))
                .status == 200)
        #expect(try await fixture.send("DELETE", "/bucket/a", "tagging").status == 204)
        try await fixture.delete("a")
        #expect(try await Self.delete(["b", "c", "never"], in: fixture).status == 200)
        let names = try await Self.names(fixture)
        #expect(
            names.prefix(6) == [
                "ObjectCreated:Put a", "ObjectCreated:Copy b", "ObjectCreated:CompleteMultipartUpload c",
                "ObjectTagging:Put a", "ObjectTagging:Delete a", "ObjectRemoved:Delete a",
            ])
        #expect(names.dropFirst(6).sorted() == ["ObjectRemoved:Delete b", "ObjectRemoved:Delete c"])
    }

    @Test func `an event says who, from where, by which request, and what the object was`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(in: fixture)
        let answer = try await fixture.send("PUT", "/bucket/a", body: bytes("content"), signedBy: .readwrite)
        let event = try #require(try await Self.events(fixture).first)
        let draft = event.draft
        #expect(draft.principal == "readwrite" && String(ascii: draft.sourceAddress) == "127.0.0.1")
        #expect(String(ascii: draft.requestID) == answer["x-amz-request-id"])
        #expect(draft.bucketName.description == "bucket" && draft.customer == nil && draft.origin == nil)
        #expect(draft.hooks == [EventHook(name: "h")])
        #expect(try await fixture.jobs.hooks.rules(of: event.bucket)?.revision == draft.revision)
        #expect(event.size == 7 && event.etag == ETag(md5: Digest.md5(bytes("content"))))
        let stored = try await fixture.store.version(of: event.key, in: event.bucket, version: nil)
        #expect(event.sequence == stored?.sequence && event.versionID == stored?.versionID)
    }

    @Test func `a bucket without hooks, a hook that is disabled, and another event note nothing`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.makeBucket("other")
        try await Self.set(of: "other", in: fixture)
        try await fixture.put("a")
        try await Self.set(#""enabled": false, "#, in: fixture)
        try await fixture.put("b")
        try await Self.set(on: #""object.removed""#, in: fixture)
        try await fixture.put("c")
        #expect(try await Self.events(fixture).isEmpty)
        try await fixture.delete("c")
        #expect(try await Self.names(fixture) == ["ObjectRemoved:Delete c"])
        _ = try await fixture.jobs.setHooks(nil, document: [], of: try await fixture.bucket().id)
        try await fixture.delete("b")
        #expect(try await Self.events(fixture).count == 1)
    }

    @Test func `filters choose by key, type, tags, metadata and size, of a removed object too`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(
            #"""
            "when": {"prefix": "in/", "suffix": ".png", "mime": "image/*", "tags": {"k": "v"},
                     "metadata": {"m": "1"}, "size": {"min": 3, "max": 8}}, 
            """#, in: fixture)
        let right = [("content-type", "image/png"), ("x-amz-tagging", "k=v"), ("x-amz-meta-m", "1")]
        func put(_ key: String, _ body: String = "content", without: String? = nil) async throws {
            try await fixture.put(key, bytes(body), headers: right.filter { $0.0 != without })
        }
        try await put("in/a.png")
        try await put("out/a.png")
        try await put("in/a.gif")
        try await put("in/b.png", without: "content-type")
        try await put("in/b.png", without: "x-amz-tagging")
        try await put("in/b.png", without: "x-amz-meta-m")
        try await put("in/b.png", "no")
        try await put("in/b.png", "far too long")
        #expect(try await Self.names(fixture) == ["ObjectCreated:Put in/a.png"])
        for key in ["in/a.png", "out/a.png", "in/b.png"] { try await fixture.delete(key) }
        #expect(try await Self.names(fixture).dropFirst() == ["ObjectRemoved:Delete in/a.png"])
        let parts = [pattern(partSizeMin), bytes("end")]
        try await Self.set(#""when": {"size": {"min": \#(partSizeMin + 3)}}, "#, in: fixture)
        try await fixture.putMultipart("large", parts)
        #expect(try await Self.names(fixture).last == "ObjectCreated:CompleteMultipartUpload large")
    }

    @Test func `a bucket with versions tells markers, removals of the latest, and what comes back`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await Self.set(in: fixture)
        let first = try #require(try await fixture.put("a")["x-amz-version-id"])
        let second = try #require(try await fixture.put("a", bytes("second"))["x-amz-version-id"])
        let marker = try #require(try await fixture.delete("a")["x-amz-version-id"])
        // Gone already: another marker, and no event.
        let again = try #require(try await fixture.delete("a")["x-amz-version-id"])
        // A marker under a marker brings nothing back.
        try await fixture.delete("a", "versionId=\(again)")
        try await fixture.delete("a", "versionId=\(marker)")
        // A former version is not the latest.
        try await fixture.delete("a", "versionId=\(first)")
        try await fixture.delete("a", "versionId=\(second)")
        let events = try await Self.events(fixture)
        #expect(
            events.map(\.draft.name) == [
                .createdPut, .createdPut, .removedMarker, .restored, .removedDelete,
            ])
        let versions = events.map { $0.versionID.map { String(ascii: $0.utf8) } }
        #expect(versions == [first, second, marker, second, second])
        #expect(events[3].size == 6 && events[4].size == 0)
    }

    @Test func `a deletion tells of the version that it took, however often others come between`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(#""when": {"mime": "text/plain"}, "#, on: #""object.removed""#, in: fixture)
        // The key's type changes all the time; each removal that a hook hears of was of a text.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for round in 0..<4 {
                group.addTask {
                    for turn in 0..<25 {
                        let type = (round + turn).isMultiple(of: 2) ? "text/plain" : "image/png"
                        try await fixture.put("a", bytes(type), headers: [("content-type", type)])
                    }
                }
                group.addTask {
                    for _ in 0..<25 {
                        let answer = try await fixture.send("DELETE", "/bucket/a")
                        // A key that changes too fast is asked for again.
                        #expect(answer.status == 204 || answer.status == 503)
                        let bulk = try await Self.delete(["a"], in: fixture)
                        #expect(bulk.status == 200)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await fixture.put("a", bytes("text"), headers: [("content-type", "text/plain")])
        let count = try await Self.events(fixture).count
        try await fixture.delete("a")
        try await fixture.put("a", bytes("image"), headers: [("content-type", "image/png")])
        try await fixture.delete("a")
        #expect(try await Self.events(fixture).count == count + 1)
    }

    @Test func `a Complete that is sent again notes its event once`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(in: fixture)
        let upload = try await fixture.createUpload("a", headers: [("content-type", "image/png")])
        let part = try await fixture.putPart(1, of: upload, key: "a", bytes("part"))
        for _ in 0..<2 { #expect(try await fixture.complete(upload, "a", [(1, part.etag, "")]).status == 200) }
        #expect(try await Self.names(fixture) == ["ObjectCreated:CompleteMultipartUpload a"])
    }

    @Test func `a write that is refused notes nothing`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.set(in: fixture)
        let refused = try await fixture.send(
            "PUT", "/bucket/a", headers: [("if-match", "\"00000000000000000000000000000000\"")], body: bytes("x"))
        #expect(refused.status == 404)
        #expect(try await Self.events(fixture).isEmpty)
    }
}
