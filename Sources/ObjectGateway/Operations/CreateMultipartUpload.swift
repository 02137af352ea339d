import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/CreateMultipartUpload.
struct CreateMultipartUpload: S3Operation {
    static let route = OperationRoute(
        name: "CreateMultipartUpload", method: .post, scope: .object, parameters: ["uploads"], action: .putObject)

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var attributes: ObjectAttributes
        var tags: [Tag]
        var checksumAlgorithm: DigestAlgorithm?
        var checksumKind: Checksum.Kind?
    }

    struct Output: Sendable {
        var bucket: BucketName
        var upload: Upload
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let head = request.head
        try UnservedHeaders.refuse(head)
        var input = Input(
            bucket: try request.bucketName(), key: try request.key(), attributes: try ObjectAttributes(head),
            tags: try request.tagsOfHeader())
        if let name = head.first("x-amz-checksum-algorithm") {
            guard let algorithm = DigestAlgorithm(s3Name: name) else {
                throw S3Error(
                    .invalidRequest,
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
                )
            }
            input.checksumAlgorithm = algorithm
            input.checksumKind = MultipartChecksums.defaultKind(of: algorithm)
        }
        if let text = head.first("x-amz-checksum-type") {
            guard let kind = Checksum.Kind(s3Name: text) else {
                throw S3Error(.invalidRequest, "Value for x-amz-checksum-type header is invalid.")
            }
            guard let algorithm = input.checksumAlgorithm else {
                throw S3Error(
                    .invalidRequest,
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
            }
            guard MultipartChecksums.isAllowed(algorithm, kind) else {
                throw S3Error(
                    .invalidRequest,
                    "The \(kind.s3Name.description) checksum type cannot be used with the \(algorithm.s3Name.description.lowercased()) checksum algorithm."
                )
            }
            input.checksumKind = kind
        }
        return input
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        guard let id = UploadID(Hex.encode(SecureRandom.bytes(16))) else { throw S3Error(.internalError) }
        let upload = Upload(
            id: id, bucket: bucket.id, key: input.key, owner: caller.owner(in: bucket), initiated: .now(),
            attributes: input.attributes, tags: input.tags, checksumAlgorithm: input.checksumAlgorithm,
            checksumKind: input.checksumKind)
        try await services.metadata.createUpload(upload)
        return Output(bucket: input.bucket, upload: upload)
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("InitiateMultipartUploadResult")
        xml.element("Bucket", output.bucket.utf8)
        xml.element("Key", output.upload.key.utf8)
        xml.element("UploadId", output.upload.id.utf8)
        var response = xml.response()
        if let algorithm = output.upload.checksumAlgorithm {
            response.headers.add("x-amz-checksum-algorithm", algorithm.s3Name.description)
        }
        if let kind = output.upload.checksumKind {
            response.headers.add("x-amz-checksum-type", kind.s3Name.description)
        }
        return response
    }
}
