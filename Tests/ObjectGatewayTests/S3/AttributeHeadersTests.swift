import Bytes
import HTTPServer
import Metadata
import Testing

@testable import ObjectGateway

@Suite struct AttributeHeadersTests {
    private func attributes(_ fields: [(String, String)]) throws -> ObjectAttributes {
        try ObjectAttributes(try #require(RequestHead.make(method: "PUT", target: "/bucket/key", fields: fields)))
    }

    @Test func `fields are kept as they were sent, and empty ones are none`() throws {
        let read = try attributes([
            ("Content-Type", "Text/PLAIN; charset=x"), ("cache-control", ""), ("expires", "not a date"),
        ])
        #expect(read.contentType == bytes("Text/PLAIN; charset=x"))
        #expect(read.cacheControl == nil)
        #expect(read.expires == bytes("not a date"))
    }

    @Test(
        arguments: [
            ("aws-chunked", nil), ("AWS-Chunked", nil), ("aws-chunked,gzip", "gzip"), ("gzip , aws-chunked", "gzip"),
            ("br,gzip", "br, gzip"), ("aws-chunked,", nil), ("", nil),
        ] as [(String, String?)])
    func `S3-TRAPS 5: aws-chunked is no coding of the object`(sent: String, kept: String?) throws {
        #expect(try attributes([("content-encoding", sent)]).contentEncoding == kept.map(bytes))
    }

    @Test func `user metadata is lower case by name, in order, and joined where doubled`() throws {
        let read = try attributes([
            ("X-Amz-Meta-B", "1"), ("x-amz-meta-a", "2"), ("x-amz-meta-b", "3"), ("x-amz-meta-", "none"),
            ("x-amz-metadata-directive", "COPY"),
        ])
        #expect(
            read.userMetadata == [
                UserMetadata(name: bytes("b"), value: bytes("1,3")), UserMetadata(name: bytes("a"), value: bytes("2")),
            ])
    }

    @Test func `2048 bytes of names and values are the most`() throws {
        #expect(try attributes([("x-amz-meta-name", String(repeating: "v", count: 2044))]).userMetadata.count == 1)
        #expect { try attributes([("x-amz-meta-name", String(repeating: "v", count: 2045))]) } throws: {
            ($0 as? S3Error)?.code == .metadataTooLarge
        }
    }

    @Test func `storage classes are AWS's, and STANDARD is none`() throws {
        #expect(try attributes([("x-amz-storage-class", "STANDARD")]).storageClass == nil)
        #expect(try attributes([("x-amz-storage-class", "GLACIER")]).storageClass == bytes("GLACIER"))
        for text in ["glacier", "COLD"] {
            #expect { try attributes([("x-amz-storage-class", text)]) } throws: {
                ($0 as? S3Error)?.code == .invalidStorageClass
            }
        }
    }
}
