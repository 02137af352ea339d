import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct DeleteObjectsTests {
    private func document(_ items: [String], quiet: Bool = false) -> [UInt8] {
        bytes(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>\(quiet)</Quiet>"
                + items.map { "<Object>\($0)</Object>" }.joined() + "</Delete>")
    }

    private func delete(_ fixture: GatewayFixture, _ items: [String], quiet: Bool = false) async throws -> XMLElement {
        try await fixture.send("POST", "/bucket", "delete", body: document(items, quiet: quiet)).xml("DeleteResult")
    }

    @Test func `each key is deleted and answered, missing ones too`() async throws {
        let fixture = try await GatewayFixture()
        for key in ["a", "b", "c<d"] { try await fixture.put(key) }
        let result = try await delete(fixture, ["<Key>a</Key>", "<Key>c&lt;d</Key>", "<Key>missing</Key>"])
        #expect(result.strings("Deleted", "Key") == ["a", "c<d", "missing"])
        #expect(result.child("Error") == nil)
        #expect(try await fixture.get("a").code == "NoSuchKey")
        #expect(try await fixture.get("b").status == 200)
    }

    @Test func `a quiet request answers errors alone`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("a")
        let result = try await delete(
            fixture, ["<Key>a</Key>", "<Key>b</Key><VersionId>nonsense</VersionId>"], quiet: true)
        #expect(result.child("Deleted") == nil)
        #expect(result.string("Error", "Key") == "b")
        #expect(result.string("Error", "Code") == "NoSuchVersion")
        #expect(try await fixture.get("a").code == "NoSuchKey")
    }

    @Test func `markers and versions are told apart`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let version = try await fixture.put("a").version
        let laid = try await delete(fixture, ["<Key>a</Key>"])
        let marker = try #require(laid.string("Deleted", "DeleteMarkerVersionId"))
        #expect(laid.string("Deleted", "DeleteMarker") == "true")
        #expect(laid.child("Deleted")?.child("VersionId") == nil)
        let removed = try await delete(
            fixture,
            ["<Key>a</Key><VersionId>\(marker)</VersionId>", "<Key>a</Key><VersionId>\(version)</VersionId>"])
        #expect(removed.strings("Deleted", "VersionId") == [marker, version])
        #expect(removed.children("Deleted")[0].string("DeleteMarkerVersionId") == marker)
        #expect(removed.children("Deleted")[1].child("DeleteMarker") == nil)
        #expect(try await fixture.snapshot().count == 1)
    }

    @Test func `conditions hold for their own key alone`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put("a").etag
        try await fixture.put("b")
        let result = try await delete(
            fixture,
            [
                "<Key>a</Key><ETag>\(etag)</ETag><Size>7</Size>", "<Key>b</Key><ETag>\"other\"</ETag>",
                "<Key>b</Key><Size>99</Size>",
            ])
        #expect(result.strings("Deleted", "Key") == ["a"])
        #expect(result.strings("Error", "Code") == ["PreconditionFailed", "PreconditionFailed"])
        #expect(try await fixture.get("b").status == 200)
    }

    @Test func `S3-TRAPS 6: any digest of the body will do, and none will not`() async throws {
        let body = document(["<Key>a</Key>"])
        for algorithm in DigestAlgorithm.allCases {
            let fixture = try await GatewayFixture()
            let value = Base64.string(Digest.of(body, algorithm))
            let good = try await fixture.send(
                "POST", "/bucket", "delete", headers: [(algorithm.headerName.description, value)], body: body,
                form: .unsignedPayload)
            #expect(good.status == 200, "\(algorithm): \(good)")
            let wrong = Base64.string(Digest.of([], algorithm))
            let bad = try await fixture.send(
                "POST", "/bucket", "delete", headers: [(algorithm.headerName.description, wrong)], body: body,
                form: .unsignedPayload)
            #expect(bad.code == "BadDigest", "\(algorithm): \(bad)")
        }
        let fixture = try await GatewayFixture()
        try await fixture.put("a")
        let none = try await fixture.send("POST", "/bucket", "delete", body: body, form: .unsignedPayload)
        #expect(none.status == 400 && none.code == "InvalidRequest")
        #expect(try await fixture.get("a").status == 200)
    }

    @Test func `the keys of one request share commits`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let before = fixture.store.statistics
        let result = try await delete(fixture, (0..<1000).map { "<Key>k\($0)</Key>" })
        #expect(result.children("Deleted").count == 1000)
        let after = fixture.store.statistics
        #expect(after.commits - before.commits == 1000)
        // Four, where all wait when the first begins; each time that this thread is held up meanwhile is one more.
        #expect((4...40).contains(after.batches - before.batches))
    }

    @Test func `a thousand keys are the most`() async throws {
        let fixture = try await GatewayFixture()
        let result = try await delete(fixture, (0..<1000).map { "<Key>k\($0)</Key>" })
        #expect(result.children("Deleted").count == 1000)
        try await fixture.put("k1")
        let answer = try await fixture.send(
            "POST", "/bucket", "delete", body: document((0..<1001).map { "<Key>k\($0)</Key>" }))
        #expect(answer.code == "MalformedXML")
        #expect(try await fixture.get("k1").status == 200)
    }

    @Test(arguments: [
        "", "<Delete>", "<Delete></Delete>", "<Other><Object><Key>a</Key></Object></Other>",
        "<Delete><Object></Object></Delete>", "<Delete><Object><Key></Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><Size>x</Size></Object></Delete>",
        "<!DOCTYPE d [<!ENTITY e \"a\">]><Delete><Object><Key>&e;</Key></Object></Delete>",
    ])
    func `S3-TRAPS 36: what is no such document is MalformedXML and deletes nothing`(text: String) async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("a")
        let answer = try await fixture.send("POST", "/bucket", "delete", body: bytes(text))
        #expect(answer.status == 400 && answer.code == "MalformedXML")
        #expect(try await fixture.get("a").status == 200)
    }
}
