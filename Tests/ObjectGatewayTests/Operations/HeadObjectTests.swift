import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct HeadObjectTests {
    @Test func `HEAD answers the fields of GET and no body`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put("key", headers: [("x-amz-meta-a", "1"), ("content-type", "text/plain")])
        for headers in [[], [("range", "bytes=1-3")], [("range", "bytes=-2")]] {
            let get = try await fixture.get("key", headers: headers)
            let head = try await fixture.head("key", headers: headers)
            #expect(head.status == get.status)
            #expect(head.length == get.length)
            #expect(head.body.isEmpty)
            let varying: Set = ["x-amz-request-id"]
            #expect(
                head.headers.filter { !varying.contains($0.name) }.map { "\($0)" }
                    == get.headers.filter { !varying.contains($0.name) }.map { "\($0)" })
        }
    }

    @Test func `S3-TRAPS 24: errors have a status and no body`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put()
        let marker = try await fixture.delete().version
        let expected: [(Answer, Int)] = [
            (try await fixture.head("missing"), 404), (try await fixture.head(), 404),
            (try await fixture.head("key", "versionId=\(marker)"), 405),
            (try await fixture.head("key", bucket: "missing"), 404),
            (try await fixture.head("key", "versionId=x"), 400),
            (try await fixture.send("HEAD", "/bucket/key", signedBy: nil), 403),
        ]
        for (answer, status) in expected {
            #expect(answer.status == status)
            #expect(answer.body.isEmpty)
        }
        #expect(try await fixture.head()["x-amz-delete-marker"] == "true")
    }

    @Test func `a range beyond the end is 416`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.head(headers: [("range", "bytes=7-")]).status == 416)
    }

    @Test func `a part has its own length`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putMultipart("key", [pattern(partSizeMin), pattern(3)])
        #expect(try await fixture.head("key", "partNumber=2").length == 3)
        #expect(try await fixture.head("key", "partNumber=2")["x-amz-mp-parts-count"] == "2")
        #expect(try await fixture.head().length == UInt64(partSizeMin + 3))
    }

    @Test func `the checksum comes when it is asked for`() async throws {
        let fixture = try await GatewayFixture()
        let value = Base64.string(Digest.of(bytes("content"), .crc32c))
        try await fixture.put("key", headers: [("x-amz-checksum-crc32c", value)])
        #expect(try await fixture.head(headers: [("x-amz-checksum-mode", "ENABLED")])["x-amz-checksum-crc32c"] == value)
        #expect(try await fixture.head()["x-amz-checksum-crc32c"] == nil)
    }
}
