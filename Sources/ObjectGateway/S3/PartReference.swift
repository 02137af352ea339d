import Digests
import HTTPServer
import Metadata

/// A part of a multipart upload, as UploadPart and UploadPartCopy name it.
struct PartReference: Sendable {
    static let numberMax = 10_000

    var bucket: BucketName
    var key: ObjectKey
    var upload: UploadID
    /// 1...10000.
    var number: Int

    init(_ request: S3Request) throws(S3Error) {
        bucket = try request.bucketName()
        key = try request.key()
        guard let value = try? request.number("partNumber", in: 1...Self.numberMax) else {
            throw .invalidArgument(
                "partNumber", request.query["partNumber"] ?? [],
                "Part number must be an integer between 1 and 10000, inclusive")
        }
        number = value
        upload = try request.uploadID()
    }
}

extension Services {
    /// The upload, or NoSuchUpload.
    func upload(_ id: UploadID, of key: ObjectKey, in bucket: Bucket) async throws -> Upload {
        guard let upload = try await metadata.upload(id, of: key, in: bucket.id) else {
            throw S3Error(.noSuchUpload).adding("UploadId", id.utf8)
        }
        return upload
    }
}
