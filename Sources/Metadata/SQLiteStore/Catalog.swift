import Threads

/// The buckets and users in memory, as of the last commit: every request looks both up. As many as the limits of the
/// configuration allow.
struct Catalog: Sendable {
    private var buckets: [BucketName: Bucket] = [:]
    private var names: [BucketID: BucketName] = [:]
    private var users: [[UInt8]: User] = [:]
    private var accessKeys: [String: [UInt8]] = [:]
    /// The number of the last change of an asset, for those who follow; 0 before the first since the store was opened.
    private(set) var lastAssetChange: Int64 = 0

    init(reading rows: Rows) throws(MetadataError) {
        for bucket in try rows.buckets(after: nil, prefix: [], limit: Int.max) { apply(.bucket(bucket)) }
        for user in try rows.users() { apply(.user(user)) }
    }

    func bucket(named name: BucketName) -> Bucket? { buckets[name] }
    func bucket(_ id: BucketID) -> Bucket? { names[id].flatMap { buckets[$0] } }
    func user(accessKey: [UInt8]) -> User? { users[accessKey] }
    func user(named name: String) -> User? { accessKeys[name].flatMap { users[$0] } }

    mutating func apply(_ change: RowChange) {
        switch change {
        case .bucket(let bucket):
            let configuration = self.bucket(bucket.id)?.configuration ?? bucket.configuration
            buckets[bucket.name] = bucket.configured(by: configuration)
            names[bucket.id] = bucket.name
        case .bucketConfigured(let id, let configuration):
            if let bucket = bucket(id) { buckets[bucket.name] = bucket.configured(by: configuration) }
        case .bucketRemoved(let id):
            if let name = names.removeValue(forKey: id) { buckets[name] = nil }
        case .user(let user):
            if let old = accessKeys.updateValue(user.accessKey, forKey: user.name) { users[old] = nil }
            users[user.accessKey] = user
        case .asset(_, let change), .assetRemoved(_, let change, _): lastAssetChange = max(lastAssetChange, change)
        default: break
        }
    }
}
