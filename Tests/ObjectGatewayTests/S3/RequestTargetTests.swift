import Bytes
import HTTPServer
import Metadata
import Testing

@testable import ObjectGateway

@Suite struct RequestTargetTests {
    private static let domains = ["s3.example.com", "localhost"].map(bytes)

    private func target(_ target: String, host: String = "127.0.0.1:9000") throws -> RequestTarget {
        let head = try #require(RequestHead.make(method: "GET", target: target, fields: [("host", host)]))
        return try RequestTarget(head, domains: Self.domains)
    }

    private func code(_ target: String, host: String = "127.0.0.1:9000") -> S3ErrorCode? {
        do {
            _ = try self.target(target, host: host)
            return nil
        } catch { return (error as? S3Error)?.code }
    }

    @Test(
        arguments: [
            ("/", RequestTarget.Scope.service, "", nil), ("/?x=1", .service, "", nil),
            ("/bucket", .bucket, "bucket", nil),
            ("/bucket/", .bucket, "bucket", nil), ("/bucket/key", .object, "bucket", "key"),
            ("/bucket/a/b/", .object, "bucket", "a/b/"), ("/bucket//a", .object, "bucket", "/a"),
            ("/bucket//", .object, "bucket", "/"), ("/bucket/a%2Fb", .object, "bucket", "a/b"),
            ("/bucket/%252F", .object, "bucket", "%2F"), ("/bucket/../key", .object, "bucket", "../key"),
            ("/bucket/./key", .object, "bucket", "./key"), ("/bucket/a/../../x", .object, "bucket", "a/../../x"),
            ("/bucket/a+b", .object, "bucket", "a+b"), ("/bucket/a%20b", .object, "bucket", "a b"),
            ("/buck%65t/key", .object, "bucket", "key"), ("/a.b.c/key", .object, "a.b.c", "key"),
            ("/bucket/%00", .object, "bucket", "\0"),
        ] as [(String, RequestTarget.Scope, String, String?)])
    func `S3-TRAPS 33: a path is decoded once into bucket and key`(
        text: String, scope: RequestTarget.Scope, bucket: String, key: String?
    ) throws {
        let target = try target(text)
        #expect(target.scope == scope)
        #expect(String(decoding: target.bucketText, as: UTF8.self) == bucket)
        #expect(target.key.map { String(decoding: $0.utf8, as: UTF8.self) } == key)
    }

    @Test(arguments: [
        ("bucket.s3.example.com", "bucket"), ("bucket.s3.example.com:9000", "bucket"),
        ("a.b.s3.example.com", "a.b"), ("BUCKET.S3.Example.COM", "bucket"), ("bucket.localhost:9000", "bucket"),
    ])
    func `S3-TRAPS 23: a host below a domain names the bucket`(host: String, bucket: String) throws {
        let object = try target("/bucket/key", host: host)
        #expect(object.bucket?.description == bucket)
        #expect(object.key?.text == "bucket/key")
        #expect(try target("/", host: host).scope == .bucket)
        #expect(try target("//", host: host).key?.text == "/")
    }

    @Test(arguments: [
        "s3.example.com", "s3.example.com:9000", ".s3.example.com", "example.com", "xs3.example.com", "127.0.0.1",
        "[::1]:9000",
    ])
    func `any other host leaves the path its bucket`(host: String) throws {
        let target = try target("/bucket/key", host: host)
        #expect(target.bucket?.description == "bucket" && target.key?.text == "key")
    }

    @Test func `what cannot be a target is refused`() {
        #expect(code("/bucket/%zz") == .invalidURI)
        #expect(code("/bucket/%4") == .invalidURI)
        #expect(code("/%zz") == .invalidURI)
        #expect(code("/bucket?a=%zz") == .invalidURI)
        #expect(code("*") == .invalidURI)
        #expect(code("//key") == .invalidBucketName)
        #expect(code("/bucket/" + String(repeating: "k", count: 1025)) == .keyTooLong)
        #expect(code("/bucket/" + String(repeating: "%6B", count: 1024)) == nil)
    }

    @Test func `a name that no bucket can have is kept for the message`() throws {
        let target = try target("/UPPER/key")
        #expect(target.bucket == nil && target.bucketText == bytes("UPPER"))
    }

    @Test func `S3-TRAPS 23: both styles read the same object`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put("a/b", bytes("content"))
        let answer = try await fixture.send("GET", "/a/b", host: "bucket.localhost:9000")
        #expect(answer.text == "content")
        #expect(try await fixture.send("PUT", "/new", body: bytes("x"), host: "bucket.localhost").status == 200)
        #expect(try await fixture.get("new").text == "x")
    }
}
