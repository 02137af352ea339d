import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies
import XML

/// API/CompleteMultipartUpload.
struct CompleteMultipartUpload: S3Operation {
    static let route = OperationRoute(
        name: "CompleteMultipartUpload", method: .post, scope: .object, parameters: ["uploadId"], action: .putObject)

    /// The smallest part but the last, in bytes (userguide/qfacts).
    static let partSizeMin: UInt64 = 5 << 20

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var upload: UploadID
        var parts: [CompleteRequest.Part]
        var conditions: WriteConditions
        var size: UInt64?
        /// The checksum of the whole object that the client expects.
        var expected: AnnouncedChecksum?
        var expectedKind: Checksum.Kind?
        var location: [UInt8]
    }

    struct Output: Sendable {
        var input: Input
        var version: ObjectVersion
        var bucketIsVersioned: Bool
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let head = request.head
        let bucket = try request.bucketName()
        let key = try request.key()
        // The checksum headers are those of the whole object, not of this document.
        let document = try await request.readXML(sizeMax: 4 << 20, checksumHeadersAreOfBody: false)
        guard document.isNamed("CompleteMultipartUpload") else { throw S3Error(.malformedXML) }
        var size: UInt64?
        if let text = head.first("x-amz-mp-object-size") {
            guard let value = Ascii.decimal(text) else {
                throw S3Error.invalidArgument(
                    "x-amz-mp-object-size", text, "Value for x-amz-mp-object-size header is invalid.")
            }
            size = value
        }
        return Input(
            bucket: bucket, key: key, upload: try request.uploadID(), parts: try parts(of: document),
            conditions: try WriteConditions(head), size: size, expected: try expectedChecksum(head),
            expectedKind: head.first("x-amz-checksum-type").flatMap { Checksum.Kind(s3Name: $0) },
            location: head.path.isEmpty ? [] : [UInt8](head.path))
    }

    /// The list of the document, checked to ascend.
    private static func parts(of document: XMLElement) throws(S3Error) -> [CompleteRequest.Part] {
        var parts: [CompleteRequest.Part] = []
        for element in document.children where element.isNamed("Part") {
            guard let text = element.child("PartNumber")?.text, let number = Ascii.decimal(Ascii.trimmed(text)),
                number >= 1, number <= UInt64(Int32.max), let etag = element.child("ETag")?.text
            else { throw S3Error(.malformedXML) }
            guard number <= UInt64(PartReference.numberMax), parts.count < PartReference.numberMax else {
                throw .invalidArgument(
                    "partNumber", text, "PartNumber must be >= 1 and <= 10000")
            }
            if let last = parts.last, Int(number) <= last.number { throw S3Error(.invalidPartOrder) }
            guard case .etags(let tags) = ReadConditions.match(Ascii.trimmed(etag)), let tag = tags.first,
                let md5 = Hex.decode(tag), md5.count == 16
            else { throw S3Error(.invalidPart).adding("PartNumber", text).adding("ETag", etag) }
            var checksum: [UInt8]?
            for algorithm in DigestAlgorithm.checksums {
                if let text = element.child(algorithm.elementName)?.text { checksum = Base64.decode(text) ?? [] }
            }
            parts.append(CompleteRequest.Part(number: Int(number), md5: md5, checksum: checksum))
        }
        guard !parts.isEmpty else { throw S3Error(.malformedXML) }
        return parts
    }

    /// Composite checksums come with their count of parts, so the header is read apart from those of a body.
    private static func expectedChecksum(_ head: RequestHead) throws(S3Error) -> AnnouncedChecksum? {
        for algorithm in DigestAlgorithm.checksums {
            guard let text = head.first(algorithm.headerName) else { continue }
            let base = text.firstIndex(of: Ascii.dash).map { text[..<$0] } ?? text
            guard let value = Base64.decode(base), value.count == algorithm.length else {
                throw S3Error(.invalidRequest, "Value for \(algorithm.headerName.description) header is invalid.")
            }
            return AnnouncedChecksum(algorithm: algorithm, value: value)
        }
        return nil
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let upload = try await services.metadata.upload(input.upload, of: input.key, in: bucket.id)
        let request = CompleteRequest(
            upload: input.upload, bucket: bucket.id, key: input.key, parts: input.parts,
            partSizeMin: Self.partSizeMin, size: input.size,
            etag: MultipartChecksums.etag(ofParts: input.parts.map(\.md5)),
            checksum: try await checksum(input, of: upload), conditions: input.conditions)
        let version = try await services.complete(request, of: upload, in: bucket, by: caller)
        return Output(input: input, version: version, bucketIsVersioned: bucket.versioning != .unversioned)
    }

    /// The checksum of the whole from those of the parts. Nil for an upload without one, and for an upload that is gone:
    /// the store then answers with the result of the first Complete, or NoSuchUpload.
    private func checksum(_ input: Input, of upload: Upload?) async throws -> Checksum? {
        guard let upload, let algorithm = upload.checksumAlgorithm, let kind = upload.checksumKind else { return nil }
        if let expectedKind = input.expectedKind, expectedKind != kind {
            throw S3Error(
                .invalidRequest,
                "The upload was created using the \(kind.s3Name.description) checksum mode. The complete request must use the same checksum mode."
            )
        }
        let rows = try await services.metadata.parts(of: input.upload, after: 0, limit: PartReference.numberMax)
        let byNumber = Dictionary(rows.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        let named = input.parts.compactMap { byNumber[$0.number] }
        // The commit decides: the upload may have been completed meanwhile by a request that this one repeats.
        guard named.count == input.parts.count else { return nil }
        guard let whole = MultipartChecksums.checksum(algorithm, kind, of: named) else {
            throw S3Error(.internalError, cause: "a part has no checksum of the upload's algorithm")
        }
        if let expected = input.expected, expected.algorithm == algorithm, expected.value != whole.value {
            throw S3Error(
                .badDigest, "The \(algorithm.s3Name.description) you specified did not match the calculated checksum.")
        }
        return whole
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("CompleteMultipartUploadResult")
        xml.element("Location", output.input.location)
        xml.element("Bucket", output.input.bucket.utf8)
        xml.element("Key", output.input.key.utf8)
        xml.element("ETag", output.version.etag.quoted)
        if let checksum = output.version.checksum {
            xml.element(checksum.algorithm.elementName, checksum.text)
            xml.element("ChecksumType", checksum.kind.s3Name)
        }
        var response = xml.response()
        if output.bucketIsVersioned { response.headers.add("x-amz-version-id", output.version.versionID.utf8) }
        return response
    }
}
