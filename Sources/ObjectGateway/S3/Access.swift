import Metadata

/// The rights that operations ask for, named as in AWS policies (service-authorization/list_amazons3).
enum Action: String, Sendable, CaseIterable {
    case listAllMyBuckets = "s3:ListAllMyBuckets"
    case createBucket = "s3:CreateBucket"
    case deleteBucket = "s3:DeleteBucket"
    case listBucket = "s3:ListBucket"
    case listBucketVersions = "s3:ListBucketVersions"
    case getBucketLocation = "s3:GetBucketLocation"
    case getBucketVersioning = "s3:GetBucketVersioning"
    case putBucketVersioning = "s3:PutBucketVersioning"
    case listBucketMultipartUploads = "s3:ListBucketMultipartUploads"
    case listMultipartUploadParts = "s3:ListMultipartUploadParts"
    case getObject = "s3:GetObject"
    case getObjectVersion = "s3:GetObjectVersion"
    case getObjectAttributes = "s3:GetObjectAttributes"
    case getObjectTagging = "s3:GetObjectTagging"
    case putObject = "s3:PutObject"
    case putObjectTagging = "s3:PutObjectTagging"
    case deleteObjectTagging = "s3:DeleteObjectTagging"
    case deleteObject = "s3:DeleteObject"
    case deleteObjectVersion = "s3:DeleteObjectVersion"
    case abortMultipartUpload = "s3:AbortMultipartUpload"
}

/// The one place that decides whether a caller may do something.
enum Access {
    /// Throws AccessDenied unless `caller` may do `action`.
    static func check(_ caller: Caller, may action: Action) throws(S3Error) {
        if !allows(caller.policy, action) {
            throw S3Error(.accessDenied, cause: "policy \(caller.policy.rawValue) lacks \(action.rawValue)")
        }
    }

    static func allows(_ policy: CannedPolicy, _ action: Action) -> Bool {
        switch policy {
        case .admin, .readwrite: true
        case .readonly: isRead(action)
        case .writeonly: isUpload(action)
        }
    }

    private static func isRead(_ action: Action) -> Bool {
        switch action {
        case .listAllMyBuckets, .listBucket, .listBucketVersions, .getBucketLocation, .getBucketVersioning,
            .listBucketMultipartUploads, .listMultipartUploadParts, .getObject, .getObjectVersion,
            .getObjectAttributes, .getObjectTagging:
            true
        case .createBucket, .deleteBucket, .putBucketVersioning, .putObject, .putObjectTagging, .deleteObjectTagging,
            .deleteObject, .deleteObjectVersion, .abortMultipartUpload:
            false
        }
    }

    /// What a client needs to upload, multipart included, and nothing that shows or removes what is stored.
    private static func isUpload(_ action: Action) -> Bool {
        switch action {
        case .putObject, .putObjectTagging, .getBucketLocation, .abortMultipartUpload, .listMultipartUploadParts: true
        default: false
        }
    }
}
