import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct GetBucketLocationTests {
    @Test func `S3-TRAPS 25: us-east-1 is an empty element`() async throws {
        let answer = try await GatewayFixture().send("GET", "/bucket", "location")
        #expect(answer.status == 200)
        #expect(try answer.xml("LocationConstraint").text.isEmpty)
    }

    @Test func `another region is named`() async throws {
        let fixture = try await GatewayFixture { $0.region = "eu-west-1" }
        let wire = try TestRequest(method: "GET", path: "/bucket", query: "location").signed(region: "eu-west-1")
        #expect(try await fixture.send(wire).xml("LocationConstraint").text == bytes("eu-west-1"))
    }

    @Test func `a missing bucket is NoSuchBucket`() async throws {
        let answer = try await GatewayFixture().send("GET", "/missing", "location")
        #expect(answer.status == 404)
        #expect(answer.code == "NoSuchBucket")
    }
}
