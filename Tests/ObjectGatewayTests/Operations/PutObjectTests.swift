import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct PutObjectTests {
    @Test func `bytes come back as they went in`() async throws {
        let fixture = try await GatewayFixture()
        for size in [0, 1, 7, 131_072, 131_073, 1_000_003] {
            let body = pattern(size)
            let answer = try await fixture.put("size-\(size)", body)
            #expect(answer.etag == "\"\(Hex.string(Digest.md5(body)))\"")
            #expect(answer["x-amz-version-id"] == nil)
            #expect(try await fixture.get("size-\(size)").body == body)
        }
    }

    @Test(
        arguments: [
            "a+b", "a b", "a%b", "!'()*", "a//b", "./a", "../a", "a/../b", "trailing/", "ünïcödé", "日本", "a%2Fb", "a?b",
            "a#b",
            "a&b=c", "\u{1}\u{7F}", "\\", "🙂", " ", "~-_.", "x;y,z", "<>&\"'",
        ])
    func `S3-TRAPS 12, 13: a key is the bytes of its path, decoded once`(key: String) async throws {
        let fixture = try await GatewayFixture()
        for form in AuthForm.allCases {
            let body = bytes("\(key) \(form)")
            let answer = try await fixture.send("PUT", wirePath("bucket", key), body: body, form: form)
            try #require(answer.status == 200, "\(answer)")
            #expect(try await fixture.get(key).body == body)
        }
        let stored = try await fixture.store.version(
            of: try #require(ObjectKey(bytes(key))), in: try await fixture.bucket().id, version: nil)
        #expect(stored != nil)
    }

    @Test func `S3-TRAPS 13: an unencoded plus is a plus`() async throws {
        let fixture = try await GatewayFixture()
        _ = try await fixture.send("PUT", "/bucket/a+b", body: bytes("x"))
        #expect(try await fixture.get("a+b").status == 200)
        #expect(try await fixture.get("a b").code == "NoSuchKey")
    }

    @Test func `S3-TRAPS 14: keys are bytes of 1 to 1024, UTF-8 or not`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/bucket/%FF%FE", body: bytes("x")).status == 200)
        #expect(try await fixture.send("GET", "/bucket/%FF%FE").text == "x")
        let longest = String(repeating: "k", count: 1024)
        #expect(try await fixture.send("PUT", "/bucket/" + longest, body: bytes("x")).status == 200)
        let answer = try await fixture.send("PUT", "/bucket/" + longest + "k", body: bytes("x"))
        #expect(answer.status == 400)
        #expect(answer.code == "KeyTooLongError")
    }

    @Test func `keys that are equal as Unicode but not as bytes are two`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("caf\u{E9}", bytes("composed"))
        try await fixture.put("cafe\u{301}", bytes("decomposed"))
        #expect(try await fixture.get("caf\u{E9}").text == "composed")
        #expect(try await fixture.get("cafe\u{301}").text == "decomposed")
    }

    @Test func `system and user metadata come back`() async throws {
        let fixture = try await GatewayFixture()
        let fields = [
            ("content-type", "image/png"), ("cache-control", "no-cache"), ("content-disposition", "attachment"),
            ("content-encoding", "gzip"), ("content-language", "de"), ("expires", "Thu, 01 Dec 2094 16:00:00 GMT"),
            ("x-amz-website-redirect-location", "/other"), ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-meta-one", "1"), ("x-amz-meta-two-words", "a b"), ("x-amz-meta-utf8", "ü"),
        ]
        try await fixture.put("key", headers: fields)
        for answer in [try await fixture.get(), try await fixture.head()] {
            for (name, value) in fields { #expect(answer[name] == value, "\(name)") }
        }
    }

    @Test func `without a content type it is binary/octet-stream, and STANDARD is not named`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-storage-class", "STANDARD")])
        let answer = try await fixture.get()
        #expect(answer["content-type"] == "binary/octet-stream")
        #expect(answer["x-amz-storage-class"] == nil)
        #expect(answer["cache-control"] == nil)
    }

    @Test func `names of user metadata are lower case, and doubled ones are joined`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("X-Amz-Meta-Name", "a"), ("x-amz-meta-name", "b")])
        #expect(try await fixture.get()["x-amz-meta-name"] == "a,b")
    }

    @Test func `user metadata beyond 2 KiB is MetadataTooLarge`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-meta-a", String(repeating: "x", count: 2047))])
        let answer = try await fixture.send(
            "PUT", "/bucket/more", headers: [("x-amz-meta-a", String(repeating: "x", count: 2048))])
        #expect(answer.code == "MetadataTooLarge")
        #expect(try await fixture.get("more").code == "NoSuchKey")
    }

    @Test func `S3-TRAPS 5: aws-chunked is framing, gzip beside it is kept, and an empty value never`() async throws {
        let fixture = try await GatewayFixture()
        for (sent, kept) in [
            ("aws-chunked", nil), ("aws-chunked,gzip", "gzip"), ("gzip, aws-chunked", "gzip"), ("", nil),
        ] {
            let answer = try await fixture.send(
                "PUT", "/bucket/key", headers: sent.isEmpty ? [] : [("content-encoding", sent)], body: bytes("data"),
                form: .chunked)
            #expect(answer.status == 200)
            #expect(try await fixture.get()["content-encoding"] == kept)
        }
    }

    @Test(arguments: AuthForm.allCases)
    func `S3-TRAPS 3, 11: no framing is stored, in any form`(form: AuthForm) async throws {
        let fixture = try await GatewayFixture()
        for size in [0, 1, 2, 100_000] {
            let body = pattern(size)
            let answer = try await fixture.send("PUT", "/bucket/key", body: body, form: form)
            #expect(answer.status == 200, "\(answer)")
            let stored = try await fixture.get()
            #expect(stored.body == body)
            #expect(stored["content-encoding"] == nil)
        }
    }

    @Test func `an unknown storage class is refused`() async throws {
        let answer = try await GatewayFixture().send("PUT", "/bucket/key", headers: [("x-amz-storage-class", "TAPE")])
        #expect(answer.code == "InvalidStorageClass")
    }

    @Test(arguments: [
        ("x-amz-server-side-encryption", "AES256"), ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"), ("x-amz-object-lock-legal-hold", "ON"),
    ])
    func `what is not done is refused rather than ignored`(name: String, value: String) async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send("PUT", "/bucket/key", headers: [(name, value)], body: bytes("x"))
        #expect(answer.status == 501)
        #expect(try await fixture.get().code == "NoSuchKey")
    }

    @Test func `a missing bucket is NoSuchBucket`() async throws {
        #expect(try await GatewayFixture().send("PUT", "/missing/key", body: bytes("x")).code == "NoSuchBucket")
    }

    @Test func `an object above the limit is EntityTooLarge, announced or not`() async throws {
        let fixture = try await GatewayFixture { $0.objectSizeMax = 10 }
        try await fixture.put("key", pattern(10))
        for form in AuthForm.allCases {
            let answer = try await fixture.send("PUT", "/bucket/large", body: pattern(11), form: form)
            #expect(answer.status == 400)
            #expect(answer.code == "EntityTooLarge")
        }
        #expect(try await fixture.get("large").code == "NoSuchKey")
    }
}

