import Bytes
import Digests
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct CompleteMultipartUploadTests {
    @Test func `S3-TRAPS 29: parts uploaded in any order make one object`() async throws {
        let fixture = try await GatewayFixture(versioning: .enabled)
        let upload = try await fixture.createUpload()
        let last = try await fixture.putPart(30, of: upload, bytes("tail")).etag
        let middle = try await fixture.putPart(7, of: upload, pattern(partSizeMin, seed: 2)).etag
        let first = try await fixture.putPart(2, of: upload, pattern(partSizeMin, seed: 1)).etag
        let answer = try await fixture.complete(upload, "key", [(2, first, ""), (7, middle, ""), (30, last, "")])
        let body = pattern(partSizeMin, seed: 1) + pattern(partSizeMin, seed: 2) + bytes("tail")
        let root = try answer.xml("CompleteMultipartUploadResult")
        #expect(root.string("Bucket") == "bucket" && root.string("Key") == "key")
        let digests = [pattern(partSizeMin, seed: 1), pattern(partSizeMin, seed: 2), bytes("tail")].flatMap(Digest.md5)
        let etag = "\"\(Hex.string(Digest.md5(digests)))-3\""
        #expect(root.string("ETag") == etag)
        #expect(answer.version.count == 32)
        let stored = try await fixture.get()
        #expect(stored.body == body && stored.etag == etag && stored.version == answer.version)
        #expect(try await fixture.snapshot().filter { $0.hasPrefix("upload") || $0.hasPrefix("part") }.isEmpty)
        #expect(try await fixture.get("key", "partNumber=7").body == pattern(partSizeMin, seed: 2))
        #expect(try await fixture.get("key", "partNumber=1").code == "InvalidPartNumber")
    }

    @Test func `S3-TRAPS 29: a list out of order or doubled is InvalidPartOrder`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let etag = try await fixture.putPart(1, of: upload, bytes("p")).etag
        _ = try await fixture.putPart(2, of: upload, bytes("p"))
        for numbers in [[2, 1], [1, 1]] {
            let answer = try await fixture.complete(upload, "key", numbers.map { ($0, etag, "") })
            #expect(answer.status == 400 && answer.code == "InvalidPartOrder")
        }
        #expect(try await fixture.get().code == "NoSuchKey")
    }

    @Test func `S3-TRAPS 29: a small part that is not the last is EntityTooSmall`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let first = try await fixture.putPart(1, of: upload, pattern(partSizeMin - 1)).etag
        let last = try await fixture.putPart(2, of: upload, bytes("x")).etag
        let answer = try await fixture.complete(upload, "key", [(1, first, ""), (2, last, "")])
        #expect(answer.status == 400 && answer.code == "EntityTooSmall")
        #expect(answer.detail("ProposedSize") == "\(partSizeMin - 1)")
        #expect(answer.detail("MinSizeAllowed") == "\(partSizeMin)")
        #expect(try await fixture.complete(upload, "key", [(1, first, "")]).status == 200)
    }

    @Test func `S3-TRAPS 29: a client that lost the answer may ask again`() async throws {
        for versioning in [VersioningState.unversioned, .enabled, .suspended] {
            let fixture = try await GatewayFixture(versioning: versioning)
            let upload = try await fixture.createUpload(headers: [("x-amz-checksum-algorithm", "CRC32")])
            let etag = try await fixture.putPart(1, of: upload, bytes("p")).etag
            let first = try await fixture.complete(upload, "key", [(1, etag, "")])
            let again = try await fixture.complete(upload, "key", [(1, etag, "")])
            #expect(again.status == 200)
            #expect(again.text == first.text)
            #expect(again["x-amz-version-id"] == first["x-amz-version-id"])
            #expect(try await fixture.snapshot().filter { $0.hasPrefix("version") }.count == 1)
        }
    }

    @Test func `a wrong ETag, an absent part and a wrong checksum are InvalidPart`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload(headers: [("x-amz-checksum-algorithm", "CRC32")])
        let etag = try await fixture.putPart(1, of: upload, bytes("p")).etag
        let right = Base64.string(Digest.of(bytes("p"), .crc32))
        let refused = [
            (1, "\"\(Hex.string(Digest.md5([])))\"", ""), (2, etag, ""), (1, "\"x\"", ""), (1, "", ""),
            (1, etag, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"),
        ]
        for part in refused {
            let answer = try await fixture.complete(upload, "key", [part])
            #expect(answer.status == 400 && answer.code == "InvalidPart", "\(part): \(answer)")
        }
        #expect(try await fixture.get().code == "NoSuchKey")
        let unquoted = etag.replacing("\"", with: "")
        let good = (1, unquoted, "<ChecksumCRC32>\(right)</ChecksumCRC32>")
        #expect(try await fixture.complete(upload, "key", [good]).status == 200)
    }

    @Test func `parts that are not listed are left out`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        _ = try await fixture.putPart(1, of: upload, bytes("left out"))
        let etag = try await fixture.putPart(2, of: upload, bytes("kept")).etag
        #expect(try await fixture.complete(upload, "key", [(2, etag, "")]).status == 200)
        #expect(try await fixture.get().text == "kept")
    }

    @Test func `S3-TRAPS 18: conditions hold, and a refused upload can still be completed`() async throws {
        let fixture = try await GatewayFixture()
        try await fixture.put()
        let upload = try await fixture.createUpload()
        let etag = try await fixture.putPart(1, of: upload, bytes("p")).etag
        func complete(_ name: String, _ value: String) async throws -> Int {
            try await fixture.complete(upload, "key", [(1, etag, "")], headers: [(name, value)]).status
        }
        #expect(try await complete("if-none-match", "*") == 412)
        #expect(try await complete("if-match", "\"x\"") == 412)
        #expect(try await fixture.get().text == "content")
        try await fixture.delete()
        #expect(try await complete("if-match", "*") == 404)
        #expect(try await complete("if-none-match", "*") == 200)
        #expect(try await complete("if-none-match", "*") == 200, "the same Complete again")
    }

    @Test(arguments: [
        "", "<CompleteMultipartUpload>", "<CompleteMultipartUpload/>", "<Other/>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>0</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
    ])
    func `what is no such document is MalformedXML`(text: String) async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let answer = try await fixture.send("POST", "/bucket/key", "uploadId=\(upload)", body: bytes(text))
        #expect(answer.status == 400 && answer.code == "MalformedXML", "\(answer)")
    }

    @Test func `an upload that is not there is NoSuchUpload`() async throws {
        let fixture = try await GatewayFixture()
        let etag = "\"\(Hex.string(Digest.md5([])))\""
        for upload in ["x", "0123456789abcdef0123456789abcdef"] {
            let answer = try await fixture.complete(upload, "key", [(1, etag, "")])
            #expect(answer.status == 404 && answer.code == "NoSuchUpload")
        }
    }

    @Test func `the size that the client states must be the object's`() async throws {
        let fixture = try await GatewayFixture()
        let upload = try await fixture.createUpload()
        let etag = try await fixture.putPart(1, of: upload, bytes("four")).etag
        func complete(_ size: String) async throws -> Int {
            try await fixture.complete(upload, "key", [(1, etag, "")], headers: [("x-amz-mp-object-size", size)]).status
        }
        #expect(try await complete("5") == 400)
        #expect(try await complete("x") == 400)
        #expect(try await complete("4") == 200)
    }
}

