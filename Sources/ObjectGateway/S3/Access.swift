import Bytes
import HTTPServer
import Metadata
import Policies
import Threads

/// The one place that decides whether a caller may do something: by the policy of the user, and by that of the bucket.
final class Access: Sendable {
    private let metadata: any MetadataStore
    private let configuration: GatewayConfiguration
    /// What was made of the configurations of buckets, as long as these are the same.
    private let known = Lock<[BucketID: Known]>([:])

    private struct Known {
        var configuration: BucketConfiguration
        var rules: BucketRules
    }

    private static let knownCountMax = 1_000

    init(metadata: any MetadataStore, configuration: GatewayConfiguration) {
        (self.metadata, self.configuration) = (metadata, configuration)
    }

    /// Throws AccessDenied unless `caller` may do `action` to the bucket, or to the object of that key in it. `bucket` is nil for what is
    /// asked of the service, and for a bucket that is not there. `tags` are those that an object gets.
    func check(
        _ caller: Caller, may action: Action, in bucket: Bucket?, _ key: ObjectKey? = nil, version: VersionID? = nil,
        tags: [Tag]? = nil
    ) async throws {
        let rules = bucket.map(rules)
        var request = PolicyRequest(
            caller: caller.principal, action: action, bucket: bucket?.name.utf8 ?? [], key: key?.utf8)
        if let bucket, case .readable(let policy)? = rules?.policy, !policy.keys.isEmpty {
            let wanted = AccessFacts(caller: caller, bucket: bucket, configuration: configuration, tags: tags)
            request.facts = wanted.found(for: policy.keys)
            try await addTags(of: key, version, in: bucket, for: policy.keys, to: &request.facts)
        }
        let decision = Decision.decide(request, user: caller.policy?.compiled ?? [], bucket: rules)
        if case .denied(let refusal) = decision {
            throw S3Error(.accessDenied, cause: "\(action.name) for \(caller.name): \(refusal)")
        }
    }

    /// Whether the bucket has a policy of its own.
    func hasPolicy(_ bucket: Bucket) -> Bool { bucket.configuration[.policy] != nil }

    /// What the bucket refuses of public access, as it was set or as the gateway is configured for buckets where nothing was.
    func publicAccess(of bucket: Bucket) -> PublicAccess {
        guard let document = bucket.configuration[.publicAccessBlock] else {
            return configuration.blocksPublicAccess ? .blocked : .open
        }
        if document.isEmpty { return .open }
        // What cannot be read keeps everything shut.
        return (try? PublicAccessDocument.read(S3Document.parse(document))) ?? .blocked
    }

    private func rules(of bucket: Bucket) -> BucketRules {
        if let known = known.withLock({ $0[bucket.id] }), known.configuration == bucket.configuration {
            return known.rules
        }
        var rules = BucketRules(acl: .owned(by: bucket.owner), publicAccess: publicAccess(of: bucket))
        if let document = bucket.configuration[.policy] {
            let read = try? PolicyDocument(parsing: document, for: .bucket(bucket.name.utf8))
            rules.policy = read.flatMap { CompiledPolicy($0) }.map { .readable($0) } ?? .unreadable
        }
        known.withLock { [rules] known in
            if known.count >= Self.knownCountMax { known.removeAll() }
            known[bucket.id] = Known(configuration: bucket.configuration, rules: rules)
        }
        return rules
    }

    /// Tags of the object as it is, where a condition asks for one.
    private func addTags(
        of key: ObjectKey?, _ version: VersionID?, in bucket: Bucket, for keys: Set<ConditionKey>, to facts: inout Facts
    ) async throws {
        let wanted = keys.filter { $0.name == "s3:existingobjecttag" }
        guard !wanted.isEmpty, let key,
            let found = try await metadata.version(of: key, in: bucket.id, version: version)
        else { return }
        for condition in wanted {
            guard let tag = found.tags.first(where: { $0.key == condition.tag }) else { continue }
            facts[condition] = [.text(tag.value)]
        }
    }
}

extension Caller {
    /// As policies name who asks.
    var principal: PolicyCaller {
        guard let policy else { return .anonymous }
        return name == PolicyCaller.rootID && policy == .admin ? .root : .user(name)
    }
}

extension Caller {
    /// Whether the user's own policy lets it do `action`, where no bucket says otherwise.
    func allows(_ action: Action) -> Bool { policy?.allows(action) ?? false }
}

extension CannedPolicy {
    fileprivate func allows(_ action: Action) -> Bool {
        Decision.decide(
            PolicyRequest(caller: .user(""), action: action, bucket: Array("any".utf8)), user: compiled, bucket: nil
        ).isAllowed
    }

    /// What it stands for, as a policy of a user.
    fileprivate var compiled: [CompiledPolicy] {
        switch self {
        case .admin, .readwrite: Self.all
        case .readonly: Self.reading
        case .writeonly: Self.uploading
        }
    }

    private static let all = compiled(allowing: ["s3:*"])
    private static let reading = compiled(allowing: ["s3:Get*", "s3:List*"])
    /// What a client needs to upload, multipart included, and nothing that shows or removes what is stored.
    private static let uploading = compiled(allowing: [
        "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:GetBucketLocation",
        "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
    ])

    private static func compiled(allowing actions: [String]) -> [CompiledPolicy] {
        let statement = Statement(effect: .allow, actions: .only(actions), resources: .only(["*"]))
        return CompiledPolicy(PolicyDocument(statements: [statement])).map { [$0] } ?? []
    }
}

extension Action {
    /// The right that the same request asks for where it names a version.
    var ofVersion: Action {
        switch self {
        case .getObject: .getObjectVersion
        case .getObjectAttributes: .getObjectVersionAttributes
        case .getObjectAcl: .getObjectVersionAcl
        case .getObjectTagging: .getObjectVersionTagging
        case .putObjectTagging: .putObjectVersionTagging
        case .deleteObjectTagging: .deleteObjectVersionTagging
        case .deleteObject: .deleteObjectVersion
        default: self
        }
    }
}
