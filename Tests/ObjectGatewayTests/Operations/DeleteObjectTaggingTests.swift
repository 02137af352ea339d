import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct DeleteObjectTaggingTests {
    @Test func `the set is emptied, of the named version alone`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", headers: [("x-amz-tagging", "v=1")]).version
        let second = try await fixture.put("key", headers: [("x-amz-tagging", "v=2")]).version
        let answer = try await fixture.send("DELETE", "/bucket/key", "tagging&versionId=\(first)")
        #expect(answer.status == 204 && answer.version == first)
        #expect(try await fixture.head("key", "versionId=\(first)")["x-amz-tagging-count"] == nil)
        #expect(try await fixture.head()["x-amz-tagging-count"] == "1")
        #expect(try await fixture.send("DELETE", "/bucket/key", "tagging").version == second)
        #expect(try await fixture.get().text == "content")
    }

    @Test func `an object without tags is 204, a missing one 404`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.send("DELETE", "/bucket/key", "tagging").status == 204)
        #expect(try await fixture.send("DELETE", "/bucket/missing", "tagging").code == "NoSuchKey")
    }
}
