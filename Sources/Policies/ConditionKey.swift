import Bytes

/// The name of a fact about a request that conditions look at: `aws:SourceIp`, `s3:ExistingObjectTag/team`.
/// Up to the slash its letters' case means nothing; the key of a tag counts as it is.
public struct ConditionKey: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    public init(_ text: some Collection<UInt8>) {
        let text = Array(text)
        let slash = text.firstIndex(of: Ascii.slash) ?? text.endIndex
        bytes = Ascii.lowered(text[..<slash]) + text[slash...]
    }

    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// In lower case up to the slash.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// What is asked of, without a tag's key: `s3:existingobjecttag`.
    public var name: String {
        String(decoding: bytes.prefix { $0 != Ascii.slash }, as: UTF8.self)
    }

    /// The key of the tag, behind the slash.
    public var tag: [UInt8]? { bytes.firstIndex(of: Ascii.slash).map { Array(bytes[($0 + 1)...]) } }

    // MARK: Those of S3 and of the gateway

    public static let sourceIP = ConditionKey("aws:SourceIp")
    public static let secureTransport = ConditionKey("aws:SecureTransport")
    public static let referer = ConditionKey("aws:Referer")
    public static let userAgent = ConditionKey("aws:UserAgent")
    public static let currentTime = ConditionKey("aws:CurrentTime")
    public static let epochTime = ConditionKey("aws:EpochTime")
    public static let username = ConditionKey("aws:username")
    public static let userID = ConditionKey("aws:userid")
    public static let principalARN = ConditionKey("aws:PrincipalArn")
    public static let principalType = ConditionKey("aws:PrincipalType")
    public static let principalAccount = ConditionKey("aws:PrincipalAccount")
    public static let requestedRegion = ConditionKey("aws:RequestedRegion")
    public static let resourceAccount = ConditionKey("aws:ResourceAccount")
    public static let tlsVersion = ConditionKey("s3:TlsVersion")
    public static let prefix = ConditionKey("s3:prefix")
    public static let delimiter = ConditionKey("s3:delimiter")
    public static let maxKeys = ConditionKey("s3:max-keys")
    public static let versionID = ConditionKey("s3:VersionId")
    public static let locationConstraint = ConditionKey("s3:LocationConstraint")
    public static let authType = ConditionKey("s3:authType")
    public static let signatureVersion = ConditionKey("s3:signatureversion")
    public static let signatureAge = ConditionKey("s3:signatureAge")
    public static let contentSHA256 = ConditionKey("s3:x-amz-content-sha256")
    public static let requestObjectTagKeys = ConditionKey("s3:RequestObjectTagKeys")
    public static let objectOwnership = ConditionKey("s3:x-amz-object-ownership")
    /// The name of the user who made the bucket. With `${aws:username}` as its value, a policy gives users their own buckets.
    public static let bucketOwner = ConditionKey("ogw:BucketOwner")

    public static func existingObjectTag(_ key: [UInt8]) -> ConditionKey {
        ConditionKey(Array("s3:ExistingObjectTag/".utf8) + key)
    }

    public static func requestObjectTag(_ key: [UInt8]) -> ConditionKey {
        ConditionKey(Array("s3:RequestObjectTag/".utf8) + key)
    }

    /// Facts that are the value of the field of the same name: `s3:x-amz-acl`.
    public static let fields: [StaticString] = [
        "x-amz-acl", "x-amz-copy-source", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp",
        "x-amz-grant-write", "x-amz-grant-write-acp", "x-amz-metadata-directive", "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-content-sha256", "x-amz-object-ownership",
        "if-match", "if-none-match",
    ]

    /// Whether a bucket's policy may name it: AWS refuses there what it does not know. Some are never known of a request here, such
    /// as those of organisations; a condition on them finds no value.
    var isKnown: Bool {
        if Self.known.contains(name) { return tag == nil }
        return Self.knownWithTag.contains(name) && tag?.isEmpty == false
    }

    private static let knownWithTag: Set = [
        "aws:principaltag", "aws:resourcetag", "aws:requesttag", "s3:existingobjecttag", "s3:requestobjecttag",
        "s3:buckettag",
    ]

    private static let known: Set<String> = {
        let keys: [ConditionKey] = [
            sourceIP, secureTransport, referer, userAgent, currentTime, epochTime, username, userID, principalARN,
            principalType, principalAccount, requestedRegion, resourceAccount, tlsVersion, prefix, delimiter, maxKeys,
            versionID, locationConstraint, authType, signatureVersion, signatureAge, contentSHA256,
            requestObjectTagKeys, objectOwnership, bucketOwner,
        ]
        let others = [
            "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:federatedprovider",
            "aws:multifactorauthage", "aws:multifactorauthpresent", "aws:principalisawsservice", "aws:principalorgid",
            "aws:principalorgpaths", "aws:principalservicename", "aws:principalservicenameslist", "aws:resourceorgid",
            "aws:resourceorgpaths", "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "aws:sourceorgid",
            "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:tagkeys",
            "aws:tokenissuetime", "aws:viaawsservice", "aws:vpcsourceip", "s3:accessgrantsinstancearn",
            "s3:accesspointnetworkorigin", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
            "s3:inventoryaccessibleoptionalfields", "s3:jobsuspendedcause", "s3:object-lock-legal-hold",
            "s3:object-lock-mode", "s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date",
            "s3:objectcreationoperation", "s3:resourceaccount",
        ]
        return Set(keys.map(\.description) + others + fields.map { "s3:\($0)" })
    }()
}
