import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct CreateBucketTests {
    private func configuration(_ region: String) -> [UInt8] {
        bytes(
            "<CreateBucketConfiguration><LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>")
    }

    @Test func `a bucket is made, owned by its maker, without versions`() async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("PUT", "/made", signedBy: .readwrite)
        #expect(answer.status == 200)
        #expect(answer["location"] == "/made")
        let made = try await fixture.bucket("made")
        #expect(made.owner == "readwrite")
        #expect(made.versioning == .unversioned)
    }

    @Test func `making one's own bucket again succeeds in us-east-1 and keeps its content`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.send("PUT", "/bucket").status == 200)
        #expect(try await fixture.get().text == "content")
    }

    @Test func `making one's own bucket again is BucketAlreadyOwnedByYou elsewhere`() async throws {
        let fixture = try await GatewayFixture { $0.region = "eu-west-1" }
        let wire = try TestRequest(method: "PUT", path: "/bucket").signed(region: "eu-west-1")
        let answer = try await fixture.send(wire)
        #expect(answer.status == 409)
        #expect(answer.code == "BucketAlreadyOwnedByYou")
    }

    @Test func `the bucket of another is BucketAlreadyExists`() async throws {
        let answer = try await GatewayFixture().send("PUT", "/bucket", signedBy: .readwrite)
        #expect(answer.status == 409)
        #expect(answer.code == "BucketAlreadyExists")
        #expect(answer.detail("BucketName") == "bucket")
    }

    @Test(
        arguments: [
            "ab", "Upper", "-dash", "dash-", ".dot", "a..b", "10.0.0.1", "under_score", "xn--a", "a-s3alias",
            "toolong-toolong-toolong-toolong-toolong-toolong-toolong-toolong-", "sp%20ace", "%C3%A4bc",
        ])
    func `names that AWS refuses are InvalidBucketName`(name: String) async throws {
        let fixture = try await GatewayFixture()
        let before = try await fixture.snapshot()
        let answer = try await fixture.send("PUT", "/" + name)
        #expect(answer.status == 400)
        #expect(answer.code == "InvalidBucketName")
        #expect(try await fixture.snapshot() == before)
    }

    @Test(arguments: ["abc", "a.b.c", "0-0", "toolong-toolong-toolong-toolong-toolong-toolong-toolong-toolong"])
    func `names that AWS allows are made`(name: String) async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/" + name).status == 200)
        #expect(try await fixture.send("HEAD", "/" + name).status == 200)
    }

    @Test func `the location may be the gateway's region or nothing`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/one", body: configuration("us-east-1")).status == 200)
        #expect(try await fixture.send("PUT", "/two", body: configuration("")).status == 200)
        let answer = try await fixture.send("PUT", "/three", body: configuration("eu-west-1"))
        #expect(answer.code == "InvalidLocationConstraint")
        #expect(try await fixture.send("HEAD", "/three").status == 404)
    }

    @Test(arguments: ["<broken", "<Other/>", "<!DOCTYPE a><CreateBucketConfiguration/>"])
    func `a body that is no configuration is MalformedXML`(body: String) async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("PUT", "/made", body: bytes(body))
        #expect(answer.status == 400)
        #expect(answer.code == "MalformedXML")
        #expect(try await fixture.send("HEAD", "/made").status == 404)
    }

    @Test func `object lock is refused rather than ignored`() async throws {
        let fixture = try await GatewayFixture()
        let locked = try await fixture.send("PUT", "/made", headers: [("x-amz-bucket-object-lock-enabled", "true")])
        #expect(locked.status == 501)
        let plain = try await fixture.send("PUT", "/made", headers: [("x-amz-bucket-object-lock-enabled", "False")])
        #expect(plain.status == 200)
    }
}
