import HTTPServer
import Metadata
import Policies

/// API/GetObjectTagging. An object without tags has an empty set.
struct GetObjectTagging: S3Operation {
    static let route = OperationRoute(
        name: "GetObjectTagging", method: .get, scope: .object, parameters: ["tagging"], action: .getObjectTagging)

    struct Output: Sendable {
        var version: ObjectVersion
        var bucketIsVersioned: Bool
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> ObjectReference { try ObjectReference(request) }

    func run(_ input: ObjectReference, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        return Output(
            version: try await services.existingVersion(of: input.key, in: bucket, version: input.version),
            bucketIsVersioned: bucket.versioning != .unversioned)
    }

    static func encode(_ output: Output) -> Response {
        var response = TagSet.document(output.version.tags).response()
        if output.bucketIsVersioned { response.headers.add("x-amz-version-id", output.version.versionID.utf8) }
        return response
    }
}
