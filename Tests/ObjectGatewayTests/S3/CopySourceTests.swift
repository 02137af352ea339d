import Metadata
import Testing

@testable import ObjectGateway

@Suite struct CopySourceTests {
    private static let id = "0123456789abcdef0123456789abcdef"

    @Test(
        arguments: [
            ("bucket/key", "key", nil), ("/bucket/key", "key", nil), ("bucket/a/b", "a/b", nil),
            ("bucket//a", "/a", nil),
            ("bucket/a%20b", "a b", nil), ("bucket/a+b", "a b", nil), ("bucket/%252F", "%2F", nil),
            ("bucket%2Fkey", "key", nil), ("bucket/key?versionId=null", "key", "null"),
            ("bucket/key?versionId=\(id)", "key", id), ("bucket/a?b", "a?b", nil),
            ("bucket/a%3FversionId%3Dx", "a?versionId=x", nil),
            ("bucket/a?versionId=b?versionId=null", "a?versionId=b", "null"),
        ] as [(String, String, String?)])
    func `S3-TRAPS 19: a source is decoded exactly once`(text: String, key: String, version: String?) throws {
        let source = try CopySource(bytes(text)[...])
        #expect(source.bucket.description == "bucket")
        #expect(source.key.text == key)
        #expect(source.version?.utf8 == version.map(bytes))
    }

    @Test(arguments: [
        "", "/", "bucket", "bucket/", "/bucket/", "//key", "UPPER/key", "bucket/%zz", "bucket/key?versionId=",
        "bucket/key?versionId=short", "arn:aws:s3:::bucket/key",
    ])
    func `what names no object is InvalidArgument`(text: String) {
        #expect { try CopySource(bytes(text)[...]) } throws: { ($0 as? S3Error)?.code == .invalidArgument }
    }

    @Test func `a key of 1025 bytes is none`() {
        let text = "bucket/" + String(repeating: "k", count: 1025)
        #expect(throws: S3Error.self) { try CopySource(bytes(text)[...]) }
    }
}
