import Testing

@testable import ObjectGateway

@Suite struct UnsetConfigurationTests {
    @Test(arguments: [
        ("policyStatus", "NoSuchBucketPolicy"), ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("ownershipControls", "OwnershipControlsNotFoundError"),
    ])
    func `S3-TRAPS 26: an absent configuration answers with its own error`(parameter: String, code: String) async throws
    {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("GET", "/bucket", parameter)
        #expect(answer.status == 404 && answer.code == code, "\(answer)")
        let missing = try await fixture.send("GET", "/nowhere", parameter)
        #expect(missing.code == "NoSuchBucket", "\(missing)")
    }

    @Test(arguments: ["accelerate", "logging", "requestPayment"])
    func `S3-TRAPS 27: a configuration that is off is an empty document`(parameter: String) async throws {
        let answer = try await GatewayFixture().send("GET", "/bucket", parameter)
        #expect(answer.status == 200, "\(answer)")
    }

    @Test func `S3-TRAPS 27: the owner has full control of bucket and object`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", bytes("content"))
        for path in ["/bucket", "/bucket/key"] {
            let answer = try await fixture.send("GET", path, "acl")
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.text.contains("<Permission>FULL_CONTROL</Permission>"))
            #expect(answer.text.contains("xsi:type=\"CanonicalUser\""))
        }
        #expect(try await fixture.send("GET", "/bucket/missing", "acl").code == "NoSuchKey")
    }

    @Test(arguments: ["lifecycle", "website", "encryption"])
    func `setting one is refused, deleting one succeeds, and the bucket stays`(parameter: String) async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/bucket", parameter, body: bytes("<x/>")).code == "NotImplemented")
        #expect(try await fixture.send("DELETE", "/bucket", parameter).status == 204)
        #expect(try await fixture.send("HEAD", "/bucket").status == 200)
    }
}
