import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct UploadPartTests {
    private func send(
        _ fixture: GatewayFixture, _ query: String, headers: [(String, String)] = [], body: [UInt8] = bytes("part"),
        form: AuthForm = .header
    ) async throws -> Answer {
        try await fixture.send("PUT", "/bucket/key", query, headers: headers, body: body, form: form)
    }

    @Test(arguments: AuthForm.allCases)
    func `a part is stored under its number, in every form`(form: AuthForm) async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let answer = try await send(fixture, "partNumber=1&uploadId=\(upload)", form: form)
        #expect(answer.etag == "\"\(Hex.string(Digest.md5(bytes("part"))))\"")
        #expect(try await fixture.complete(upload, "key", [(1, answer.etag, "")]).status == 200)
        #expect(try await fixture.get().text == "part")
    }

    @Test func `S3-TRAPS 29: a part may be uploaded again, and the last one counts`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let first = try await fixture.putPart(1, of: upload, bytes("first")).etag
        let second = try await fixture.putPart(1, of: upload, bytes("second")).etag
        #expect(try await fixture.complete(upload, "key", [(1, first, "")]).code == "InvalidPart")
        #expect(try await fixture.complete(upload, "key", [(1, second, "")]).status == 200)
        #expect(try await fixture.get().text == "second")
    }

    @Test(arguments: DigestAlgorithm.checksums)
    func `S3-TRAPS 8: the part's checksum is verified and answered`(algorithm: DigestAlgorithm) async throws {
        let fixture = try await GatewayFixture()
        let name = algorithm.headerName.description
        let value = Base64.string(Digest.of(bytes("part"), algorithm))
        let upload = try await fixture.createUpload(headers: [
            ("x-amz-checksum-algorithm", algorithm.s3Name.description)
        ])
        let query = "partNumber=1&uploadId=\(upload)"
        #expect(try await send(fixture, query, headers: [(name, value)])[name] == value)
        // Without one the server computes it.
        #expect(try await send(fixture, query)[name] == value)
        let wrong = Base64.string(Digest.of([], algorithm))
        #expect(try await send(fixture, query, headers: [(name, wrong)]).code == "BadDigest")
    }

    @Test func `a checksum of another algorithm than the upload's is InvalidRequest`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload(headers: [("x-amz-checksum-algorithm", "SHA256")])
        let answer = try await send(
            fixture, "partNumber=1&uploadId=\(upload)",
            headers: [("x-amz-checksum-crc32", Base64.string(Digest.of(bytes("part"), .crc32)))])
        #expect(answer.code == "InvalidRequest")
    }

    @Test(arguments: ["0", "10001", "-1", "x", "", "1.5"])
    func `part numbers are 1 to 10000`(number: String) async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        #expect(try await send(fixture, "partNumber=\(number)&uploadId=\(upload)").code == "InvalidArgument")
        #expect(try await send(fixture, "partNumber=10000&uploadId=\(upload)").status == 200)
    }

    @Test func `an upload that is not there, or is another key's, is NoSuchUpload`() async throws {
        let fixture = try await GatewayFixture()
        let other = try await fixture.createUpload("other")
        for upload in ["x", "0123456789abcdef0123456789abcdef", "", other] {
            let answer = try await send(fixture, "partNumber=1&uploadId=\(upload)")
            #expect(answer.status == 404 && answer.code == "NoSuchUpload", "\(upload): \(answer)")
        }
    }

    @Test func `a wrong Content-MD5 stores no part`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let answer = try await send(
            fixture, "partNumber=1&uploadId=\(upload)", headers: [("content-md5", Base64.string(Digest.md5([])))])
        #expect(answer.code == "BadDigest")
        let listed = try await fixture.get("key", "uploadId=\(upload)").xml("ListPartsResult")
        #expect(listed.children("Part").isEmpty)
    }

    @Test func `a part above the limit is EntityTooLarge`() async throws {
        let fixture = try await GatewayFixture { $0.objectSizeMax = 3 }
        let upload = try await fixture.createUpload()
        #expect(try await send(fixture, "partNumber=1&uploadId=\(upload)").code == "EntityTooLarge")
    }
}
