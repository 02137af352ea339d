import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct GetBucketVersioningTests {
    @Test func `each state has its answer, and none without a status`() async throws {
        let fixture = try await GatewayFixture()
        for (state, status) in [(VersioningState.unversioned, nil), (.enabled, "Enabled"), (.suspended, "Suspended")] {
            if state != .unversioned { try await fixture.setVersioning(state) }
            let root = try await fixture.send("GET", "/bucket", "versioning").xml("VersioningConfiguration")
            #expect(root.string("Status") == status)
        }
    }

    @Test func `a missing bucket is NoSuchBucket`() async throws {
        #expect(try await GatewayFixture().send("GET", "/missing", "versioning").code == "NoSuchBucket")
    }
}
