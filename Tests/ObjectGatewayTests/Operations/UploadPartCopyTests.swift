import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct UploadPartCopyTests {
    private func copy(
        _ fixture: GatewayFixture, _ source: String, _ upload: String, number: Int = 1,
        headers: [(String, String)] = [], signedBy user: TestUser = .admin
    ) async throws -> Answer {
        try await fixture.send(
            "PUT", "/bucket/target", "partNumber=\(number)&uploadId=\(upload)",
            headers: [("x-amz-copy-source", source)] + headers, signedBy: user)
    }

    @Test func `whole objects and ranges become parts`() async throws {
        let fixture = try await GatewayFixture()
        let body = pattern(partSizeMin + 10)
        try await fixture.put("key", body)
        let upload = try await fixture.createUpload("target")
        let first = try await copy(fixture, "bucket/key", upload).xml("CopyPartResult")
        #expect(first.string("ETag") == "\"\(Hex.string(Digest.md5(body)))\"")
        #expect(first.string("LastModified") != nil)
        let range = [("x-amz-copy-source-range", "bytes=2-5")]
        let second = try await copy(fixture, "/bucket/key", upload, number: 2, headers: range).xml("CopyPartResult")
        let parts = [(1, try #require(first.string("ETag")), ""), (2, try #require(second.string("ETag")), "")]
        #expect(try await fixture.complete(upload, "target", parts).status == 200)
        #expect(try await fixture.get("target").body == body + body[2...5])
    }

    @Test func `a range over the parts of a multipart source is copied`() async throws {
        let fixture = try await GatewayFixture()
        let parts = [pattern(partSizeMin, seed: 1), pattern(20, seed: 2)]
        try await fixture.putMultipart("key", parts)
        let upload = try await fixture.createUpload("target")
        let range = [("x-amz-copy-source-range", "bytes=\(partSizeMin - 3)-\(partSizeMin + 3)")]
        let copied = try await copy(fixture, "bucket/key", upload, headers: range).xml("CopyPartResult")
        #expect(
            try await fixture.complete(upload, "target", [(1, try #require(copied.string("ETag")), "")]).status == 200)
        #expect(try await fixture.get("target").body == [UInt8](parts[0].suffix(3) + parts[1].prefix(4)))
    }

    @Test(arguments: [
        "bytes=0-7", "bytes=7-7", "bytes=-1", "bytes=2-", "bytes=5-2", "0-3", "bytes=a-b", "bytes=0-1,2-3",
    ])
    func `only first-last inside the source is a range`(range: String) async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let upload = try await fixture.createUpload("target")
        let answer = try await copy(
            fixture, "bucket/key", upload, headers: [("x-amz-copy-source-range", range)])
        #expect(answer.status == 400 && answer.code == "InvalidArgument", "\(answer)")
        #expect(try await fixture.snapshot().filter { $0.hasPrefix("part") }.isEmpty)
    }

    @Test func `versions of the source, its conditions and its checksum are kept`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let source = try await fixture.put("key", bytes("first"))
        try await fixture.put("key", bytes("second"))
        let upload = try await fixture.createUpload("target", headers: [("x-amz-checksum-algorithm", "CRC32")])
        let answer = try await copy(fixture, "bucket/key?versionId=\(source.version)", upload)
        #expect(answer["x-amz-copy-source-version-id"] == source.version)
        #expect(
            try answer.xml("CopyPartResult").string("ChecksumCRC32") == Base64.string(Digest.of(bytes("first"), .crc32))
        )
        let refused = try await copy(
            fixture, "bucket/key", upload, headers: [("x-amz-copy-source-if-match", source.etag)])
        #expect(refused.status == 412)
    }

    @Test func `what is missing has its own code`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let upload = try await fixture.createUpload("target")
        #expect(try await copy(fixture, "bucket/missing", upload).code == "NoSuchKey")
        #expect(try await copy(fixture, "missing/key", upload).code == "NoSuchBucket")
        #expect(try await copy(fixture, "bucket/key", "0123456789abcdef0123456789abcdef").code == "NoSuchUpload")
        #expect(try await copy(fixture, "bucket/key", upload, number: 10_001).code == "InvalidArgument")
    }
}
