import HTTPServer
import Metadata
import Policies

/// API/GetBucketLocation. us-east-1 is written as an empty element.
struct GetBucketLocation: S3Operation {
    static let route = OperationRoute(
        name: "GetBucketLocation", method: .get, scope: .bucket, parameters: ["location"], action: .getBucketLocation)

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
        let isDefault = output.region.utf8.elementsEqual("us-east-1".utf8)
        return S3Document("LocationConstraint", text: isDefault ? [] : [UInt8](output.region.utf8)).response()
    }
}
