import HTTPServer
import Metadata
import Policies

/// The configurations that a bucket or object can have on AWS and never has here: reading one answers as AWS does where it
/// was never set, deleting one succeeds, and setting one is refused as NotImplemented.
///
/// Clients ask for them on their way: Terraform reads all of a bucket's, backup tools read ACLs (S3-TRAPS 26, 27).
struct UnsetConfiguration: Sendable {
    enum Answer: Sendable {
        /// The configuration's own error.
        case error(S3ErrorCode)
        /// A document with these elements, in which nothing is set.
        case document(StaticString, [Element] = [])
        /// The owner has FULL_CONTROL; nobody else has any grant.
        case accessControl
        /// There is nothing to delete.
        case deleted
    }

    struct Element: Sendable {
        var name: StaticString
        var value: StaticString
    }

    let route: OperationRoute
    let answer: Answer

    private init(
        _ name: StaticString, _ method: RequestHead.Method, _ parameter: StaticString, _ action: Action,
        _ answer: Answer,
        scope: RequestTarget.Scope = .bucket
    ) {
        route = OperationRoute(
            name: name, method: method, scope: scope, parameters: [parameter], action: action,
            notes: "answers as where it was never set")
        self.answer = answer
    }

    static let all: [UnsetConfiguration] = [
        .init(
            "GetBucketAccelerateConfiguration", .get, "accelerate", .getAccelerateConfiguration,
            .document("AccelerateConfiguration")),
        .init("GetBucketAcl", .get, "acl", .getBucketAcl, .accessControl),
        .init(
            "GetBucketEncryption", .get, "encryption", .getEncryptionConfiguration,
            .error(.serverSideEncryptionConfigurationNotFound)),
        .init(
            "GetBucketLifecycleConfiguration", .get, "lifecycle", .getLifecycleConfiguration,
            .error(.noSuchLifecycleConfiguration)),
        .init("GetBucketLogging", .get, "logging", .getBucketLogging, .document("BucketLoggingStatus")),
        .init(
            "GetBucketOwnershipControls", .get, "ownershipControls", .getBucketOwnershipControls,
            .error(.ownershipControlsNotFound)),
        .init(
            "GetBucketReplication", .get, "replication", .getReplicationConfiguration,
            .error(.replicationConfigurationNotFound)),
        .init(
            "GetBucketRequestPayment", .get, "requestPayment", .getBucketRequestPayment,
            .document("RequestPaymentConfiguration", [Element(name: "Payer", value: "BucketOwner")])),
        .init("GetBucketWebsite", .get, "website", .getBucketWebsite, .error(.noSuchWebsiteConfiguration)),
        .init("GetObjectAcl", .get, "acl", .getObjectAcl, .accessControl, scope: .object),
        .init(
            "GetObjectLegalHold", .get, "legal-hold", .getObjectLegalHold, .error(.noSuchObjectLockConfiguration),
            scope: .object),
        .init(
            "GetObjectLockConfiguration", .get, "object-lock", .getBucketObjectLockConfiguration,
            .error(.objectLockConfigurationNotFound)),
        .init(
            "GetObjectRetention", .get, "retention", .getObjectRetention, .error(.noSuchObjectLockConfiguration),
            scope: .object),
        .init("DeleteBucketEncryption", .delete, "encryption", .putEncryptionConfiguration, .deleted),
        .init("DeleteBucketLifecycle", .delete, "lifecycle", .putLifecycleConfiguration, .deleted),
        .init("DeleteBucketOwnershipControls", .delete, "ownershipControls", .putBucketOwnershipControls, .deleted),
        .init("DeleteBucketReplication", .delete, "replication", .putReplicationConfiguration, .deleted),
        .init("DeleteBucketWebsite", .delete, "website", .deleteBucketWebsite, .deleted),
    ]

    static let entries = all.map { configuration in
        OperationTable.Entry(route: configuration.route, index: 0) { try await configuration.run($0, $1) }
    }

    private func run(_ request: S3Request, _ services: Services) async throws -> Response {
        let bucket = try await services.bucket(try request.bucketName())
        var owner = bucket.owner
        if route.scope == .object {
            owner = try await services.existingVersion(
                of: try request.key(), in: bucket, version: try request.versionID()
            ).owner
        }
        switch answer {
        case .error(let code): throw S3Error(code).adding("BucketName", bucket.name.utf8)
        case .deleted: return Response(status: 204)
        case .accessControl: return Self.accessControl(owner).response()
        case .document(let root, let elements):
            var xml = S3Document(root)
            for element in elements { xml.element(element.name, element.value) }
            return xml.response()
        }
    }

    private static func accessControl(_ owner: String) -> S3Document {
        var xml = S3Document("AccessControlPolicy")
        xml.owner("Owner", owner)
        xml.open("AccessControlList")
        xml.open("Grant")
        xml.open(
            "Grantee",
            attributes: [
                ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"), ("xsi:type", "CanonicalUser"),
            ])
        xml.element("ID", owner)
        xml.element("DisplayName", owner)
        xml.close("Grantee")
        xml.element("Permission", "FULL_CONTROL" as StaticString)
        xml.close("Grant")
        xml.close("AccessControlList")
        return xml
    }
}
