/// What a bucket refuses of public access, whatever its policy and ACLs say (userguide/access-control-block-public-access).
public struct PublicAccess: Sendable, Equatable {
    /// Requests that would set a public ACL are refused.
    public var blocksPublicACLs: Bool
    /// Public grants of ACLs count for nothing.
    public var ignoresPublicACLs: Bool
    /// A policy that is public is refused.
    public var blocksPublicPolicy: Bool
    /// While its policy is public, a bucket is open to users only.
    public var restrictsPublicBuckets: Bool

    public init(
        blocksPublicACLs: Bool = false, ignoresPublicACLs: Bool = false, blocksPublicPolicy: Bool = false,
        restrictsPublicBuckets: Bool = false
    ) {
        self.blocksPublicACLs = blocksPublicACLs
        self.ignoresPublicACLs = ignoresPublicACLs
        self.blocksPublicPolicy = blocksPublicPolicy
        self.restrictsPublicBuckets = restrictsPublicBuckets
    }

    public static let open = PublicAccess()
    public static let blocked = PublicAccess(
        blocksPublicACLs: true, ignoresPublicACLs: true, blocksPublicPolicy: true, restrictsPublicBuckets: true)
}

/// Who owns what is put into a bucket, and whether ACLs count (userguide/about-object-ownership).
public enum ObjectOwnership: String, Sendable, CaseIterable {
    /// ACLs are off; the bucket's owner owns everything.
    case bucketOwnerEnforced = "BucketOwnerEnforced"
    /// The bucket's owner owns what is put with `bucket-owner-full-control`.
    case bucketOwnerPreferred = "BucketOwnerPreferred"
    /// Who puts an object owns it.
    case objectWriter = "ObjectWriter"
}
