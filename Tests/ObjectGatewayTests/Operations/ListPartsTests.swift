import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListPartsTests {
    private func list(_ fixture: GatewayFixture, _ upload: String, _ query: String = "") async throws -> XMLElement {
        try await fixture.get("key", "uploadId=\(upload)\(query)").xml("ListPartsResult")
    }

    @Test func `parts come in order of number with size, ETag and checksum`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload(headers: [("x-amz-checksum-algorithm", "CRC32")])
        for number in [3, 1, 20] { _ = try await fixture.putPart(number, of: upload, pattern(number)) }
        let root = try await list(fixture, upload)
        #expect(root.string("Bucket") == "bucket" && root.string("Key") == "key" && root.string("UploadId") == upload)
        #expect(root.string("Initiator", "ID") == "admin" && root.string("StorageClass") == "STANDARD")
        #expect(root.strings("Part", "PartNumber") == ["1", "3", "20"])
        #expect(root.strings("Part", "Size") == ["1", "3", "20"])
        #expect(root.string("Part", "ETag") == "\"\(Hex.string(Digest.md5(pattern(1))))\"")
        #expect(root.string("Part", "ChecksumCRC32") == Base64.string(Digest.of(pattern(1), .crc32)))
        #expect(root.string("ChecksumAlgorithm") == "CRC32" && root.string("ChecksumType") == "COMPOSITE")
        #expect(!root.isTruncated && root.string("MaxParts") == "1000")
    }

    @Test func `pages lead through all parts`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        for number in 1...5 { _ = try await fixture.putPart(number, of: upload, bytes("p")) }
        let first = try await list(fixture, upload, "&max-parts=2")
        #expect(first.strings("Part", "PartNumber") == ["1", "2"])
        #expect(first.isTruncated && first.string("NextPartNumberMarker") == "2")
        let rest = try await list(fixture, upload, "&part-number-marker=2")
        #expect(rest.strings("Part", "PartNumber") == ["3", "4", "5"] && !rest.isTruncated)
        #expect(rest.string("PartNumberMarker") == "2")
        #expect(try await list(fixture, upload, "&max-parts=5").isTruncated == false)
    }

    @Test func `an upload that is gone is NoSuchUpload, and bad numbers are refused`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        #expect(try await list(fixture, upload).children("Part").isEmpty)
        #expect(try await fixture.get("key", "uploadId=\(upload)&max-parts=x").code == "InvalidArgument")
        #expect(try await fixture.get("key", "uploadId=\(upload)&part-number-marker=-1").code == "InvalidArgument")
        _ = try await fixture.send("DELETE", "/bucket/key", "uploadId=\(upload)")
        #expect(try await fixture.get("key", "uploadId=\(upload)").code == "NoSuchUpload")
    }
}
