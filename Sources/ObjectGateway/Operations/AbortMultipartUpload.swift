import Buckets
import HTTPServer
import Metadata
import Policies

/// API/AbortMultipartUpload.
struct AbortMultipartUpload: S3Operation {
    static let route = OperationRoute(
        name: "AbortMultipartUpload", method: .delete, scope: .object, parameters: ["uploadId"],
        action: .abortMultipartUpload)

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var upload: UploadID
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        Input(bucket: try request.bucketName(), key: try request.key(), upload: try request.uploadID())
    }

    func run(_ input: Input, as caller: Caller) async throws {
        let bucket = try await services.bucket(input.bucket)
        try await services.objects.abortUpload(input.upload, of: input.key, in: bucket.id)
    }

    static func encode(_ output: Void) -> Response { Response(status: 204) }
}
