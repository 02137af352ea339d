/// What a bucket says of access to it, made once for each revision of its configuration.
public struct BucketRules: Sendable {
    public enum Policy: Sendable {
        case none
        case readable(CompiledPolicy)
        /// What is stored cannot be read: nobody is let in but the account, to mend it.
        case unreadable
    }

    public var policy: Policy
    public var acl: ACL
    public var ownership: ObjectOwnership
    public var publicAccess: PublicAccess

    public init(
        policy: Policy = .none, acl: ACL, ownership: ObjectOwnership = .bucketOwnerEnforced,
        publicAccess: PublicAccess = .blocked
    ) {
        self.policy = policy
        self.acl = acl
        self.ownership = ownership
        self.publicAccess = publicAccess
    }

    /// Whether ACLs count at all.
    public var hasACLs: Bool { ownership != .bucketOwnerEnforced }
}

/// Whether a request is let in, and why.
public enum Decision: Sendable, Equatable {
    public enum Ground: Sendable, Equatable {
        case account
        case userPolicy(statement: String)
        case bucketPolicy(statement: String)
        case bucketACL
        case objectACL
    }

    public enum Refusal: Sendable, Equatable {
        case userPolicy(statement: String)
        case bucketPolicy(statement: String)
        case unreadablePolicy
        /// The bucket's policy would let the request in, but is public, and public buckets are restricted.
        case restrictedPublicBucket
        /// Nothing allows it.
        case implicit
    }

    case allowed(Ground)
    case denied(Refusal)

    public var isAllowed: Bool { if case .allowed = self { true } else { false } }

    /// Decides as AWS does within one account (IAM UserGuide, reference_policies_evaluation-logic): what any policy denies is denied;
    /// what a policy of the user or of the bucket allows is allowed, and so is what an ACL grants where ACLs count.
    ///
    /// `bucket` is nil for what is asked of the service, and for a bucket that is not there; `object` is the ACL of the object, or
    /// version, that the request names, nil where there is none.
    public static func decide(
        _ request: PolicyRequest, user policies: [CompiledPolicy], bucket: BucketRules?, object: ACL? = nil
    ) -> Decision {
        // The account can always reach a bucket's policy, or one that denies everything to everyone would be for ever.
        if request.caller == .root, request.action.isOfBucketPolicy { return .allowed(.account) }
        var allowed: Ground?
        for policy in policies {
            switch policy.verdict(on: request) {
            case .denies(let statement): return .denied(.userPolicy(statement: statement))
            case .allows(let statement): allowed = allowed ?? .userPolicy(statement: statement)
            case .silent: break
            }
        }
        if request.caller == .root { allowed = allowed ?? .account }
        guard let bucket else { return allowed.map(Decision.allowed) ?? .denied(.implicit) }
        var isRestricted = false
        switch bucket.policy {
        case .none: break
        case .unreadable: return .denied(.unreadablePolicy)
        case .readable(let policy):
            switch policy.verdict(on: request) {
            case .denies(let statement): return .denied(.bucketPolicy(statement: statement))
            case .allows(let statement):
                if policy.isPublic, bucket.publicAccess.restrictsPublicBuckets, request.caller == .anonymous {
                    isRestricted = true
                } else {
                    allowed = allowed ?? .bucketPolicy(statement: statement)
                }
            case .silent: break
            }
        }
        if let allowed { return .allowed(allowed) }
        if bucket.hasACLs, let ground = granted(request, bucket, object) { return .allowed(ground) }
        return .denied(isRestricted ? .restrictedPublicBucket : .implicit)
    }

    private static func granted(_ request: PolicyRequest, _ bucket: BucketRules, _ object: ACL?) -> Ground? {
        let ignoresPublic = bucket.publicAccess.ignoresPublicACLs
        if let permission = request.action.permissionOfBucket {
            let acl = ignoresPublic ? bucket.acl.withoutPublicGrants : bucket.acl
            if acl.permits(request.caller, permission), mayUse(permission, request, bucket, object) {
                return .bucketACL
            }
        }
        if let permission = request.action.permissionOfObject, let object {
            let acl = ignoresPublic ? object.withoutPublicGrants : object
            if acl.permits(request.caller, permission) { return .objectACL }
        }
        return nil
    }

    /// Who may write into a bucket may put new objects; to delete, one must own the bucket or the object as well.
    private static func mayUse(
        _ permission: Permission, _ request: PolicyRequest, _ bucket: BucketRules, _ object: ACL?
    ) -> Bool {
        guard permission == .write, request.action != .putObject else { return true }
        guard let caller = request.caller.id else { return false }
        if caller == bucket.acl.owner { return true }
        return request.action == .deleteObject && caller == object?.owner
    }
}

/// What a permission of an ACL stands for (userguide/acl-overview, Mapping of ACL permissions and access policy permissions).
extension Action {
    var permissionOfBucket: Permission? {
        switch self {
        case .listBucket, .listBucketVersions, .listBucketMultipartUploads: .read
        case .putObject, .deleteObject, .deleteObjectVersion: .write
        case .getBucketAcl: .readACP
        case .putBucketAcl: .writeACP
        default: nil
        }
    }

    var permissionOfObject: Permission? {
        switch self {
        case .getObject, .getObjectVersion, .getObjectTorrent: .read
        case .getObjectAcl, .getObjectVersionAcl: .readACP
        case .putObjectAcl, .putObjectVersionAcl: .writeACP
        default: nil
        }
    }

    var isOfBucketPolicy: Bool {
        switch self {
        case .getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy: true
        default: false
        }
    }
}
