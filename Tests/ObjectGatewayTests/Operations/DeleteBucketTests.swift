import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct DeleteBucketTests {
    @Test func `an empty bucket goes`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("DELETE", "/bucket").status == 204)
        #expect(try await fixture.send("HEAD", "/bucket").status == 404)
        #expect(try await fixture.send("DELETE", "/bucket").code == "NoSuchBucket")
    }

    @Test func `a bucket with an object is BucketNotEmpty`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let answer = try await fixture.send("DELETE", "/bucket")
        #expect(answer.status == 409)
        #expect(answer.code == "BucketNotEmpty")
        try await fixture.delete()
        #expect(try await fixture.send("DELETE", "/bucket").status == 204)
    }

    @Test func `a bucket with former versions or delete markers alone is BucketNotEmpty`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let version = try await fixture.put().version
        let marker = try await fixture.delete().version
        #expect(try await fixture.send("DELETE", "/bucket").code == "BucketNotEmpty")
        try await fixture.delete("key", "versionId=\(version)")
        #expect(try await fixture.send("DELETE", "/bucket").code == "BucketNotEmpty")
        try await fixture.delete("key", "versionId=\(marker)")
        #expect(try await fixture.send("DELETE", "/bucket").status == 204)
    }

    @Test func `a bucket made again begins empty and unversioned`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        #expect(try await fixture.send("DELETE", "/bucket").status == 204)
        #expect(try await fixture.send("PUT", "/bucket").status == 200)
        #expect(try await fixture.bucket().versioning == .unversioned)
        #expect(try await fixture.get().code == "NoSuchKey")
    }
}
