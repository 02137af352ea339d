import HTTPServer
import Metadata
import Policies

/// API/DeleteBucket. A bucket with versions or delete markers is BucketNotEmpty; uploads in progress are aborted.
struct DeleteBucket: S3Operation {
    static let route = OperationRoute(name: "DeleteBucket", method: .delete, scope: .bucket, action: .deleteBucket)

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> BucketName { try request.bucketName() }

    func run(_ input: BucketName, as caller: Caller) async throws {
        try await services.metadata.deleteBucket(try await services.bucket(input).id)
    }

    static func encode(_ output: Void) -> Response { Response(status: 204) }
}
