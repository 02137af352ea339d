import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListBucketsTests {
    private func fixture() async throws -> GatewayFixture {
        let fixture = try await GatewayFixture()
        for name in ["alpha", "beta-1", "beta-2"] { try await fixture.makeBucket(name) }
        return fixture
    }

    private func names(_ answer: Answer) throws -> [String] {
        try #require(try answer.xml("ListAllMyBucketsResult").child("Buckets")).strings("Bucket", "Name")
    }

    @Test func `all buckets come in order of name, with owner, date and region`() async throws {
        let answer = try await fixture().send("GET", "/")
        #expect(try names(answer) == ["alpha", "beta-1", "beta-2", "bucket"])
        let root = try answer.xml("ListAllMyBucketsResult")
        #expect(root.string("Owner", "ID") == "admin")
        #expect(root.string("Buckets", "Bucket", "CreationDate") == "1970-01-01T00:00:01.000Z")
        #expect(root.string("Buckets", "Bucket", "BucketRegion") == "us-east-1")
        #expect(root.child("ContinuationToken") == nil)
    }

    @Test func `a prefix selects, and is answered`() async throws {
        let answer = try await fixture().send("GET", "/", "prefix=beta")
        #expect(try names(answer) == ["beta-1", "beta-2"])
        #expect(try answer.xml("ListAllMyBucketsResult").string("Prefix") == "beta")
    }

    @Test func `pages of one bucket lead through all of them`() async throws {
        let fixture = try await fixture()
        var found: [String] = []
        var query = "max-buckets=1"
        for _ in 0..<10 {
            let answer = try await fixture.send("GET", "/", query)
            found += try names(answer)
            guard let token = try answer.xml("ListAllMyBucketsResult").string("ContinuationToken") else { break }
            query = "max-buckets=1&continuation-token=" + String(ascii: PercentEncoding.encode(bytes(token)))
        }
        #expect(found == ["alpha", "beta-1", "beta-2", "bucket"])
    }

    @Test func `buckets of another region are none`() async throws {
        #expect(try names(try await fixture().send("GET", "/", "bucket-region=eu-west-1")).isEmpty)
        #expect(try names(try await fixture().send("GET", "/", "bucket-region=us-east-1")).count == 4)
    }

    @Test(arguments: ["max-buckets=0", "max-buckets=10001", "max-buckets=x", "continuation-token=%21"])
    func `bad arguments are refused`(query: String) async throws {
        let answer = try await fixture().send("GET", "/", query)
        #expect(answer.status == 400)
        #expect(answer.code == "InvalidArgument")
    }
}
