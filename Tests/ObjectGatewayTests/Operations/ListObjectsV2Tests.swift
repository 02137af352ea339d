import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct ListObjectsV2Tests {
    @Test func `tokens lead through all keys, and KeyCount counts`() async throws {
        let fixture = try await GatewayFixture()
        let keys = (0..<7).map { "key-\($0)" }
        try await fixture.putAll(keys)
        var found: [String] = []
        var query = "list-type=2&max-keys=3"
        for _ in 0..<10 {
            let page = try await fixture.list(query)
            found += page.keys
            #expect(page.string("KeyCount") == "\(page.keys.count)")
            guard let token = page.string("NextContinuationToken") else {
                #expect(!page.isTruncated)
                break
            }
            #expect(page.isTruncated)
            query = "list-type=2&max-keys=3&continuation-token=\(encoded(token))"
        }
        #expect(found == keys)
    }

    @Test func `S3-TRAPS 16: keys are in the order of their bytes`() async throws {
        let fixture = try await GatewayFixture()
        let keys = ["B", "a", "a b", "a+b", "a-", "a/", "a0", "aé", "é", "日", "🙂", "\u{FFFD}", "a\u{1}"]
        try await fixture.putAll(keys)
        let sorted = keys.sorted { bytes($0).lexicographicallyPrecedes(bytes($1)) }
        let page = try await fixture.list("list-type=2&encoding-type=url")
        #expect(page.keys == sorted.map { String(ascii: PercentEncoding.encodeForListing(bytes($0))) })
    }

    @Test(
        arguments: [
            ("", "/", ["a", "f"], ["b/", "c/"]), ("b/", "/", ["b/1", "b/2"], []), ("b", "/", [], ["b/"]),
            ("c/", "/", [], ["c/d/"]), ("c/d/", "/", ["c/d/e"], []), ("x", "/", [], []),
            ("", "/d/", ["a", "b/1", "b/2", "f"], ["c/d/"]), ("", "", ["a", "b/1", "b/2", "c/d/e", "f"], []),
            ("b/1", "/", ["b/1"], []), ("", "zz", ["a", "b/1", "b/2", "c/d/e", "f"], []),
        ] as [(String, String, [String], [String])])
    func `S3-TRAPS 16: prefixes and delimiters of any length roll up`(
        prefix: String, delimiter: String, keys: [String], prefixes: [String]
    ) async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a", "b/1", "b/2", "c/d/e", "f"])
        let page = try await fixture.list("list-type=2&prefix=\(encoded(prefix))&delimiter=\(encoded(delimiter))")
        #expect(page.keys == keys && page.prefixes == prefixes)
        #expect(page.string("Prefix") == prefix)
        #expect(page.string("Delimiter") == (delimiter.isEmpty ? nil : delimiter))
        #expect(page.string("KeyCount") == "\(keys.count + prefixes.count)")
    }

    @Test func `S3-TRAPS 16: a common prefix counts as one entry toward max-keys`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a/1", "a/2", "a/3", "b/1", "c"])
        let first = try await fixture.list("list-type=2&delimiter=%2F&max-keys=1")
        #expect(first.prefixes == ["a/"] && first.keys.isEmpty && first.isTruncated)
        let token = encoded(try #require(first.string("NextContinuationToken")))
        let second = try await fixture.list("list-type=2&delimiter=%2F&max-keys=2&continuation-token=\(token)")
        #expect(second.prefixes == ["b/"] && second.keys == ["c"] && !second.isTruncated)
    }

    @Test func `S3-TRAPS 16: start-after may lie inside a prefix`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a", "b/1", "b/2", "c"])
        let page = try await fixture.list("list-type=2&start-after=b%2F1")
        #expect(page.keys == ["b/2", "c"] && page.string("StartAfter") == "b/1")
        #expect(try await fixture.list("list-type=2&start-after=b%2F1&delimiter=%2F").prefixes == ["b/"])
        #expect(try await fixture.list("list-type=2&start-after=b%2F&delimiter=%2F").keys == ["c"])
        #expect(try await fixture.list("list-type=2&start-after=b%2F1&prefix=b%2F").keys == ["b/2"])
    }

    @Test func `a token goes before start-after`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a", "b", "c", "d"])
        let first = try await fixture.list("list-type=2&start-after=a&max-keys=1")
        #expect(first.keys == ["b"])
        let token = encoded(try #require(first.string("NextContinuationToken")))
        #expect(try await fixture.list("list-type=2&start-after=a&continuation-token=\(token)").keys == ["c", "d"])
    }

    @Test func `S3-TRAPS 17: max-keys 0 is an empty page that is not truncated`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a", "b"])
        let page = try await fixture.list("list-type=2&max-keys=0")
        #expect(page.keys.isEmpty && !page.isTruncated)
        #expect(page.string("KeyCount") == "0" && page.string("MaxKeys") == "0")
        #expect(page.child("NextContinuationToken") == nil)
    }

    @Test func `max-keys above a thousand is a thousand`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.list("list-type=2&max-keys=5000").string("MaxKeys") == "1000")
    }

    @Test func `S3-TRAPS 15: encoding-type url encodes keys, prefixes and delimiters, but no token`() async throws {
        let fixture = try await GatewayFixture()
        let keys = ["p q/a+b", "p q/a b", "p q/ü", "p q/x/1", "p q/\u{1}", "p q/a&<b", "p q/%41", "p q/*~"]
        try await fixture.putAll(keys)
        let page = try await fixture.list(
            "list-type=2&encoding-type=url&prefix=p%20q%2F&delimiter=%2F&start-after=p%20q%2F")
        #expect(page.string("EncodingType") == "url")
        #expect(page.string("Prefix") == "p+q/" && page.string("Delimiter") == "/")
        #expect(page.string("StartAfter") == "p+q/")
        #expect(page.prefixes == ["p+q/x/"])
        #expect(
            Set(page.keys) == [
                "p+q/a%2Bb", "p+q/a+b", "p+q/%C3%BC", "p+q/%01", "p+q/a%26%3Cb", "p+q/%2541", "p+q/*~",
            ])
        let first = try await fixture.list("list-type=2&encoding-type=url&max-keys=1")
        let token = try #require(first.string("NextContinuationToken"))
        let next = try await fixture.list("list-type=2&encoding-type=url&continuation-token=\(encoded(token))")
        #expect(next.string("ContinuationToken") == token)
        #expect(next.keys.count == keys.count - 1)
    }

    @Test func `a plus in a prefix of the query is a space, and an encoded one a plus`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.putAll(["a b", "a+b"])
        #expect(try await fixture.list("list-type=2&prefix=a%2Bb").keys == ["a+b"])
        #expect(try await fixture.list("list-type=2&prefix=a%20b").keys == ["a b"])
    }

    @Test func `keys that XML must escape come back as they are`() async throws {
        let fixture = try await GatewayFixture()
        let keys = ["<tag>", "a&b", "quote\"'", "tab\tcr\r"].sorted { bytes($0).lexicographicallyPrecedes(bytes($1)) }
        try await fixture.putAll(keys)
        #expect(try await fixture.list("list-type=2").keys == keys)
    }

    @Test func `the owner comes when it is asked for`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.list("list-type=2").child("Contents")?.child("Owner") == nil)
        #expect(try await fixture.list("list-type=2&fetch-owner=true").string("Contents", "Owner", "ID") == "admin")
    }

    @Test func `S3-TRAPS 17: deleted keys and former versions are not listed`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        for _ in 0..<3 { try await fixture.putAll(["a", "b", "c"]) }
        try await fixture.delete("b")
        let page = try await fixture.list("list-type=2&max-keys=2")
        #expect(page.keys == ["a", "c"] && !page.isTruncated)
    }

    @Test func `the checksum's algorithm is listed`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-sdk-checksum-algorithm", "CRC32C")])
        let page = try await fixture.list("list-type=2")
        #expect(page.string("Contents", "ChecksumAlgorithm") == "CRC32C")
        #expect(page.string("Contents", "ChecksumType") == "FULL_OBJECT")
    }

    @Test(arguments: ["continuation-token=%21", "continuation-token=nonsense", "max-keys=-1", "encoding-type=x"])
    func `bad arguments are refused`(query: String) async throws {
        let answer = try await GatewayFixture().send("GET", "/bucket", "list-type=2&" + query)
        #expect(answer.status == 400 && answer.code == "InvalidArgument")
    }
}
