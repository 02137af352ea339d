import Buckets
import Bytes
import Digests
import Files
import Metadata
import TestSupport
import Testing
import XML

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct GetObjectTests {
    private static let body = bytes("0123456789")

    private func fixture(_ body: [UInt8] = body) async throws -> GatewayFixture {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", body)
        return fixture
    }

    @Test func `the whole object comes with its length, ETag and date`() async throws {
        let answer = try await fixture().get()
        #expect(answer.status == 200)
        #expect(answer.body == Self.body)
        #expect(answer.length == 10)
        #expect(answer["accept-ranges"] == "bytes")
        #expect(answer.etag == "\"\(Hex.string(Digest.md5(Self.body)))\"")
        let text = try #require(answer["last-modified"])
        let date = try #require(DateFormats.parseHTTP(bytes(text)))
        #expect(abs(date.seconds - now().seconds) < 60)
        #expect(answer["x-amz-request-id"]?.count == 16)
        #expect(answer["x-amz-version-id"] == nil)
    }

    @Test(arguments: [
        ("bytes=0-0", "0", "0-0"), ("bytes=2-5", "2345", "2-5"), ("bytes=5-", "56789", "5-9"),
        ("bytes=-3", "789", "7-9"), ("bytes=-100", "0123456789", "0-9"), ("bytes=8-100", "89", "8-9"),
        ("bytes=0-18446744073709551615", "0123456789", "0-9"), ("BYTES=1-2", "12", "1-2"),
    ])
    func `a range is 206 with its place`(range: String, text: String, place: String) async throws {
        let answer = try await fixture().get(headers: [("range", range)])
        #expect(answer.status == 206)
        #expect(answer.text == text)
        #expect(answer["content-range"] == "bytes \(place)/10")
        #expect(answer.length == UInt64(text.utf8.count))
    }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=18446744073709551615-"])
    func `a range beyond the end is 416 with the size`(range: String) async throws {
        let answer = try await fixture().get(headers: [("range", range)])
        #expect(answer.status == 416)
        #expect(answer.code == "InvalidRange")
        #expect(answer.detail("ActualObjectSize") == "10")
        #expect(answer["content-range"] == "bytes */10")
    }

    @Test(arguments: [
        "bytes=5-2", "bytes=a-b", "bytes", "chars=0-1", "bytes=0-1,3-4", "bytes=-", "bytes=99999999999999999999-",
    ])
    func `a range that cannot be read is ignored`(range: String) async throws {
        let answer = try await fixture().get(headers: [("range", range)])
        #expect(answer.status == 200)
        #expect(answer.body == Self.body)
    }

    @Test func `an empty object has no range`() async throws {
        let fixture = try await fixture([])
        let whole = try await fixture.get()
        #expect(whole.status == 200 && whole.body.isEmpty && whole.length == 0)
        for range in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            #expect(try await fixture.get(headers: [("range", range)]).status == 416)
        }
    }

    @Test func `response parameters replace fields of the answer`() async throws {
        let fixture = try await fixture()
        let query =
            "response-content-type=text%2Fhtml&response-cache-control=no-store&response-content-language=fr"
            + "&response-expires=never&response-content-disposition=inline&response-content-encoding=br"
        for form in [AuthForm.header, .presigned] {
            let answer = try await fixture.send("GET", "/bucket/key", query, form: form)
            #expect(answer["content-type"] == "text/html")
            #expect(answer["cache-control"] == "no-store")
            #expect(answer["content-language"] == "fr")
            #expect(answer["expires"] == "never")
            #expect(answer["content-disposition"] == "inline")
            #expect(answer["content-encoding"] == "br")
        }
        #expect(try await fixture.send("GET", "/bucket/key", query, signedBy: nil).code == "AccessDenied")
    }

    @Test func `S3-TRAPS 37: a line break in a parameter never makes a header`() async throws {
        let answer = try await fixture().get("key", "response-content-type=a%0D%0Aset-cookie%3A%20b%3D1")
        #expect(answer["set-cookie"] == nil)
        #expect(answer["content-type"]?.hasPrefix("a") == true)
    }

    @Test func `a missing key and a missing bucket have their own codes`() async throws {
        let fixture = try await fixture()
        let key = try await fixture.get("missing")
        #expect(key.status == 404 && key.code == "NoSuchKey" && key.detail("Key") == "missing")
        #expect(key.detail("Resource") == "/bucket/missing")
        #expect(key.detail("RequestId") == key["x-amz-request-id"])
        let bucket = try await fixture.get(bucket: "missing")
        #expect(bucket.status == 404 && bucket.code == "NoSuchBucket")
    }

    @Test func `a subresource that is not served is NotImplemented, never the object`() async throws {
        let fixture = try await fixture()
        for name in ["torrent", "policy", "select", "website"] {
            #expect(try await fixture.get("key", name).status == 501, "\(name)")
        }
    }
}

