import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListObjectVersionsTests {
    private func list(_ fixture: GatewayFixture, _ query: String = "") async throws -> XMLElement {
        try await fixture.send("GET", "/bucket", query.isEmpty ? "versions" : "versions&\(query)")
            .xml("ListVersionsResult")
    }

    /// Versions and markers in the order of the document: `key/version`.
    private func entries(_ root: XMLElement) -> [String] {
        root.children.filter { $0.isNamed("Version") || $0.isNamed("DeleteMarker") }
            .map { "\($0.string("Key") ?? "")/\($0.string("VersionId") ?? "")" }
    }

    @Test func `versions come newest first within a key, markers among them`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("a", bytes("1")).version
        let second = try await fixture.put("a", bytes("22")).version
        let marker = try await fixture.delete("a").version
        let other = try await fixture.put("b").version
        let root = try await list(fixture)
        #expect(entries(root) == ["a/\(marker)", "a/\(second)", "a/\(first)", "b/\(other)"])
        #expect(root.strings("Version", "IsLatest") == ["false", "false", "true"])
        #expect(root.strings("DeleteMarker", "IsLatest") == ["true"])
        #expect(root.strings("Version", "Size") == ["2", "1", "7"])
        #expect(root.child("DeleteMarker")?.child("Size") == nil)
        #expect(root.child("DeleteMarker")?.child("ETag") == nil)
        #expect(root.string("Version", "Owner", "ID") == "admin")
    }

    @Test func `pages of any size lead through all versions`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        for key in ["a", "b", "c"] { for _ in 0..<3 { try await fixture.put(key) } }
        try await fixture.delete("b")
        let all = entries(try await list(fixture))
        #expect(all.count == 10)
        for size in 1...4 {
            var found: [String] = []
            var markers = ""
            for _ in 0..<12 {
                let page = try await list(fixture, "max-keys=\(size)\(markers)")
                found += entries(page)
                if !page.isTruncated { break }
                let key = try #require(page.string("NextKeyMarker"))
                let version = try #require(page.string("NextVersionIdMarker"))
                markers = "&key-marker=\(key)&version-id-marker=\(version)"
            }
            #expect(found == all, "pages of \(size)")
        }
    }

    @Test func `prefixes, delimiters and key markers select`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        for key in ["a/1", "a/1", "a/2", "b"] { try await fixture.put(key) }
        let rolled = try await list(fixture, "delimiter=%2F")
        #expect(rolled.prefixes == ["a/"] && rolled.strings("Version", "Key") == ["b"])
        #expect(try await list(fixture, "prefix=a%2F").strings("Version", "Key") == ["a/1", "a/1", "a/2"])
        #expect(try await list(fixture, "key-marker=a%2F1").strings("Version", "Key") == ["a/2", "b"])
        #expect(try await list(fixture, "delimiter=%2F&key-marker=a%2F").strings("Version", "Key") == ["b"])
        let first = try await list(fixture, "delimiter=%2F&max-keys=1")
        #expect(first.isTruncated && first.string("NextKeyMarker") == "a/")
        #expect(first.child("NextVersionIdMarker") == nil)
    }

    @Test func `an unversioned bucket lists null versions`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(entries(try await list(fixture)) == ["key/null"])
    }

    @Test func `max-keys 0 and url encoding work as in other listings`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put("a b+c")
        let none = try await list(fixture, "max-keys=0")
        #expect(entries(none).isEmpty && !none.isTruncated)
        #expect(try await list(fixture, "encoding-type=url").string("Version", "Key") == "a+b%2Bc")
    }

    @Test(arguments: [
        "version-id-marker=0123456789abcdef0123456789abcdef", "key-marker=a&version-id-marker=x", "max-keys=x",
    ])
    func `bad arguments are refused`(query: String) async throws {
        let answer = try await GatewayFixture().send("GET", "/bucket", "versions&" + query)
        #expect(answer.status == 400 && answer.code == "InvalidArgument")
    }
}
