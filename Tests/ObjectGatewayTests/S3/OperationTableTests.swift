import HTTPServer
import Metadata
import Testing

@testable import ObjectGateway

@Suite struct OperationTableTests {
    /// What the table finds, or the code with which it refuses.
    private func find(_ method: String, _ target: String, _ fields: [(String, String)] = []) throws -> String {
        let head = try #require(RequestHead.make(method: method, target: target, fields: fields))
        do {
            return try OperationTable.shared.find(head, RequestTarget(head, domains: [])).route.name.description
        } catch {
            return error.code.rawValue
        }
    }

    /// Each of these once meant an operation without its subresource: a bucket's tags were "deleted" with the bucket.
    @Test(arguments: [
        ("POST", "/bucket?tagging"), ("PUT", "/bucket?lifecycle"), ("HEAD", "/bucket?tagging"),
        ("DELETE", "/bucket?versioning"), ("DELETE", "/bucket?uploads"), ("PUT", "/bucket?location"),
        ("PUT", "/bucket/key?uploadId=x"), ("PUT", "/bucket/key?uploads"), ("DELETE", "/bucket/key?uploads"),
        ("PUT", "/bucket/key?attributes"), ("PUT", "/bucket?policyStatus"), ("PUT", "/bucket/key?acl"),
    ])
    func `a subresource that the operation does not have is refused, never ignored`(
        method: String, target: String
    ) throws {
        #expect(try find(method, target) == "NotImplemented")
    }

    @Test func `a method that nothing has is MethodNotAllowed`() throws {
        #expect(try find("PATCH", "/bucket/key") == "MethodNotAllowed")
        #expect(try find("POST", "/") == "MethodNotAllowed")
        #expect(try find("POST", "/bucket/key") == "MethodNotAllowed")
        #expect(try find("BREW", "/bucket") == "MethodNotAllowed")
    }

    @Test func `the operation that asks for most wins, and unknown parameters do not matter`() throws {
        #expect(try find("GET", "/bucket?list-type=2") == "ListObjectsV2")
        #expect(try find("GET", "/bucket?list-type=1") == "ListObjects")
        #expect(try find("GET", "/bucket/key?x-id=GetObject&versionId=null&partNumber=1") == "GetObject")
        #expect(try find("PUT", "/bucket/key?x-id=PutObject") == "PutObject")
        let source = [("x-amz-copy-source", "bucket/key")]
        #expect(try find("PUT", "/bucket/key", source) == "CopyObject")
        #expect(try find("PUT", "/bucket/key?partNumber=1&uploadId=x", source) == "UploadPartCopy")
        #expect(try find("PUT", "/bucket/key?tagging", source) == "PutObjectTagging")
    }

    @Test func `a bucket's tags cannot be deleted together with the bucket`() async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("DELETE", "/bucket", "tagging").status == 204)
        #expect(try await fixture.send("HEAD", "/bucket").status == 200)
    }
}