/// Conditions, versions and tags of PutObject.
@Suite struct PutObjectConditionTests {
    @Test func `S3-TRAPS 18: If-None-Match * on an existing key is 412 and keeps it`() async throws {
        let fixture = try await GatewayFixture()
        let condition = [("if-none-match", "*")]
        try await fixture.put("key", bytes("first"), headers: condition)
        let answer = try await fixture.send("PUT", "/bucket/key", headers: condition, body: bytes("second"))
        #expect(answer.status == 412)
        #expect(answer.code == "PreconditionFailed")
        #expect(try await fixture.get().text == "first")
    }

    @Test func `S3-TRAPS 18: of many concurrent If-None-Match * exactly one wins`() async throws {
        let fixture = try await GatewayFixture()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<16 {
                group.addTask {
                    try await fixture.send(
                        "PUT", "/bucket/key", headers: [("if-none-match", "*")], body: bytes("\(number)")
                    ).status
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 200 }.count == 1)
        #expect(statuses.allSatisfy { $0 == 200 || $0 == 412 || $0 == 409 })
    }

    @Test func `If-Match writes over what it names, and nothing else`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put("key", bytes("first")).etag
        let wrong = try await fixture.send(
            "PUT", "/bucket/key", headers: [("if-match", "\"0123\"")], body: bytes("no"))
        #expect(wrong.status == 412)
        try await fixture.put("key", bytes("second"), headers: [("if-match", etag)])
        #expect(try await fixture.get().text == "second")
        let unquoted = try await fixture.get().etag.replacing("\"", with: "")
        try await fixture.put("key", bytes("third"), headers: [("if-match", unquoted)])
    }

    @Test func `S3-TRAPS 18: If-Match on a missing key is 404`() async throws {
        let fixture = try await GatewayFixture()
        for value in ["*", "\"0123\""] {
            let answer = try await fixture.send("PUT", "/bucket/key", headers: [("if-match", value)], body: bytes("x"))
            #expect(answer.status == 404)
            #expect(answer.code == "NoSuchKey")
        }
    }

    @Test func `a delete marker counts as no object`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put()
        try await fixture.delete()
        let missing = try await fixture.send("PUT", "/bucket/key", headers: [("if-match", "*")], body: bytes("x"))
        #expect(missing.status == 404)
        try await fixture.put("key", bytes("again"), headers: [("if-none-match", "*")])
    }

    @Test func `each put of a versioned bucket is a version`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        let second = try await fixture.put("key", bytes("second")).version
        #expect(first != second && first.count == 32)
        #expect(try await fixture.get("key", "versionId=\(first)").text == "first")
        #expect(try await fixture.get("key", "versionId=\(second)").text == "second")
        #expect(try await fixture.get().version == second)
    }

    @Test func `S3-TRAPS 21: a suspended bucket keeps exactly one null version`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        try await fixture.setVersioning(.suspended)
        #expect(try await fixture.put("key", bytes("second")).version == "null")
        #expect(try await fixture.put("key", bytes("third")).version == "null")
        #expect(try await fixture.get("key", "versionId=null").text == "third")
        #expect(try await fixture.get("key", "versionId=\(first)").text == "first")
        let listed = try await fixture.send("GET", "/bucket", "versions").xml("ListVersionsResult")
        #expect(listed.strings("Version", "VersionId") == ["null", first])
    }

    @Test func `tags of the header are stored and counted`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", headers: [("x-amz-tagging", "a=1&b=%C3%BC+x&c=")])
        #expect(try await fixture.get()["x-amz-tagging-count"] == "3")
        let set = try await fixture.get("key", "tagging").xml("Tagging").child("TagSet")
        #expect(set?.strings("Tag", "Key") == ["a", "b", "c"])
        #expect(set?.strings("Tag", "Value") == ["1", "ü x", ""])
    }

    @Test func `tags written doubly are InvalidArgument, and too many are refused`() async throws {
        let fixture = try await GatewayFixture()
        let doubled = try await fixture.send("PUT", "/bucket/key", headers: [("x-amz-tagging", "a=1&a=2")])
        #expect(doubled.code == "InvalidArgument")
        let eleven = (0..<11).map { "t\($0)=v" }.joined(separator: "&")
        let many = try await fixture.send("PUT", "/bucket/key", headers: [("x-amz-tagging", eleven)])
        #expect(many.status == 400)
        #expect(try await fixture.get().code == "NoSuchKey")
    }
}

