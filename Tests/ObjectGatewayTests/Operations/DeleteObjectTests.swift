import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct DeleteObjectTests {
    @Test func `S3-TRAPS 30: deleting what is missing is 204`() async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.delete("missing")
        #expect(answer["x-amz-version-id"] == nil && answer["x-amz-delete-marker"] == nil)
        try await fixture.put()
        try await fixture.delete()
        try await fixture.delete()
        #expect(try await fixture.get().code == "NoSuchKey")
        #expect(try await fixture.send("DELETE", "/missing/key").code == "NoSuchBucket")
    }

    @Test func `a versioned delete lays a marker over the object`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let version = try await fixture.put().version
        let answer = try await fixture.delete()
        #expect(answer["x-amz-delete-marker"] == "true")
        #expect(answer.version.count == 32 && answer.version != version)
        #expect(try await fixture.get("key", "versionId=\(version)").text == "content")
        #expect(try await fixture.delete("never-was")["x-amz-delete-marker"] == "true")
    }

    @Test func `removing the marker brings the object back`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let version = try await fixture.put().version
        let marker = try await fixture.delete().version
        let removed = try await fixture.delete("key", "versionId=\(marker)")
        #expect(removed["x-amz-delete-marker"] == "true" && removed.version == marker)
        #expect(try await fixture.get().version == version)
    }

    @Test func `a named version goes for good, and the one before becomes the latest`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        let second = try await fixture.put("key", bytes("second")).version
        let removed = try await fixture.delete("key", "versionId=\(second)")
        #expect(removed.version == second && removed["x-amz-delete-marker"] == nil)
        #expect(try await fixture.get().version == first)
        #expect(try await fixture.get("key", "versionId=\(second)").code == "NoSuchVersion")
        try await fixture.delete("key", "versionId=\(second)")
    }

    @Test func `S3-TRAPS 21: a suspended bucket replaces its null version by a null marker`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        try await fixture.setVersioning(.suspended)
        try await fixture.put("key", bytes("null one"))
        let answer = try await fixture.delete()
        #expect(answer.version == "null" && answer["x-amz-delete-marker"] == "true")
        #expect(try await fixture.get("key", "versionId=null").status == 405)
        #expect(try await fixture.get("key", "versionId=\(first)").text == "first")
        try await fixture.delete("key", "versionId=null")
        #expect(try await fixture.get().version == first)
    }

    @Test func `conditions are kept`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        func delete(_ name: String, _ value: String) async throws -> Int {
            try await fixture.send("DELETE", "/bucket/key", headers: [(name, value)]).status
        }
        #expect(try await delete("if-match", "\"other\"") == 412)
        #expect(try await delete("x-amz-if-match-size", "8") == 412)
        #expect(try await delete("x-amz-if-match-last-modified-time", "Sat, 01 Jan 2000 00:00:00 GMT") == 412)
        #expect(try await delete("x-amz-if-match-size", "x") == 400)
        #expect(try await delete("x-amz-if-match-last-modified-time", "x") == 400)
        #expect(try await fixture.get().status == 200)
        let modified = try #require(try await fixture.get()["last-modified"])
        let answer = try await fixture.send(
            "DELETE", "/bucket/key",
            headers: [
                ("if-match", etag), ("x-amz-if-match-size", "7"), ("x-amz-if-match-last-modified-time", modified),
            ])
        #expect(answer.status == 204)
        #expect(try await delete("if-match", "*") == 404)
    }

    @Test func `a version id that cannot be one is InvalidArgument`() async throws {
        let answer = try await GatewayFixture().send("DELETE", "/bucket/key", "versionId=x")
        #expect(answer.status == 400 && answer.code == "InvalidArgument")
    }
}
