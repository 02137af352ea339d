/// The error codes of S3 that this gateway answers, with status and default message.
/// Source: AWS, API/ErrorResponses.
enum S3ErrorCode: String, CaseIterable, Sendable {
    case accessDenied = "AccessDenied"
    case accessForbidden = "AccessForbidden"
    case authorizationHeaderMalformed = "AuthorizationHeaderMalformed"
    case authorizationQueryParametersError = "AuthorizationQueryParametersError"
    case badDigest = "BadDigest"
    case badRequest = "BadRequest"
    case bucketAlreadyExists = "BucketAlreadyExists"
    case bucketAlreadyOwnedByYou = "BucketAlreadyOwnedByYou"
    case bucketNotEmpty = "BucketNotEmpty"
    case entityTooLarge = "EntityTooLarge"
    case entityTooSmall = "EntityTooSmall"
    case illegalVersioningConfiguration = "IllegalVersioningConfigurationException"
    case incompleteBody = "IncompleteBody"
    case insufficientStorage = "InsufficientStorage"
    case internalError = "InternalError"
    case invalidAccessKeyID = "InvalidAccessKeyId"
    case invalidArgument = "InvalidArgument"
    case invalidBucketName = "InvalidBucketName"
    case invalidDigest = "InvalidDigest"
    case invalidLocationConstraint = "InvalidLocationConstraint"
    case invalidPart = "InvalidPart"
    case invalidPartNumber = "InvalidPartNumber"
    case invalidPartOrder = "InvalidPartOrder"
    case invalidRange = "InvalidRange"
    case invalidRequest = "InvalidRequest"
    case invalidStorageClass = "InvalidStorageClass"
    case invalidTag = "InvalidTag"
    case invalidURI = "InvalidURI"
    case keyTooLong = "KeyTooLongError"
    case malformedPolicy = "MalformedPolicy"
    case malformedTrailer = "MalformedTrailerError"
    case malformedXML = "MalformedXML"
    case maxMessageLengthExceeded = "MaxMessageLengthExceeded"
    case metadataTooLarge = "MetadataTooLarge"
    case methodNotAllowed = "MethodNotAllowed"
    case missingContentLength = "MissingContentLength"
    case noSuchBucket = "NoSuchBucket"
    case noSuchBucketPolicy = "NoSuchBucketPolicy"
    case noSuchCORSConfiguration = "NoSuchCORSConfiguration"
    case noSuchKey = "NoSuchKey"
    case noSuchLifecycleConfiguration = "NoSuchLifecycleConfiguration"
    case noSuchObjectLockConfiguration = "NoSuchObjectLockConfiguration"
    case noSuchPublicAccessBlockConfiguration = "NoSuchPublicAccessBlockConfiguration"
    case noSuchTagSet = "NoSuchTagSet"
    case noSuchUpload = "NoSuchUpload"
    case noSuchVariant = "NoSuchVariant"
    case noSuchVersion = "NoSuchVersion"
    case noSuchWebsiteConfiguration = "NoSuchWebsiteConfiguration"
    case notImplemented = "NotImplemented"
    case notModified = "NotModified"
    case objectLockConfigurationNotFound = "ObjectLockConfigurationNotFoundError"
    case ownershipControlsNotFound = "OwnershipControlsNotFoundError"
    case preconditionFailed = "PreconditionFailed"
    case replicationConfigurationNotFound = "ReplicationConfigurationNotFoundError"
    case requestTimeTooSkewed = "RequestTimeTooSkewed"
    case requestTimeout = "RequestTimeout"
    case serverSideEncryptionConfigurationNotFound = "ServerSideEncryptionConfigurationNotFoundError"
    case serviceUnavailable = "ServiceUnavailable"
    case signatureDoesNotMatch = "SignatureDoesNotMatch"
    case slowDown = "SlowDown"
    case tooManyBuckets = "TooManyBuckets"
    case variantNotPossible = "VariantNotPossible"
    case contentSHA256Mismatch = "XAmzContentSHA256Mismatch"

    var status: Int {
        switch self {
        case .accessDenied, .accessForbidden, .invalidAccessKeyID, .requestTimeTooSkewed, .signatureDoesNotMatch: 403
        case .noSuchBucket, .noSuchKey, .noSuchUpload, .noSuchVersion, .noSuchBucketPolicy, .noSuchCORSConfiguration,
            .noSuchLifecycleConfiguration, .noSuchObjectLockConfiguration, .noSuchPublicAccessBlockConfiguration,
            .noSuchTagSet, .noSuchVariant, .noSuchWebsiteConfiguration, .objectLockConfigurationNotFound,
            .ownershipControlsNotFound,
            .replicationConfigurationNotFound, .serverSideEncryptionConfigurationNotFound:
            404
        case .bucketAlreadyExists, .bucketAlreadyOwnedByYou, .bucketNotEmpty:
            409
        case .methodNotAllowed: 405
        case .missingContentLength: 411
        case .preconditionFailed: 412
        case .invalidRange, .invalidPartNumber: 416
        case .notModified: 304
        case .internalError: 500
        case .notImplemented: 501
        case .serviceUnavailable, .slowDown: 503
        case .variantNotPossible: 422
        case .insufficientStorage: 507
        default: 400
        }
    }

