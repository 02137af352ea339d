import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListObjectsTests {
    private let keys = ["a", "b/1", "b/2", "c/d/e", "f"]

    private func fixture() async throws -> GatewayFixture {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(keys)
        return fixture
    }

    @Test func `entries have key, date, ETag, size, class and owner`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        let root = try await fixture.list("")
        #expect(root.string("Name") == "bucket" && root.string("MaxKeys") == "1000")
        #expect(root.string("Contents", "Key") == "key")
        #expect(root.string("Contents", "ETag") == etag)
        #expect(root.string("Contents", "Size") == "7")
        #expect(root.string("Contents", "StorageClass") == "STANDARD")
        #expect(root.string("Contents", "Owner", "ID") == "admin")
        let date = try #require(root.string("Contents", "LastModified"))
        #expect(DateFormats.parseISO8601(bytes(date)) != nil)
    }

    @Test func `markers lead through all keys`() async throws {
        let fixture = try await fixture()
        var found: [String] = []
        var marker = ""
        for _ in 0..<10 {
            let page = try await fixture.list("max-keys=2&marker=\(encoded(marker))")
            found += page.keys
            #expect(page.string("Marker") == marker)
            #expect(page.child("NextMarker") == nil)
            if !page.isTruncated { break }
            marker = try #require(page.keys.last)
        }
        #expect(found == keys)
    }

    @Test func `with a delimiter the next marker is named, and may be a common prefix`() async throws {
        let fixture = try await fixture()
        let first = try await fixture.list("delimiter=%2F&max-keys=2")
        #expect(first.keys == ["a"] && first.prefixes == ["b/"])
        #expect(first.string("NextMarker") == "b/" && first.isTruncated)
        let second = try await fixture.list("delimiter=%2F&max-keys=2&marker=b%2F")
        #expect(second.keys == ["f"] && second.prefixes == ["c/"])
        #expect(!second.isTruncated && second.child("NextMarker") == nil)
    }

    @Test func `a marker need not be a key`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.list("marker=b%2F1x").keys == ["b/2", "c/d/e", "f"])
        #expect(try await fixture.list("marker=zzz").keys.isEmpty)
        #expect(try await fixture.list("marker=").keys == keys)
    }

    @Test(arguments: ["max-keys=-1", "max-keys=x", "max-keys=", "max-keys=99999999999", "encoding-type=base64"])
    func `bad arguments are refused`(query: String) async throws {
        let answer = try await GatewayFixture().send("GET", "/bucket", query)
        #expect(answer.status == 400 && answer.code == "InvalidArgument", "\(answer)")
    }

    @Test func `a missing bucket is NoSuchBucket`() async throws {
        #expect(try await GatewayFixture().send("GET", "/missing").code == "NoSuchBucket")
    }

    @Test func `a subresource that is not served is never a listing`() async throws {
        let fixture = try await GatewayFixture()
        for name in OperationTable.subresources {
            let answer = try await fixture.send("GET", "/bucket", name.description)
            #expect(!answer.text.contains("<ListBucketResult"), "\(name): \(answer)")
        }
    }
}