/// S3-TRAPS 1, 2, 4, 8, 10: checksums by header, trailer and presigned query.
@Suite struct PutObjectChecksumTests {
    private static let body = bytes("the quick brown fox")

    private func value(_ algorithm: DigestAlgorithm, _ body: [UInt8] = body) -> String {
        Base64.string(Digest.of(body, algorithm))
    }

    @Test(arguments: DigestAlgorithm.checksums)
    func `a checksum header is verified, stored and answered`(algorithm: DigestAlgorithm) async throws {
        let fixture = try await GatewayFixture()
        let name = algorithm.headerName.description
        let answer = try await fixture.put("key", Self.body, headers: [(name, value(algorithm))])
        #expect(answer[name] == value(algorithm))
        #expect(answer["x-amz-checksum-type"] == "FULL_OBJECT")
        let read = try await fixture.get("key", headers: [("x-amz-checksum-mode", "ENABLED")])
        #expect(read[name] == value(algorithm))
        #expect(try await fixture.get()[name] == nil)
    }

    @Test(arguments: DigestAlgorithm.checksums, AuthForm.allCases)
    func `a wrong checksum header is BadDigest and stores nothing`(
        algorithm: DigestAlgorithm, form: AuthForm
    ) async throws {
        let fixture = try await GatewayFixture()
        let wrong = value(algorithm, bytes("other"))
        let answer = try await fixture.send(
            "PUT", "/bucket/key", headers: [(algorithm.headerName.description, wrong)], body: Self.body, form: form)
        #expect(answer.status == 400)
        #expect(answer.code == "BadDigest", "\(answer)")
        #expect(try await fixture.get().code == "NoSuchKey")
    }

