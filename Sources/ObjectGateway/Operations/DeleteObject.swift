import Buckets
import HTTPServer
import Metadata
import Policies

/// API/DeleteObject. Deleting what does not exist succeeds.
struct DeleteObject: S3Operation {
    static let route = OperationRoute(name: "DeleteObject", method: .delete, scope: .object, action: .deleteObject)

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var version: VersionID?
        var conditions: WriteConditions
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        Input(
            bucket: try request.bucketName(), key: try request.key(), version: try request.versionID(),
            conditions: try WriteConditions(request.head))
    }

    func run(_ input: Input, as caller: Caller) async throws -> DeleteResult {
        let bucket = try await services.bucket(input.bucket)
        return try await services.delete(
            DeleteRequest(
                bucket: bucket.id, key: input.key, version: input.version, owner: caller.owner(in: bucket),
                conditions: input.conditions), in: bucket, by: caller)
    }

    static func encode(_ output: DeleteResult) -> Response {
        var response = Response(status: 204)
        if let version = output.versionID { response.headers.add("x-amz-version-id", version.utf8) }
        if output.isDeleteMarker { response.headers.add("x-amz-delete-marker", "true") }
        return response
    }
}
