import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct PutObjectTaggingTests {
    private func document(_ tags: [(String, String)]) -> [UInt8] {
        let written = tags.map { "<Tag><Key>\($0.0)</Key><Value>\($0.1)</Value></Tag>" }.joined()
        return bytes("<Tagging><TagSet>\(written)</TagSet></Tagging>")
    }

    private func put(_ fixture: GatewayFixture, _ body: [UInt8], _ query: String = "tagging") async throws -> Answer {
        try await fixture.send("PUT", "/bucket/key", query, body: body)
    }

    @Test func `a set replaces the one before, whole`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-tagging", "old=1")])
        #expect(try await put(fixture, document([("b", "2"), ("a", ""), ("ü", "日本")])).status == 200)
        let set = try await fixture.get("key", "tagging").xml("Tagging").child("TagSet")
        #expect(set?.strings("Tag", "Key") == ["b", "a", "ü"])
        #expect(set?.strings("Tag", "Value") == ["2", "", "日本"])
        #expect(try await fixture.get()["x-amz-tagging-count"] == "3")
        #expect(try await put(fixture, document([])).status == 200)
        #expect(try await fixture.get()["x-amz-tagging-count"] == nil)
    }

    @Test func `tags change neither version nor date nor ETag`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("1")).version
        try await fixture.put("key", bytes("2"))
        let before = try await fixture.head("key", "versionId=\(first)")
        let answer = try await put(fixture, document([("a", "1")]), "tagging&versionId=\(first)")
        #expect(answer.version == first)
        let after = try await fixture.head("key", "versionId=\(first)")
        #expect(after.etag == before.etag && after["last-modified"] == before["last-modified"])
        #expect(after["x-amz-tagging-count"] == "1")
        #expect(try await fixture.head()["x-amz-tagging-count"] == nil)
    }

    @Test func `ten tags of 128 and 256 characters are the most`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let longest = String(repeating: "ü", count: 127)
        let ten = (0..<10).map { ("\($0)\(longest)", String(repeating: "v", count: 256)) }
        #expect(try await put(fixture, document(ten)).status == 200)
        let refused = [
            ten + [("x", "")], [("", "v")], [("0\(longest)k", "v")], [("k", String(repeating: "v", count: 257))],
            [("k", "1"), ("k", "2")],
        ]
        for tags in refused {
            let answer = try await put(fixture, document(tags))
            #expect(answer.status == 400 && answer.code == "InvalidTag", "\(answer)")
        }
        #expect(try await fixture.get()["x-amz-tagging-count"] == "10")
    }

    @Test(arguments: [
        "", "<Tagging>", "<Tagging/>", "<Other><TagSet/></Other>", "<Tagging><TagSet><Tag/></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "<Tagging><TagSet><Other/></TagSet></Tagging>",
    ])
    func `what is no such document is MalformedXML`(text: String) async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-tagging", "old=1")])
        #expect(try await put(fixture, bytes(text)).code == "MalformedXML")
        #expect(try await fixture.get()["x-amz-tagging-count"] == "1")
    }

    @Test func `missing objects and markers are refused`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let body = document([("a", "1")])
        #expect(try await put(fixture, body).code == "NoSuchKey")
        try await fixture.put()
        let marker = try await fixture.delete().version
        #expect(try await put(fixture, body).code == "NoSuchKey")
        #expect(try await put(fixture, body, "tagging&versionId=\(marker)").code == "MethodNotAllowed")
    }
}
