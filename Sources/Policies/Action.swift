/// The rights of S3, named as in AWS policies (service-authorization/list_amazons3). A case's name is the action's, but for the case
/// of its first letter.
public enum Action: UInt8, Sendable, CaseIterable {
    // Of the service.
    case listAllMyBuckets, getAccountPublicAccessBlock, putAccountPublicAccessBlock
    // Of a bucket; CreateBucket names one that is not there yet.
    case createBucket, deleteBucket, listBucket, listBucketVersions, listBucketMultipartUploads, getBucketLocation
    case getBucketVersioning, putBucketVersioning
    case getBucketAcl, putBucketAcl
    case getBucketPolicy, putBucketPolicy, deleteBucketPolicy, getBucketPolicyStatus
    case getBucketPublicAccessBlock, putBucketPublicAccessBlock
    case getBucketOwnershipControls, putBucketOwnershipControls
    case getBucketTagging, putBucketTagging
    case getBucketCORS, putBucketCORS
    case getBucketNotification, putBucketNotification
    case getBucketLogging, putBucketLogging
    case getBucketRequestPayment, putBucketRequestPayment
    case getBucketWebsite, putBucketWebsite, deleteBucketWebsite
    case getBucketObjectLockConfiguration, putBucketObjectLockConfiguration
    case getEncryptionConfiguration, putEncryptionConfiguration
    case getLifecycleConfiguration, putLifecycleConfiguration
    case getReplicationConfiguration, putReplicationConfiguration
    case getAccelerateConfiguration, putAccelerateConfiguration
    case getAnalyticsConfiguration, putAnalyticsConfiguration
    case getInventoryConfiguration, putInventoryConfiguration
    case getMetricsConfiguration, putMetricsConfiguration
    case getIntelligentTieringConfiguration, putIntelligentTieringConfiguration
    case getBucketAbac, putBucketAbac
    // Of an object.
    case getObject, getObjectVersion, getObjectAttributes, getObjectVersionAttributes
    case putObject, deleteObject, deleteObjectVersion, restoreObject
    case abortMultipartUpload, listMultipartUploadParts
    case getObjectAcl, getObjectVersionAcl, putObjectAcl, putObjectVersionAcl
    case getObjectTagging, getObjectVersionTagging, putObjectTagging, putObjectVersionTagging
    case deleteObjectTagging, deleteObjectVersionTagging
    case getObjectLegalHold, putObjectLegalHold, getObjectRetention, putObjectRetention, bypassGovernanceRetention
    case getObjectTorrent, getObjectVersionTorrent, getObjectVersionForReplication
    case replicateObject, replicateDelete, replicateTags, initiateReplication, objectOwnerOverrideToBucketOwner
    case updateObjectEncryption

    /// What an action is done to; a statement's resources must be of that kind for it.
    public enum Kind: Sendable {
        case service, bucket, object
    }

    public var kind: Kind {
        if rawValue < Action.createBucket.rawValue { return .service }
        return rawValue < Action.getObject.rawValue ? .bucket : .object
    }

    /// As policies write it: `s3:GetObject`.
    public var name: String { Self.names[Int(rawValue)] }

    /// The action of this name, whatever the case of its letters.
    public init?(name: String) {
        guard let found = Self.byName[name.lowercased()] else { return nil }
        self = found
    }

    private static let names: [String] = allCases.map { action in
        let word = String(describing: action)
        return "s3:" + word.prefix(1).uppercased() + word.dropFirst()
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name.lowercased(), $0) })
}

/// A set of actions, asked for on each request.
struct ActionSet: Sendable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ actions: some Sequence<Action> = []) {
        for action in actions { insert(action) }
    }

    /// Those whose names match a pattern with `*` and `?`, such as `s3:Get*`.
    init(matching pattern: String) {
        let glob = Glob(wildcards: Array(pattern.lowercased().utf8))
        self.init(Action.allCases.filter { glob.matches(Array($0.name.lowercased().utf8)) })
    }

    mutating func insert(_ action: Action) {
        let bit = UInt64(1) << UInt64(action.rawValue & 63)
        if action.rawValue < 64 { low |= bit } else { high |= bit }
    }

    mutating func formUnion(_ other: ActionSet) {
        low |= other.low
        high |= other.high
    }

    func contains(_ action: Action) -> Bool {
        let bit = UInt64(1) << UInt64(action.rawValue & 63)
        return (action.rawValue < 64 ? low : high) & bit != 0
    }

    var isEmpty: Bool { low == 0 && high == 0 }
    var actions: [Action] { Action.allCases.filter(contains) }
    var complement: ActionSet { ActionSet(Action.allCases.filter { !contains($0) }) }
}
