import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/UploadPart. A part may be uploaded again; the last one counts.
struct UploadPart: S3Operation {
    static let route = OperationRoute(
        name: "UploadPart", method: .put, scope: .object, parameters: ["partNumber", "uploadId"], action: .putObject)

    struct Input: Sendable {
        var part: PartReference
        /// Without the algorithm that the upload may ask for.
        var payload: Payload
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        try UnservedHeaders.refuse(request.head)
        return Input(part: try PartReference(request), payload: try Payload(request, defaultDigests: .md5))
    }

    func run(_ input: Input, as caller: Caller) async throws -> UploadedPart {
        let part = input.part
        let bucket = try await services.bucket(part.bucket)
        let upload = try await services.upload(part.upload, of: part.key, in: bucket)
        try input.payload.checkLength(atMost: services.configuration.objectSizeMax)
        var digests = input.payload.digests
        if let wanted = upload.checksumAlgorithm {
            if let sent = input.payload.checksumAlgorithm, sent != wanted {
                throw S3Error(
                    .invalidRequest,
                    "Checksum Type mismatch occurred, expected checksum Type: \(wanted.s3Name.description.lowercased()), actual checksum Type: \(sent.s3Name.description.lowercased())"
                )
            }
            digests.insert(DigestSet(wanted))
        }
        let staged = try await services.objects.stage(
            input.payload.source, digests: digests, sizeMax: services.configuration.objectSizeMax,
            label: BlobLabel(bucket: bucket.name, key: part.key, upload: upload.id, partNumber: part.number),
            mayBeInline: services.objects.partsMayBeInline)
        let sent = try input.payload.verify(size: staged.size, staged.digests)
        var checksum = sent.map { PartChecksum(algorithm: $0.algorithm, value: $0.value) }
        if let wanted = upload.checksumAlgorithm, let value = staged.digests[wanted] {
            checksum = PartChecksum(algorithm: wanted, value: value)
        }
        return try await services.objects.putPart(
            staged, number: part.number, checksum: checksum, upload: upload.id, key: part.key, bucket: bucket.id,
            now: .now())
    }

    static func encode(_ output: UploadedPart) -> Response {
        var response = Response(status: 200, body: .bytes([]))
        response.headers.add("etag", ETag(md5: output.md5).quoted)
        if let checksum = output.checksum {
            response.headers.add(
                checksum.algorithm.headerName,
                Checksum(algorithm: checksum.algorithm, kind: .fullObject, value: checksum.value).text)
        }
        return response
    }
}
