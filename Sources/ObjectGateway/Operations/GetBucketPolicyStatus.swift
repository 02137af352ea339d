import HTTPServer
import Metadata
import Policies

/// API/GetBucketPolicyStatus.
struct GetBucketPolicyStatus: S3Operation {
    static let route = OperationRoute(
        name: "GetBucketPolicyStatus", method: .get, scope: .bucket, parameters: ["policyStatus"],
        action: .getBucketPolicyStatus)

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> BucketName { try request.bucketName() }

    /// Whether the policy is public.
    func run(_ input: BucketName, as caller: Caller) async throws -> Bool {
        let bucket = try await services.bucket(input)
        guard let text = bucket.configuration[.policy] else {
            throw S3Error(.noSuchBucketPolicy).adding("BucketName", input.utf8)
        }
        return try PolicyDocument(parsing: text, for: .bucket(input.utf8)).isPublic
    }

    static func encode(_ output: Bool) -> Response {
        var xml = S3Document("PolicyStatus")
        xml.element("IsPublic", output)
        return xml.response()
    }
}
