import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListMultipartUploadsTests {
    private func list(_ fixture: GatewayFixture, _ query: String = "") async throws -> XMLElement {
        try await fixture.send("GET", "/bucket", query.isEmpty ? "uploads" : "uploads&\(query)")
            .xml("ListMultipartUploadsResult")
    }

    @Test func `uploads come by key, with owner, class and checksum`() async throws {
        let fixture = try await GatewayFixture()
        let second = try await fixture.createUpload("b", headers: [("x-amz-checksum-algorithm", "CRC32")])
        let first = try await fixture.createUpload("a", headers: [("x-amz-storage-class", "GLACIER")])
        let root = try await list(fixture)
        #expect(root.strings("Upload", "Key") == ["a", "b"])
        #expect(root.strings("Upload", "UploadId") == [first, second])
        #expect(root.strings("Upload", "StorageClass") == ["GLACIER", "STANDARD"])
        #expect(root.string("Upload", "Initiator", "ID") == "admin")
        #expect(root.children("Upload")[1].string("ChecksumAlgorithm") == "CRC32")
        #expect(root.string("Bucket") == "bucket" && root.string("MaxUploads") == "1000" && !root.isTruncated)
    }

    @Test func `S3-TRAPS 29: any prefix and delimiter work`() async throws {
        let fixture = try await GatewayFixture()
        for key in ["a/1", "a/2", "ab", "b"] { _ = try await fixture.createUpload(key) }
        #expect(try await list(fixture, "prefix=a").strings("Upload", "Key") == ["a/1", "a/2", "ab"])
        #expect(try await list(fixture, "prefix=a%2F2").strings("Upload", "Key") == ["a/2"])
        let rolled = try await list(fixture, "delimiter=%2F")
        #expect(rolled.prefixes == ["a/"] && rolled.strings("Upload", "Key") == ["ab", "b"])
    }

    @Test func `pages lead through all uploads, several of one key among them`() async throws {
        let fixture = try await GatewayFixture()
        for key in ["a", "b", "b", "b", "c"] { _ = try await fixture.createUpload(key) }
        let all = try await list(fixture).strings("Upload", "UploadId")
        #expect(Set(all).count == 5)
        for size in 1...3 {
            var found: [String] = []
            var markers = ""
            for _ in 0..<6 {
                let page = try await list(fixture, "max-uploads=\(size)\(markers)")
                found += page.strings("Upload", "UploadId")
                if !page.isTruncated { break }
                let key = try #require(page.string("NextKeyMarker"))
                let upload = try #require(page.string("NextUploadIdMarker"))
                markers = "&key-marker=\(key)&upload-id-marker=\(upload)"
            }
            #expect(found == all, "pages of \(size)")
        }
    }

    @Test func `keys are url-encoded where that is asked for`() async throws {
        let fixture = try await GatewayFixture()
        _ = try await fixture.createUpload("a b+c")
        #expect(try await list(fixture, "encoding-type=url").string("Upload", "Key") == "a+b%2Bc")
        #expect(try await list(fixture).string("Upload", "Key") == "a b+c")
    }

    @Test func `bad arguments and a missing bucket are refused`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("GET", "/bucket", "uploads&max-uploads=x").code == "InvalidArgument")
        #expect(try await fixture.send("GET", "/missing", "uploads").code == "NoSuchBucket")
    }
}
