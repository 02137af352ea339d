import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct GetObjectTaggingTests {
    @Test func `an object without tags has an empty set`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let root = try await fixture.get("key", "tagging").xml("Tagging")
        #expect(root.child("TagSet")?.children.isEmpty == true)
    }

    @Test func `tags belong to their version`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", headers: [("x-amz-tagging", "v=1")]).version
        try await fixture.put("key", headers: [("x-amz-tagging", "v=2")])
        let answer = try await fixture.get("key", "tagging&versionId=\(first)")
        #expect(answer.version == first)
        #expect(try answer.xml("Tagging").string("TagSet", "Tag", "Value") == "1")
        #expect(try await fixture.get("key", "tagging").xml("Tagging").string("TagSet", "Tag", "Value") == "2")
    }

    @Test func `what is not there has its own code`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        #expect(try await fixture.get("key", "tagging").code == "NoSuchKey")
        try await fixture.put()
        let marker = try await fixture.delete().version
        #expect(try await fixture.get("key", "tagging").code == "NoSuchKey")
        #expect(try await fixture.get("key", "tagging&versionId=\(marker)").code == "MethodNotAllowed")
        #expect(try await fixture.get("key", "tagging", bucket: "missing").code == "NoSuchBucket")
    }
}