/// Conditions of reads, by RFC 9110 section 13.
@Suite struct GetObjectConditionTests {
    private let past = "Sat, 01 Jan 2000 00:00:00 GMT"
    private let future = "Fri, 01 Jan 2100 00:00:00 GMT"

    @Test func `entity tags decide`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        let bare = etag.replacing("\"", with: "")
        func status(_ name: String, _ value: String) async throws -> [Int] {
            [
                try await fixture.get(headers: [(name, value)]).status,
                try await fixture.head(headers: [(name, value)]).status,
            ]
        }
        for value in [etag, bare, "*", "\"a\", \(etag)", "W/\(etag)"] {
            #expect(try await status("if-match", value) == [200, 200], "\(value)")
            #expect(try await status("if-none-match", value) == [304, 304], "\(value)")
        }
        for value in ["\"other\"", "other", "\"a\",\"b\""] {
            #expect(try await status("if-match", value) == [412, 412], "\(value)")
            #expect(try await status("if-none-match", value) == [200, 200], "\(value)")
        }
    }

    @Test func `a 304 names the entity and has no body`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        let answer = try await fixture.get(headers: [("if-none-match", etag)])
        #expect(answer.status == 304)
        #expect(answer.etag == etag)
        #expect(answer["last-modified"] != nil)
        #expect(answer.body.isEmpty)
    }

    @Test func `dates decide, and one in the future or unreadable is no condition`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let modified = try #require(try await fixture.get()["last-modified"])
        let expected: [(String, String, Int)] = [
            ("if-modified-since", past, 200), ("if-modified-since", modified, 304), ("if-modified-since", future, 200),
            ("if-modified-since", "yesterday", 200), ("if-unmodified-since", past, 412),
            ("if-unmodified-since", modified, 200), ("if-unmodified-since", future, 200),
            ("if-unmodified-since", "yesterday", 200),
        ]
        for (name, value, status) in expected {
            #expect(try await fixture.get(headers: [(name, value)]).status == status, "\(name): \(value)")
        }
    }

    @Test func `an entity tag makes the date of its kind void`() async throws {
        let fixture = try await GatewayFixture()
        let etag = try await fixture.put().etag
        let modified = try #require(try await fixture.get()["last-modified"])
        #expect(try await fixture.get(headers: [("if-match", etag), ("if-unmodified-since", past)]).status == 200)
        #expect(
            try await fixture.get(headers: [("if-none-match", "\"x\""), ("if-modified-since", modified)]).status == 200)
        #expect(try await fixture.get(headers: [("if-none-match", etag), ("if-modified-since", past)]).status == 304)
        #expect(try await fixture.get(headers: [("if-match", "\"x\""), ("if-none-match", etag)]).status == 412)
    }

    @Test func `a failed condition goes before a bad range`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let answer = try await fixture.get(headers: [("if-match", "\"x\""), ("range", "bytes=100-")])
        #expect(answer.status == 412)
    }
}