/// S3-TRAPS 7, 8: checksums over parts.
@Suite struct CompleteMultipartChecksumTests {
    private static let parts = [pattern(partSizeMin, seed: 3), pattern(1001, seed: 4)]

    private func upload(
        _ fixture: GatewayFixture, _ algorithm: DigestAlgorithm, _ type: String
    ) async throws -> (String, [(Int, String, String)]) {
        let id = try await fixture.createUpload(headers: [
            ("x-amz-checksum-algorithm", algorithm.s3Name.description), ("x-amz-checksum-type", type),
        ])
        var listed: [(Int, String, String)] = []
        for (index, part) in Self.parts.enumerated() {
            let answer = try await fixture.putPart(index + 1, of: id, part)
            let name = algorithm.elementName
            listed.append(
                (index + 1, answer.etag, "<\(name)>\(answer[algorithm.headerName.description] ?? "")</\(name)>"))
        }
        return (id, listed)
    }

    @Test(arguments: [DigestAlgorithm.crc32, .crc32c, .crc64nvme])
    func `FULL_OBJECT is the checksum of all bytes`(algorithm: DigestAlgorithm) async throws {
        let fixture = try await GatewayFixture()
        let (id, listed) = try await upload(fixture, algorithm, "FULL_OBJECT")
        let value = Base64.string(Digest.of(Self.parts[0] + Self.parts[1], algorithm))
        let wrong = try await fixture.complete(
            id, "key", listed, headers: [(algorithm.headerName.description, Base64.string(Digest.of([], algorithm)))])
        #expect(wrong.code == "BadDigest", "\(wrong)")
        #expect(try await fixture.get().code == "NoSuchKey")
        let answer = try await fixture.complete(
            id, "key", listed,
            headers: [(algorithm.headerName.description, value), ("x-amz-checksum-type", "FULL_OBJECT")])
        let root = try answer.xml("CompleteMultipartUploadResult")
        #expect(root.string("ChecksumType") == "FULL_OBJECT")
        #expect(root.children.contains { String(decoding: $0.text, as: UTF8.self) == value })
        let head = try await fixture.head(headers: [("x-amz-checksum-mode", "ENABLED")])
        #expect(head[algorithm.headerName.description] == value && head["x-amz-checksum-type"] == "FULL_OBJECT")
    }

    @Test(arguments: [DigestAlgorithm.crc32, .crc32c, .sha1, .sha256])
    func `COMPOSITE is the checksum of the parts' checksums, with their count`(algorithm: DigestAlgorithm) async throws
    {
        let fixture = try await GatewayFixture()
        let (id, listed) = try await upload(fixture, algorithm, "COMPOSITE")
        let value = Base64.string(Digest.of(Self.parts.flatMap { Digest.of($0, algorithm) }, algorithm)) + "-2"
        let answer = try await fixture.complete(
            id, "key", listed, headers: [(algorithm.headerName.description, value)])
        #expect(try answer.xml("CompleteMultipartUploadResult").string("ChecksumType") == "COMPOSITE")
        let head = try await fixture.head(headers: [("x-amz-checksum-mode", "ENABLED")])
        #expect(head[algorithm.headerName.description] == value && head["x-amz-checksum-type"] == "COMPOSITE")
    }

    @Test func `another type than the upload's is InvalidRequest`() async throws {
        let fixture = try await GatewayFixture()
        let (id, listed) = try await upload(fixture, .crc32, "COMPOSITE")
        let answer = try await fixture.complete(id, "key", listed, headers: [("x-amz-checksum-type", "FULL_OBJECT")])
        #expect(answer.code == "InvalidRequest")
    }
}
