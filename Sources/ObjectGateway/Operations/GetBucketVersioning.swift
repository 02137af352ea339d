import HTTPServer
import Metadata
import Policies

/// API/GetBucketVersioning.
struct GetBucketVersioning: S3Operation {
    static let route = OperationRoute(
        name: "GetBucketVersioning", method: .get, scope: .bucket, parameters: ["versioning"],
        action: .getBucketVersioning)

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> BucketName { try request.bucketName() }

    func run(_ input: BucketName, as caller: Caller) async throws -> VersioningState {
        try await services.bucket(input).versioning
    }

    static func encode(_ output: VersioningState) -> Response {
        var xml = S3Document("VersioningConfiguration")
        switch output {
        case .unversioned: break
        case .enabled: xml.element("Status", "Enabled")
        case .suspended: xml.element("Status", "Suspended")
        }
        return xml.response()
    }
}