    var message: String {
        switch self {
        case .accessDenied: "Access Denied"
        case .accessForbidden: "CORSResponse: CORS is not enabled for this bucket."
        case .authorizationHeaderMalformed: "The authorization header you provided is invalid."
        case .authorizationQueryParametersError: "The authorization query parameters that you provided are not valid."
        case .badDigest: "The Content-MD5 or checksum value that you specified did not match what the server received."
        case .badRequest: "Bad Request"
        case .bucketAlreadyExists:
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
        case .bucketAlreadyOwnedByYou: "The bucket that you tried to create already exists, and you own it."
        case .bucketNotEmpty: "The bucket that you tried to delete is not empty."
        case .entityTooLarge: "Your proposed upload exceeds the maximum allowed object size."
        case .entityTooSmall: "Your proposed upload is smaller than the minimum allowed object size."
        case .illegalVersioningConfiguration: "The versioning configuration specified in the request is not valid."
        case .incompleteBody: "You did not provide the number of bytes specified by the Content-Length header."
        case .insufficientStorage: "The storage is full. Delete objects or add space, then try again."
        case .internalError: "An internal error occurred. Try again."
        case .invalidAccessKeyID: "The access key ID that you provided does not exist in our records."
        case .invalidArgument: "Invalid Argument"
        case .invalidBucketName: "The specified bucket is not valid."
        case .invalidDigest: "The Content-MD5 or checksum value that you specified is not valid."
        case .invalidLocationConstraint: "The specified location constraint is not valid."
        case .invalidPart:
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
        case .invalidPartNumber: "The requested partnumber is not satisfiable"
        case .invalidPartOrder: "The list of parts was not in ascending order. Parts must be ordered by part number."
        case .invalidRange: "The requested range is not satisfiable"
        case .invalidRequest: "Invalid Request"
        case .invalidStorageClass: "The storage class that you specified is not valid."
        case .invalidTag: "The tag provided was not a valid tag."
        case .invalidURI: "The specified URI couldn't be parsed."
        case .keyTooLong: "Your key is too long."
        case .malformedPolicy: "This policy contains invalid Json"
        case .malformedTrailer: "The request contained trailing data that was not well-formed."
        case .malformedXML:
            "The XML that you provided was not well formed or did not validate against our published schema."
        case .maxMessageLengthExceeded: "Your request was too large."
        case .metadataTooLarge: "Your metadata headers exceed the maximum allowed metadata size."
        case .methodNotAllowed: "The specified method is not allowed against this resource."
        case .missingContentLength: "You must provide the Content-Length HTTP header."
        case .noSuchBucket: "The specified bucket does not exist."
        case .noSuchBucketPolicy: "The bucket policy does not exist"
        case .noSuchCORSConfiguration: "The CORS configuration does not exist"
        case .noSuchLifecycleConfiguration: "The lifecycle configuration does not exist"
        case .noSuchObjectLockConfiguration: "The specified object does not have an ObjectLock configuration"
        case .noSuchPublicAccessBlockConfiguration: "The public access block configuration was not found"
        case .noSuchTagSet: "The TagSet does not exist"
        case .noSuchWebsiteConfiguration: "The specified bucket does not have a website configuration"
        case .objectLockConfigurationNotFound: "Object Lock configuration does not exist for this bucket"
        case .ownershipControlsNotFound: "The bucket ownership controls were not found"
        case .replicationConfigurationNotFound: "The replication configuration was not found"
        case .serverSideEncryptionConfigurationNotFound: "The server side encryption configuration was not found"
        case .noSuchKey: "The specified key does not exist."
        case .noSuchUpload:
            "The specified multipart upload does not exist. The upload ID might not be valid, or the multipart upload might have been aborted or completed."
        case .noSuchVariant: "The specified variant does not exist."
        case .noSuchVersion: "The specified version does not exist."
        case .notImplemented: "A header or query that you provided implies functionality that is not implemented."
        case .notModified: "Not Modified"
        case .preconditionFailed: "At least one of the preconditions that you specified did not hold."
        case .requestTimeTooSkewed: "The difference between the request time and the server's time is too large."
        case .requestTimeout: "Your socket connection to the server was not read from or written to in time."
        case .serviceUnavailable: "The service cannot handle the request now. Try again."
        case .signatureDoesNotMatch:
            "The request signature that the server calculated does not match the signature that you provided. Check your secret access key and signing method."
        case .slowDown: "Please reduce your request rate."
        case .variantNotPossible: "The variant cannot be made of this object."
        case .tooManyBuckets: "You have attempted to create more buckets than are allowed."
        case .contentSHA256Mismatch: "The provided 'x-amz-content-sha256' header does not match what was computed."
        }
    }
}
