import Testing

@testable import ObjectGateway

@Suite struct GetBucketPolicyStatusTests {
    @Test(arguments: [
        ("\"*\"", true), (#"{"AWS": "arn:aws:iam:::user/bob"}"#, false),
        (#"{"AWS": ["arn:aws:iam:::user/bob", "*"]}"#, true),
    ])
    func `a policy is public where it lets everyone in`(principal: String, isPublic: Bool) async throws {
        let fixture = try await GatewayFixture()
        let policy = """
            {"Statement": {"Effect": "Allow", "Principal": \(principal), "Action": "s3:GetObject",
             "Resource": "arn:aws:s3:::bucket/*"}}
            """
        #expect(try await fixture.send("DELETE", "/bucket", "publicAccessBlock").status == 204)
        #expect(try await fixture.send("PUT", "/bucket", "policy", body: bytes(policy)).status == 204)
        let status = try await fixture.send("GET", "/bucket", "policyStatus").xml("PolicyStatus")
        #expect(status.string("IsPublic") == "\(isPublic)")
    }

    @Test func `without a policy it is NoSuchBucketPolicy`() async throws {
        #expect(try await GatewayFixture().send("GET", "/bucket", "policyStatus").code == "NoSuchBucketPolicy")
    }
}