/// Versions, delete markers and parts.
@Suite struct GetObjectVersionTests {
    @Test func `a version is read by its id, and the latest without`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put("key", bytes("first")).version
        try await fixture.put("key", bytes("second"))
        let answer = try await fixture.get("key", "versionId=\(first)")
        #expect(answer.text == "first")
        #expect(answer.version == first)
        #expect(try await fixture.get().text == "second")
    }

    @Test func `S3-TRAPS 21: a delete marker is 404, and 405 when it is named`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let first = try await fixture.put().version
        let marker = try await fixture.delete().version
        let latest = try await fixture.get()
        #expect(latest.status == 404 && latest.code == "NoSuchKey")
        #expect(latest["x-amz-delete-marker"] == "true")
        #expect(latest.version == marker)
        let named = try await fixture.get("key", "versionId=\(marker)")
        #expect(named.status == 405 && named.code == "MethodNotAllowed")
        #expect(named["x-amz-delete-marker"] == "true")
        #expect(named["allow"] == "DELETE")
        #expect(named["last-modified"] != nil)
        #expect(try await fixture.get("key", "versionId=\(first)").status == 200)
    }

    @Test func `versions that do not exist or cannot exist are refused`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put()
        let absent = try await fixture.get("key", "versionId=0123456789abcdef0123456789abcdef")
        #expect(absent.status == 404 && absent.code == "NoSuchVersion")
        #expect(try await fixture.get("key", "versionId=null").code == "NoSuchVersion")
        #expect(try await fixture.get("key", "versionId=nonsense").code == "InvalidArgument")
        #expect(try await fixture.get("key", "versionId=").code == "InvalidArgument")
    }

    @Test func `an unversioned object is its null version`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        #expect(try await fixture.get("key", "versionId=null").text == "content")
    }

    @Test func `S3-TRAPS 8: a part is read by its number, with the count of parts`() async throws {
        let fixture = try await GatewayFixture()
        let parts = [pattern(partSizeMin, seed: 1), pattern(100, seed: 2)]
        try await fixture.putMultipart("key", parts, headers: [("x-amz-checksum-algorithm", "CRC32")])
        let size = partSizeMin + 100
        let first = try await fixture.get("key", "partNumber=1")
        #expect(first.status == 206 && first.body == parts[0])
        #expect(first["content-range"] == "bytes 0-\(partSizeMin - 1)/\(size)")
        let second = try await fixture.get("key", "partNumber=2", headers: [("x-amz-checksum-mode", "ENABLED")])
        #expect(second.status == 206 && second.body == parts[1])
        #expect(second["x-amz-mp-parts-count"] == "2")
        #expect(second["x-amz-checksum-crc32"] == Base64.string(Digest.of(parts[1], .crc32)))
        let third = try await fixture.get("key", "partNumber=3")
        #expect(third.status == 416 && third.code == "InvalidPartNumber")
        // A range over the border of two parts, and the whole.
        let across = try await fixture.get("key", headers: [("range", "bytes=\(partSizeMin - 2)-\(partSizeMin + 1)")])
        #expect(across.body == [UInt8](parts[0].suffix(2) + parts[1].prefix(2)))
        #expect(try await fixture.get().body == parts[0] + parts[1])
        #expect(try await fixture.get()["x-amz-mp-parts-count"] == nil)
    }

    @Test func `the first part of an object of one piece is the whole of it`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let answer = try await fixture.get("key", "partNumber=1")
        #expect(answer.status == 206 && answer.text == "content")
        #expect(try await fixture.get("key", "partNumber=2").code == "InvalidPartNumber")
    }

    @Test func `bad part numbers, and one beside a range, are refused`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        for number in ["0", "10001", "-1", "x", ""] {
            #expect(try await fixture.get("key", "partNumber=\(number)").code == "InvalidArgument", "\(number)")
        }
        let both = try await fixture.get("key", "partNumber=1", headers: [("range", "bytes=0-1")])
        #expect(both.code == "InvalidRequest")
    }

    @Test func `an object whose bytes are not what was written is an error, and never wrong bytes`() async throws {
        let fixture = try await GatewayFixture()
        let body = [UInt8](repeating: 7, count: 300_000)
        try await fixture.put("key", body)
        #expect(try await fixture.get().body == body)
        let key = try #require(ObjectKey("key".utf8))
        let version = try await fixture.store.version(of: key, in: fixture.bucket().id, version: nil)
        let blob = try #require(version?.content.blobs.first)
        let name = String(decoding: Hex.encode(blob.value, width: 16), as: UTF8.self)
        let path = fixture.folder.file("store/obj/\(name.dropLast(3).suffix(8))/\(name)")
        // Another process, which has not checked the file yet.
        let objects = ObjectStore(
            metadata: fixture.store,
            blobs: try LocalBlobs.open(
                try DataFolder.open(fixture.folder.file("store"), isLocked: false)), pool: GatewayFixture.pool)
        let gateway = Gateway(
            store: objects, users: fixture.users, log: Log(level: .error, descriptor: -1),
            metrics: Metrics(operations: Gateway.operationNames), configuration: GatewayConfiguration())
        try LinuxDisk().open(path, .update).write([8].span, at: 100_000)
        for range in ["bytes=0-", "bytes=100000-100000"] {
            let request = TestRequest(method: "GET", path: "/bucket/key", headers: [("range", range)])
            let wire = try request.signed(by: .admin, form: .header)
            let head = try #require(
                RequestHead.make(method: wire.method, target: wire.target, fields: wire.fields, body: .length(0)))
            let answer = try await Answer(
                collecting: await gateway.handle(
                    Request(
                        head: head, body: RequestBody(bytes: []),
                        connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false),
                        received: now())))
            #expect(answer.status == 500 && answer.code == "InternalError", "\(answer)")
        }
        #expect(objects.damage.count == 1)
    }
}
