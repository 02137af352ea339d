import HTTPServer
import Metadata
import Policies

/// API/DeleteObjectTagging.
struct DeleteObjectTagging: S3Operation {
    static let route = OperationRoute(
        name: "DeleteObjectTagging", method: .delete, scope: .object, parameters: ["tagging"],
        action: .deleteObjectTagging)

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> ObjectReference { try ObjectReference(request) }

    func run(_ input: ObjectReference, as caller: Caller) async throws -> VersionID? {
        try await services.setTags([], of: input, noting: .taggingDelete, by: caller)
    }

    static func encode(_ output: VersionID?) -> Response {
        var response = Response(status: 204)
        if let output { response.headers.add("x-amz-version-id", output.utf8) }
        return response
    }
}