    @Test(arguments: DigestAlgorithm.checksums, [AuthForm.chunkedTrailer, .unsignedTrailer])
    func `a checksum in the trailer is verified and stored`(algorithm: DigestAlgorithm, form: AuthForm) async throws {
        let fixture = try await GatewayFixture()
        let name = algorithm.headerName.description
        let good = try await fixture.send(
            "PUT", "/bucket/key", body: Self.body, form: form, trailers: [(name, value(algorithm))])
        #expect(good[name] == value(algorithm), "\(good)")
        let bad = try await fixture.send(
            "PUT", "/bucket/bad", body: Self.body, form: form, trailers: [(name, value(algorithm, []))])
        #expect(bad.code == "BadDigest")
        #expect(try await fixture.get("bad").code == "NoSuchKey")
        let broken = try await fixture.send(
            "PUT", "/bucket/bad", body: Self.body, form: form, trailers: [(name, "????")])
        #expect(broken.status == 400)
        #expect(try await fixture.get("bad").code == "NoSuchKey")
    }

    @Test(arguments: DigestAlgorithm.checksums)
    func `S3-TRAPS 10: a checksum in a presigned query is verified`(algorithm: DigestAlgorithm) async throws {
        let fixture = try await GatewayFixture()
        let name = algorithm.headerName.description
        func query(_ body: [UInt8]) -> String {
            "\(name)=" + String(ascii: PercentEncoding.encode(bytes(value(algorithm, body))))
        }
        let good = try await fixture.send("PUT", "/bucket/key", query(Self.body), body: Self.body, form: .presigned)
        #expect(good.status == 200, "\(good)")
        let bad = try await fixture.send("PUT", "/bucket/bad", query([]), body: Self.body, form: .presigned)
        #expect(bad.code == "BadDigest")
        #expect(try await fixture.get("bad").code == "NoSuchKey")
    }

    @Test func `an algorithm named without a value is computed by the server`() async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.put("key", Self.body, headers: [("x-amz-sdk-checksum-algorithm", "CRC64NVME")])
        #expect(answer["x-amz-checksum-crc64nvme"] == value(.crc64nvme))
    }

    @Test func `S3-TRAPS 4: two checksums, or a header and a trailer, are InvalidRequest`() async throws {
        let fixture = try await GatewayFixture()
        let two = try await fixture.send(
            "PUT", "/bucket/key",
            headers: [("x-amz-checksum-crc32", value(.crc32)), ("x-amz-checksum-sha1", value(.sha1))], body: Self.body)
        #expect(two.code == "InvalidRequest")
        let both = try await fixture.send(
            "PUT", "/bucket/key", headers: [("x-amz-checksum-crc32", value(.crc32))], body: Self.body,
            form: .unsignedTrailer, trailers: [("x-amz-checksum-crc32", value(.crc32))])
        #expect(both.code == "InvalidRequest")
        #expect(try await fixture.get().code == "NoSuchKey")
    }

    @Test(arguments: [
        ("x-amz-checksum-crc32", "????"), ("x-amz-checksum-crc32", "AAAA"), ("x-amz-checksum-sha256", "AAAAAA=="),
        ("x-amz-sdk-checksum-algorithm", "CRC7"),
    ])
    func `a checksum that cannot be one is InvalidRequest`(name: String, value: String) async throws {
        let answer = try await GatewayFixture().send("PUT", "/bucket/key", headers: [(name, value)], body: Self.body)
        #expect(answer.code == "InvalidRequest")
    }

    @Test func `Content-MD5 is verified`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", Self.body, headers: [("content-md5", value(.md5))])
        let wrong = try await fixture.send(
            "PUT", "/bucket/bad", headers: [("content-md5", value(.md5, []))], body: Self.body)
        #expect(wrong.code == "BadDigest")
        let broken = try await fixture.send("PUT", "/bucket/bad", headers: [("content-md5", "abc")], body: Self.body)
        #expect(broken.code == "InvalidDigest")
        #expect(try await fixture.get("bad").code == "NoSuchKey")
    }

    @Test func `a body of another length than announced is IncompleteBody`() async throws {
        let fixture = try await GatewayFixture()
        for form in [AuthForm.chunked, .chunkedTrailer, .unsignedTrailer] {
            var wire = try TestRequest(method: "PUT", path: "/bucket/key", body: Self.body).signed(form: form)
            wire.body.removeLast(wire.body.count / 2)
            let answer = try await fixture.send(wire)
            #expect(answer.status == 400 || answer.status == 403, "\(answer)")
        }
        #expect(try await fixture.get().code == "NoSuchKey")
    }
}
