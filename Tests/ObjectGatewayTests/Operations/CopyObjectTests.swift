import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct CopyObjectTests {
    private func copy(
        _ fixture: GatewayFixture, _ source: String, to key: String = "copy", headers: [(String, String)] = [],
        signedBy user: TestUser = .admin
    ) async throws -> Answer {
        try await fixture.send(
            "PUT", wirePath("bucket", key), headers: [("x-amz-copy-source", source)] + headers, signedBy: user)
    }

    @Test func `bytes, metadata and tags go along`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put(
            "key", headers: [("x-amz-meta-a", "1"), ("content-type", "text/css"), ("x-amz-tagging", "t=1")]
        ).etag
        let answer = try await copy(fixture, "bucket/key")
        #expect(try answer.xml("CopyObjectResult").string("ETag") == etag)
        #expect(try answer.xml("CopyObjectResult").string("LastModified") != nil)
        let copied = try await fixture.get("copy")
        #expect(copied.text == "content")
        #expect(copied["x-amz-meta-a"] == "1" && copied["content-type"] == "text/css")
        #expect(copied["x-amz-tagging-count"] == "1")
        try await fixture.delete("key")
        #expect(try await fixture.get("copy").text == "content")
    }

    @Test func `S3-TRAPS 20: REPLACE replaces the system fields too`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put(
            "key", headers: [("x-amz-meta-a", "1"), ("content-type", "text/css"), ("cache-control", "x")])
        _ = try await copy(
            fixture, "bucket/key",
            headers: [("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "2"), ("content-type", "text/html")])
        let copied = try await fixture.get("copy")
        #expect(copied["x-amz-meta-a"] == nil && copied["x-amz-meta-b"] == "2")
        #expect(copied["content-type"] == "text/html" && copied["cache-control"] == nil)
        _ = try await copy(fixture, "bucket/key", to: "kept", headers: [("x-amz-meta-b", "2")])
        #expect(try await fixture.get("kept")["x-amz-meta-a"] == "1")
        #expect(try await fixture.get("kept")["x-amz-meta-b"] == nil)
    }

    @Test func `tags are replaced or copied as the directive says`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-tagging", "a=1&b=2")])
        _ = try await copy(
            fixture, "bucket/key", headers: [("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "c=3")])
        let tags = try await fixture.get("copy", "tagging").xml("Tagging").child("TagSet")
        #expect(tags?.strings("Tag", "Key") == ["c"])
        for name in ["x-amz-tagging-directive", "x-amz-metadata-directive"] {
            #expect(try await copy(fixture, "bucket/key", headers: [(name, "MERGE")]).code == "InvalidArgument")
        }
    }

    @Test func `S3-TRAPS 20: a copy onto itself without change is InvalidRequest and keeps the object`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-meta-a", "1")])
        let idle = try await copy(fixture, "bucket/key", to: "key")
        #expect(idle.status == 400 && idle.code == "InvalidRequest")
        let changes = [
            [("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "2")], [("x-amz-storage-class", "STANDARD_IA")],
            [("x-amz-website-redirect-location", "/x")],
        ]
        for change in changes {
            #expect(try await copy(fixture, "bucket/key", to: "key", headers: change).status == 200)
            #expect(try await fixture.get().text == "content")
        }
        #expect(try await fixture.get()["x-amz-meta-b"] == "2")
    }

    @Test(arguments: [
        "bucket/a%20b%2Bc", "/bucket/a%20b%2Bc", "bucket%2Fa%20b%2Bc", "bucket/a+b%2Bc", "%2Fbucket%2Fa%20b%2Bc",
    ])
    func `S3-TRAPS 19: the source is decoded exactly once and may begin with a slash`(source: String) async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("a b+c", bytes("right"))
        try await fixture.put("a b c", bytes("wrong"))
        #expect(try await copy(fixture, source).status == 200)
        #expect(try await fixture.get("copy").text == "right")
    }

    @Test func `a key of percent signs and question marks is copied`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("50%25?versionId=x", bytes("odd"))
        let answer = try await copy(fixture, "bucket/50%2525%3FversionId%3Dx")
        #expect(answer.status == 200, "\(answer)")
        #expect(try await fixture.get("copy").text == "odd")
    }

    @Test func `S3-TRAPS 19: a version of the source is copied, and named in the answer`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        let second = try await fixture.put("key", bytes("second")).version
        let answer = try await copy(fixture, "bucket/key?versionId=\(first)")
        #expect(answer["x-amz-copy-source-version-id"] == first)
        #expect(answer.version.count == 32 && answer.version != first)
        #expect(try await fixture.get("copy").text == "first")
        #expect(try await copy(fixture, "bucket/key")["x-amz-copy-source-version-id"] == second)
        // Restoring a former version onto its own key is a change.
        #expect(try await copy(fixture, "bucket/key?versionId=\(first)", to: "key").status == 200)
        #expect(try await fixture.get().text == "first")
    }

    @Test func `sources that are not there or are markers are refused`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put()
        let marker = try await fixture.delete().version
        #expect(try await copy(fixture, "bucket/key").code == "NoSuchKey")
        #expect(try await copy(fixture, "bucket/key?versionId=\(marker)").code == "InvalidRequest")
        #expect(try await copy(fixture, "bucket/missing").code == "NoSuchKey")
        #expect(try await copy(fixture, "missing/key").code == "NoSuchBucket")
        #expect(
            try await copy(fixture, "bucket/key?versionId=0123456789abcdef0123456789abcdef").code == "NoSuchVersion")
        for source in ["", "bucket", "/", "bucket/", "bucket/%zz", "bucket/key?versionId=x"] where !source.isEmpty {
            let answer = try await copy(fixture, source)
            #expect(answer.status == 400 && answer.code == "InvalidArgument", "\(source): \(answer)")
        }
        #expect(try await fixture.get("copy").code == "NoSuchKey")
    }

    @Test func `conditions on the source are 412`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        let past = "Sat, 01 Jan 2000 00:00:00 GMT"
        let prefix = "x-amz-copy-source-if-"
        let failing = [
            [("match", "\"x\"")], [("none-match", etag)], [("unmodified-since", past)],
            [("none-match", etag), ("modified-since", past)],
        ]
        for conditions in failing {
            let answer = try await copy(fixture, "bucket/key", headers: conditions.map { (prefix + $0.0, $0.1) })
            #expect(answer.status == 412, "\(conditions)")
        }
        #expect(try await fixture.get("copy").code == "NoSuchKey")
        for conditions in [
            [("match", etag), ("unmodified-since", past)], [("none-match", "\"x\"")], [("modified-since", past)],
        ] {
            let answer = try await copy(fixture, "bucket/key", headers: conditions.map { (prefix + $0.0, $0.1) })
            #expect(answer.status == 200, "\(conditions)")
        }
    }

    @Test func `S3-TRAPS 18: conditions on the target are kept`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await copy(fixture, "bucket/key", headers: [("if-match", "*")]).status == 404)
        #expect(try await copy(fixture, "bucket/key", headers: [("if-none-match", "*")]).status == 200)
        #expect(try await copy(fixture, "bucket/key", headers: [("if-none-match", "*")]).status == 412)
    }

    @Test func `S3-TRAPS 20: the copy of a multipart object has an ETag of its own content`() async throws {
        let fixture = try await GatewayFixture()
        let parts = [pattern(partSizeMin), bytes("tail")]
        try await fixture.putMultipart("key", parts)
        let answer = try await copy(fixture, "bucket/key")
        #expect(
            try answer.xml("CopyObjectResult").string("ETag") == "\"\(Hex.string(Digest.md5(parts[0] + parts[1])))\"")
        #expect(try await fixture.get("copy").body == parts[0] + parts[1])
        #expect(try await fixture.get("copy", "partNumber=2").code == "InvalidPartNumber")
    }

    @Test func `the checksum goes along, or is made anew in another algorithm`() async throws {
        let fixture = try await GatewayFixture()
        let crc = Base64.string(Digest.of(bytes("content"), .crc32))
        try await fixture.put("key", headers: [("x-amz-checksum-crc32", crc)])
        #expect(try await copy(fixture, "bucket/key").xml("CopyObjectResult").string("ChecksumCRC32") == crc)
        let other = try await copy(fixture, "bucket/key", headers: [("x-amz-checksum-algorithm", "SHA256")])
        #expect(
            try other.xml("CopyObjectResult").string("ChecksumSHA256")
                == Base64.string(Digest.sha256(bytes("content"))))
        let mode = [("x-amz-checksum-mode", "ENABLED")]
        #expect(try await fixture.head("copy", headers: mode)["x-amz-checksum-sha256"] != nil)
        #expect(try await fixture.head("copy", headers: mode)["x-amz-checksum-crc32"] == nil)
    }

    @Test func `an empty object is copied, and between buckets`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.makeBucket("other")
        try await fixture.put("empty", [], bucket: "other")
        #expect(try await copy(fixture, "other/empty").status == 200)
        #expect(try await fixture.get("copy").length == 0)
    }

    @Test func `S3-TRAPS 31: an unsigned copy source does not turn a presigned PUT into a copy`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        var wire = try TestRequest(method: "PUT", path: "/bucket/copy", body: bytes("mine")).signed(form: .presigned)
        wire.set("x-amz-copy-source", "bucket/key")
        #expect(try await fixture.send(wire).status == 403)
        #expect(try await fixture.get("copy").code == "NoSuchKey")
    }
}
