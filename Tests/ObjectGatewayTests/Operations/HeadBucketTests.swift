import Testing

@testable import ObjectGateway

@Suite struct HeadBucketTests {
    @Test func `a bucket that exists is 200 and names its region`() async throws {
        let answer = try await GatewayFixture().send("HEAD", "/bucket")
        #expect(answer.status == 200)
        #expect(answer["x-amz-bucket-region"] == "us-east-1")
        #expect(answer.body.isEmpty)
    }

    @Test func `a bucket that does not exist is 404 without a body`() async throws {
        let answer = try await GatewayFixture().send("HEAD", "/missing")
        #expect(answer.status == 404)
        #expect(answer.body.isEmpty)
    }

    @Test(arguments: ["/a", "/UPPER", "/192.168.1.1", "/two..dots", "/under_score"])
    func `a name that no bucket can have is refused`(path: String) async throws {
        let answer = try await GatewayFixture().send("HEAD", path)
        #expect(answer.status == 400)
    }

    @Test func `the region of the gateway is the one that is named`() async throws {
        let fixture = try await GatewayFixture { $0.region = "eu-central-1" }
        let wire = try TestRequest(method: "HEAD", path: "/bucket").signed(region: "eu-central-1")
        let answer = try await fixture.send(wire)
        #expect(answer.status == 200)
        #expect(answer["x-amz-bucket-region"] == "eu-central-1")
    }
}
