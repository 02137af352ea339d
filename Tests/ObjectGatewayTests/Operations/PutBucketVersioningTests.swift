import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct PutBucketVersioningTests {
    private func document(_ inner: String) -> [UInt8] {
        bytes(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(inner)</VersioningConfiguration>"
        )
    }

    @Test func `a bucket is enabled, suspended and enabled again`() async throws {
        let fixture = try await GatewayFixture()
        for (status, state) in [("Enabled", VersioningState.enabled), ("Suspended", .suspended), ("Enabled", .enabled)]
        {
            let body = document("<Status>\(status)</Status>")
            #expect(try await fixture.send("PUT", "/bucket", "versioning", body: body).status == 200)
            #expect(try await fixture.bucket().versioning == state)
        }
    }

    @Test func `S3-TRAPS 21: the null version survives switching versioning on`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", bytes("old"))
        _ = try await fixture.send("PUT", "/bucket", "versioning", body: document("<Status>Enabled</Status>"))
        try await fixture.put("key", bytes("new"))
        #expect(try await fixture.get().text == "new")
        #expect(try await fixture.get("key", "versionId=null").text == "old")
    }

    @Test(arguments: [
        ("<Status>enabled</Status>", "MalformedXML"), ("", "IllegalVersioningConfigurationException"),
        ("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "NotImplemented"),
    ])
    func `other configurations are refused and change nothing`(inner: String, code: String) async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("PUT", "/bucket", "versioning", body: document(inner))
        #expect(answer.code == code)
        #expect(try await fixture.bucket().versioning == .unversioned)
    }

    @Test func `no body, broken XML and a missing bucket are refused`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/bucket", "versioning").code == "MalformedXML")
        #expect(try await fixture.send("PUT", "/bucket", "versioning", body: bytes("<a>")).code == "MalformedXML")
        let body = document("<Status>Enabled</Status>")
        #expect(try await fixture.send("PUT", "/missing", "versioning", body: body).code == "NoSuchBucket")
    }
}
