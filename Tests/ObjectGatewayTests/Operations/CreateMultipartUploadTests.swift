import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct CreateMultipartUploadTests {
    @Test func `an upload is made, and shows nothing until it is complete`() async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("POST", "/bucket/a%20b", "uploads")
        let root = try answer.xml("InitiateMultipartUploadResult")
        #expect(root.string("Bucket") == "bucket" && root.string("Key") == "a b")
        #expect(root.string("UploadId")?.count == 32)
        #expect(try await fixture.get("a b").code == "NoSuchKey")
        #expect(try await fixture.list("").keys.isEmpty)
        let second = try await fixture.createUpload("a b")
        #expect(second != root.string("UploadId"))
    }

    @Test func `metadata and tags of the request are those of the object`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putMultipart(
            "key", [bytes("only")],
            headers: [("x-amz-meta-a", "1"), ("content-type", "text/css"), ("x-amz-tagging", "t=1")])
        let answer = try await fixture.get()
        #expect(answer["x-amz-meta-a"] == "1" && answer["content-type"] == "text/css")
        #expect(answer["x-amz-tagging-count"] == "1" && answer.text == "only")
    }

    @Test(
        arguments: [
            ("CRC32", nil, "COMPOSITE"), ("CRC32C", nil, "COMPOSITE"), ("CRC64NVME", nil, "FULL_OBJECT"),
            ("SHA1", nil, "COMPOSITE"), ("SHA256", nil, "COMPOSITE"), ("CRC32", "FULL_OBJECT", "FULL_OBJECT"),
            ("CRC32C", "FULL_OBJECT", "FULL_OBJECT"), ("crc32", "COMPOSITE", "COMPOSITE"),
            ("CRC64NVME", "COMPOSITE", nil), ("SHA1", "FULL_OBJECT", nil), ("SHA256", "FULL_OBJECT", nil),
            ("CRC7", nil, nil), ("CRC32", "HALF", nil), (nil, "COMPOSITE", nil),
        ] as [(String?, String?, String?)])
    func `S3-TRAPS 7: pairs of algorithm and type`(algorithm: String?, type: String?, answered: String?) async throws {
        let headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", type)]
            .compactMap { header in header.1.map { (header.0, $0) } }
        let answer = try await GatewayFixture().send("POST", "/bucket/key", "uploads", headers: headers)
        if let answered {
            #expect(answer["x-amz-checksum-type"] == answered)
            #expect(answer["x-amz-checksum-algorithm"] == algorithm?.uppercased())
        } else {
            #expect(answer.status == 400 && answer.code == "InvalidRequest", "\(answer)")
        }
    }

    @Test func `a missing bucket is NoSuchBucket, and encryption is refused`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("POST", "/missing/key", "uploads").code == "NoSuchBucket")
        let encrypted = try await fixture.send(
            "POST", "/bucket/key", "uploads", headers: [("x-amz-server-side-encryption", "aws:kms")])
        #expect(encrypted.status == 501)
    }
}
