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
    case getAccelerateConfiguration = "s3:GetAccelerateConfiguration"
    case getBucketAcl = "s3:GetBucketAcl"
    case getBucketCORS = "s3:GetBucketCORS"
    case getEncryptionConfiguration = "s3:GetEncryptionConfiguration"
    case getLifecycleConfiguration = "s3:GetLifecycleConfiguration"
    case getBucketLogging = "s3:GetBucketLogging"
    case getBucketNotification = "s3:GetBucketNotification"
    case getBucketOwnershipControls = "s3:GetBucketOwnershipControls"
    case getBucketPolicy = "s3:GetBucketPolicy"
    case getBucketPolicyStatus = "s3:GetBucketPolicyStatus"
    case getReplicationConfiguration = "s3:GetReplicationConfiguration"
    case getBucketRequestPayment = "s3:GetBucketRequestPayment"
    case getBucketTagging = "s3:GetBucketTagging"
    case getBucketWebsite = "s3:GetBucketWebsite"
    case getObjectAcl = "s3:GetObjectAcl"
    case getObjectLegalHold = "s3:GetObjectLegalHold"
    case getBucketObjectLockConfiguration = "s3:GetBucketObjectLockConfiguration"
    case getObjectRetention = "s3:GetObjectRetention"
    case getBucketPublicAccessBlock = "s3:GetBucketPublicAccessBlock"
    case putBucketNotification = "s3:PutBucketNotification"
    case putBucketCORS = "s3:PutBucketCORS"
    case putEncryptionConfiguration = "s3:PutEncryptionConfiguration"
    case putLifecycleConfiguration = "s3:PutLifecycleConfiguration"
    case putBucketOwnershipControls = "s3:PutBucketOwnershipControls"
    case deleteBucketPolicy = "s3:DeleteBucketPolicy"
    case putReplicationConfiguration = "s3:PutReplicationConfiguration"
    case putBucketTagging = "s3:PutBucketTagging"
    case deleteBucketWebsite = "s3:DeleteBucketWebsite"
    case putBucketPublicAccessBlock = "s3:PutBucketPublicAccessBlock"
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
            .getObjectAttributes, .getObjectTagging,
            .getAccelerateConfiguration, .getBucketAcl, .getBucketCORS, .getEncryptionConfiguration,
            .getLifecycleConfiguration, .getBucketLogging, .getBucketNotification, .getBucketOwnershipControls,
            .getBucketPolicy, .getBucketPolicyStatus, .getReplicationConfiguration, .getBucketRequestPayment,
            .getBucketTagging, .getBucketWebsite, .getObjectAcl, .getObjectLegalHold,
            .getBucketObjectLockConfiguration, .getObjectRetention, .getBucketPublicAccessBlock:
            true
        case .createBucket, .deleteBucket, .putBucketVersioning, .putObject, .putObjectTagging, .deleteObjectTagging,
            .deleteObject, .deleteObjectVersion, .abortMultipartUpload,
            .putBucketNotification, .putBucketCORS, .putEncryptionConfiguration, .putLifecycleConfiguration,
            .putBucketOwnershipControls, .deleteBucketPolicy, .putReplicationConfiguration, .putBucketTagging,
            .deleteBucketWebsite,
            .putBucketPublicAccessBlock:
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
