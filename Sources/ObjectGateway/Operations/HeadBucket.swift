import HTTPServer
import Metadata
import Policies

/// API/HeadBucket.
struct HeadBucket: S3Operation {
    static let route = OperationRoute(name: "HeadBucket", method: .head, scope: .bucket, action: .listBucket)

    struct Output: Sendable {
        var region: String
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> BucketName { try request.bucketName() }

    func run(_ input: BucketName, as caller: Caller) async throws -> Output {
        _ = try await services.bucket(input)
        return Output(region: services.configuration.region)
    }

    static func encode(_ output: Output) -> Response {
        var response = Response(status: 200, body: .headOnly(length: 0))
        response.headers.add("x-amz-bucket-region", output.region)
        response.headers.add("x-amz-access-point-alias", "false")
        return response
    }
}
