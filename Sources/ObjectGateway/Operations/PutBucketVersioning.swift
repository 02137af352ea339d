import HTTPServer
import Metadata
import Policies
import XML

/// API/PutBucketVersioning. MFA delete is refused.
struct PutBucketVersioning: S3Operation {
    static let route = OperationRoute(
        name: "PutBucketVersioning", method: .put, scope: .bucket, parameters: ["versioning"],
        action: .putBucketVersioning, notes: "MFA delete is refused")

    struct Input: Sendable {
        var bucket: BucketName
        var state: VersioningState
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let bucket = try request.bucketName()
        let document = try await request.readXML()
        guard document.isNamed("VersioningConfiguration") else { throw S3Error(.malformedXML) }
        if let mfa = document.child("MfaDelete"), mfa.text.elementsEqual("Enabled".utf8) {
            throw S3Error(.notImplemented, "MFA delete is not available.")
        }
        guard let status = document.child("Status")?.text else { throw S3Error(.illegalVersioningConfiguration) }
        if status.elementsEqual("Enabled".utf8) { return Input(bucket: bucket, state: .enabled) }
        if status.elementsEqual("Suspended".utf8) { return Input(bucket: bucket, state: .suspended) }
        throw S3Error(.malformedXML)
    }

    func run(_ input: Input, as caller: Caller) async throws {
        try await services.metadata.setVersioning(input.state, of: try await services.bucket(input.bucket).id)
    }

    static func encode(_ output: Void) -> Response { Response(status: 200, body: .bytes([])) }
}
