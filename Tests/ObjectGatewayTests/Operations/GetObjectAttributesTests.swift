import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct GetObjectAttributesTests {
    private func attributes(
        _ fixture: GatewayFixture, _ names: String, _ query: String = "", headers: [(String, String)] = []
    ) async throws -> Answer {
        try await fixture.get(
            "key", query.isEmpty ? "attributes" : "attributes&\(query)",
            headers: [("x-amz-object-attributes", names)] + headers)
    }

    @Test func `S3-TRAPS 9: the ETag is unquoted, and what is not asked for does not come`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put(
            "key", headers: [("x-amz-checksum-crc32", Base64.string(Digest.of(bytes("content"), .crc32)))])
        let answer = try await attributes(fixture, "ETag,ObjectSize")
        let root = try answer.xml("GetObjectAttributesResponse")
        #expect(root.string("ETag") == Hex.string(Digest.md5(bytes("content"))))
        #expect(root.string("ObjectSize") == "7")
        #expect(root.child("StorageClass") == nil && root.child("Checksum") == nil && root.child("ObjectParts") == nil)
        #expect(answer["last-modified"] != nil)
    }

    @Test func `an object of one piece has its checksum and no parts`() async throws {
        let fixture = try await GatewayFixture()
        let crc = Base64.string(Digest.of(bytes("content"), .crc32))
        try await fixture.put("key", headers: [("x-amz-checksum-crc32", crc)])
        let root = try await attributes(fixture, "Checksum, ObjectParts, StorageClass").xml(
            "GetObjectAttributesResponse")
        #expect(root.string("Checksum", "ChecksumCRC32") == crc)
        #expect(root.string("Checksum", "ChecksumType") == "FULL_OBJECT")
        #expect(root.child("ObjectParts") == nil)
        #expect(root.string("StorageClass") == "STANDARD")
    }

    @Test func `S3-TRAPS 9: parts with composite checksums come, page by page`() async throws {
        let fixture = try await GatewayFixture()
        let parts = [pattern(partSizeMin), bytes("tail")]
        try await fixture.putMultipart("key", parts, headers: [("x-amz-checksum-algorithm", "SHA256")])
        let names = "Checksum,ObjectParts,ETag"
        let root = try await attributes(fixture, names).xml("GetObjectAttributesResponse")
        let values = parts.map { Digest.sha256($0) }
        #expect(root.string("Checksum", "ChecksumSHA256") == Base64.string(Digest.sha256(values[0] + values[1])) + "-2")
        #expect(root.string("Checksum", "ChecksumType") == "COMPOSITE")
        #expect(root.string("ETag")?.hasSuffix("-2") == true)
        let listed = try #require(root.child("ObjectParts"))
        #expect(listed.string("PartsCount") == "2")
        #expect(listed.strings("Part", "ChecksumSHA256") == values.map { Base64.string($0) })
        #expect(listed.strings("Part", "Size") == ["\(partSizeMin)", "4"])
        #expect(listed.string("IsTruncated") == "false")

        let first = try await attributes(fixture, names, headers: [("x-amz-max-parts", "1")])
        let page = try #require(try first.xml("GetObjectAttributesResponse").child("ObjectParts"))
        #expect(page.strings("Part", "PartNumber") == ["1"])
        #expect(page.string("IsTruncated") == "true" && page.string("NextPartNumberMarker") == "1")
        let second = try await attributes(fixture, names, headers: [("x-amz-part-number-marker", "1")])
        let rest = try #require(try second.xml("GetObjectAttributesResponse").child("ObjectParts"))
        #expect(rest.strings("Part", "PartNumber") == ["2"])
    }

    @Test func `a version is described by its id, and a marker is not`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("1")).version
        try await fixture.put("key", bytes("22"))
        let marker = try await fixture.delete().version
        let answer = try await attributes(fixture, "ObjectSize", "versionId=\(first)")
        #expect(answer.version == first)
        #expect(try answer.xml("GetObjectAttributesResponse").string("ObjectSize") == "1")
        #expect(try await attributes(fixture, "ObjectSize").status == 404)
        #expect(try await attributes(fixture, "ObjectSize", "versionId=\(marker)").status == 405)
    }

    @Test func `bad requests are refused`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.get("key", "attributes").code == "InvalidRequest")
        #expect(try await attributes(fixture, "Colour").code == "InvalidArgument")
        #expect(try await attributes(fixture, "ETag", headers: [("x-amz-max-parts", "x")]).code == "InvalidArgument")
        try await fixture.delete()
        #expect(try await attributes(fixture, "ETag").code == "NoSuchKey")
    }
}
