/// What a grant gives (userguide/acl-overview).
public enum Permission: String, Sendable, CaseIterable {
    case fullControl = "FULL_CONTROL"
    case read = "READ"
    case write = "WRITE"
    case readACP = "READ_ACP"
    case writeACP = "WRITE_ACP"
}

/// The groups that AWS defines beforehand.
public enum GranteeGroup: String, Sendable, CaseIterable {
    case allUsers = "http://acs.amazonaws.com/groups/global/AllUsers"
    case authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
    case logDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery"

    /// Whether it makes what it is granted public.
    public var isPublic: Bool { self != .logDelivery }
}

public enum Grantee: Sendable, Hashable {
    /// By the id, which is the user's name here.
    case user(String)
    case group(GranteeGroup)
}

public struct Grant: Sendable, Hashable {
    public var grantee: Grantee
    public var permission: Permission

    public init(_ grantee: Grantee, _ permission: Permission) {
        self.grantee = grantee
        self.permission = permission
    }
}

/// Who may do what with a bucket or an object, beside what policies say.
public struct ACL: Sendable, Equatable {
    public static let grantsMax = 100

    /// The id of the owner of the bucket or object.
    public var owner: String
    /// In the order they were given.
    public var grants: [Grant]

    public init(owner: String, grants: [Grant]) {
        self.owner = owner
        self.grants = grants
    }

    /// The owner alone.
    public static func owned(by owner: String) -> ACL {
        ACL(owner: owner, grants: [Grant(.user(owner), .fullControl)])
    }

    /// Whether everyone, or everyone with a user, is granted something.
    public var isPublic: Bool { grants.contains { $0.isPublic } }

    /// What block public access leaves of it.
    public var withoutPublicGrants: ACL { ACL(owner: owner, grants: grants.filter { !$0.isPublic }) }

    func permits(_ caller: PolicyCaller, _ permission: Permission) -> Bool {
        // An owner can always see and mend who may do what.
        if permission == .readACP || permission == .writeACP, caller.id == owner { return true }
        return grants.contains { grant in
            (grant.permission == permission || grant.permission == .fullControl) && grant.grantee.includes(caller)
        }
    }
}

extension Grant {
    var isPublic: Bool {
        if case .group(let group) = grantee { group.isPublic } else { false }
    }
}

extension Grantee {
    func includes(_ caller: PolicyCaller) -> Bool {
        switch self {
        case .user(let id): caller.id == id
        case .group(.allUsers): true
        case .group(.authenticatedUsers): caller != .anonymous
        // Logs are delivered by the gateway itself.
        case .group(.logDelivery): false
        }
    }
}

/// A set of grants with a name (userguide/acl-overview, Canned ACL).
public enum CannedACL: String, Sendable, CaseIterable {
    case `private`
    case publicRead = "public-read"
    case publicReadWrite = "public-read-write"
    case awsExecRead = "aws-exec-read"
    case authenticatedRead = "authenticated-read"
    case bucketOwnerRead = "bucket-owner-read"
    case bucketOwnerFullControl = "bucket-owner-full-control"
    case logDeliveryWrite = "log-delivery-write"

    /// The grants it stands for. Of a bucket `owner` and `bucketOwner` are the same, and the bucket owner's part says nothing more.
    public func acl(owner: String, bucketOwner: String) -> ACL {
        var acl = ACL.owned(by: owner)
        switch self {
        case .private: break
        case .publicRead: acl.grants.append(Grant(.group(.allUsers), .read))
        case .publicReadWrite:
            acl.grants += [Grant(.group(.allUsers), .read), Grant(.group(.allUsers), .write)]
        // Amazon EC2 is nobody here.
        case .awsExecRead: break
        case .authenticatedRead: acl.grants.append(Grant(.group(.authenticatedUsers), .read))
        case .bucketOwnerRead:
            if owner != bucketOwner { acl.grants.append(Grant(.user(bucketOwner), .read)) }
        case .bucketOwnerFullControl:
            if owner != bucketOwner { acl.grants.append(Grant(.user(bucketOwner), .fullControl)) }
        case .logDeliveryWrite:
            acl.grants += [Grant(.group(.logDelivery), .write), Grant(.group(.logDelivery), .readACP)]
        }
        return acl
    }
}
