import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct AbortMultipartUploadTests {
    @Test func `the upload and its parts are gone`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let etag = try await fixture.putPart(1, of: upload, bytes("p")).etag
        #expect(try await fixture.send("DELETE", "/bucket/key", "uploadId=\(upload)").status == 204)
        #expect(try await fixture.complete(upload, "key", [(1, etag, "")]).code == "NoSuchUpload")
        #expect(try await fixture.snapshot().count == 1)
        #expect(try await fixture.send("DELETE", "/bucket").status == 204)
    }

    @Test func `an upload that is gone, complete or another key's is NoSuchUpload`() async throws {
        let fixture = try await GatewayFixture()
        let other = try await fixture.createUpload("other")
        let done = try await fixture.createUpload()
        let etag = try await fixture.putPart(1, of: done, bytes("p")).etag
        _ = try await fixture.complete(done, "key", [(1, etag, "")])
        for upload in [other, done, "x", "0123456789abcdef0123456789abcdef"] {
            let answer = try await fixture.send("DELETE", "/bucket/key", "uploadId=\(upload)")
            #expect(answer.status == 404 && answer.code == "NoSuchUpload", "\(upload)")
        }
        #expect(try await fixture.get().text == "p")
    }
}
