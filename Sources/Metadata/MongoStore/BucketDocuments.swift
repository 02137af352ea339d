public import Bytes
import Mongo
import Threads

/// A bucket: `{_id: number, name, owner, created (ms), versioning, assets, configuration, removing: {token, at}}`. `configuration` has a
/// document of each kind. With `removing` the bucket's removal is under way, and will end in its removal or not.
struct BucketDocument {
    let bucket: Bucket
    let removing: (token: Int64, at: Int64)?

    init(_ view: BSONView) throws(MetadataError) {
        guard let id = view["_id"]?.integer, let name = view["name"]?.text.flatMap({ BucketName($0) }),
            let state = view["versioning"]?.integer.flatMap({ UInt8(exactly: $0) })
                .flatMap({ VersioningState(rawValue: $0) })
        else { throw .broken("buckets: a malformed document") }
        bucket = Bucket(
            id: BucketID(id), name: name, owner: String(decoding: view["owner"]?.text ?? [], as: UTF8.self),
            created: Timestamp(milliseconds: view["created"]?.integer ?? 0), versioning: state,
            assets: view["assets"]?.isTrue, configuration: Self.configuration(view["configuration"]?.document))
        removing = view["removing"]?.document.flatMap { mark in
            guard let token = mark["token"]?.integer, let at = mark["at"]?.date else { return nil }
            return (token, at)
        }
    }

    /// What a newer program keeps under other names is left alone.
    private static func configuration(_ view: BSONView?) -> BucketConfiguration {
        var configuration = BucketConfiguration()
        guard let view else { return configuration }
        for kind in BucketConfiguration.Kind.allCases { configuration[kind] = view[kind.field]?.binary }
        return configuration
    }

    /// As it comes from elsewhere.
    static func document(_ configuration: BucketConfiguration) -> BSONDocument {
        var document = BSONDocument()
        for (kind, bytes) in configuration.all { document.append(kind.field, .binary(bytes)) }
        return document
    }
}

extension MongoStore {
    public func bucket(named name: BucketName) async throws(MetadataError) -> Bucket? {
        if let known = buckets.bucket(named: name) { return known.bucket }
        return try await readBucket(["name": .text(name.utf8)])?.bucket
    }

    /// One that is being removed still counts.
    private func readBucket(_ filter: BSONDocument) async throws(MetadataError) -> BucketDocument? {
        let readAt = Monotonic.nanoseconds
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(filter, in: MongoSchema.buckets)
        }
        guard let view else { return nil }
        let found = try BucketDocument(view)
        if found.removing == nil { buckets.remember(OpenBucket(bucket: found.bucket, readAt: readAt)) }
        return found
    }

    public func buckets(
        after: BucketName?, prefix: [UInt8], limit: Int
    ) async throws(MetadataError) -> [Bucket] {
        guard limit > 0 else { return [] }
        var range: BSONDocument = [
            "$gte": .text(KeyOrder.later(prefix, after.map { KeyOrder.next(after: $0.utf8) } ?? []))
        ]
        // Names are ASCII.
        range.append("$lt", KeyOrder.end(of: prefix).map { .text(KeyText.encode($0)) })
        let query = MongoDatabase.Query(["name": .document(range)], sort: ["name": 1], limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.buckets).documents
        }
        var found: [Bucket] = []
        for view in views { found.append(try BucketDocument(view).bucket) }
        return found
    }

    public func createBucket(
        named name: BucketName, owner: String, at now: Timestamp
    ) async throws(MetadataError) -> Bucket {
        let count = try await perform { (database) throws(MongoError) in try database.count(of: MongoSchema.buckets) }
        if count >= Int64(configuration.bucketCountMax) {
            throw .limitExceeded("\(configuration.bucketCountMax) buckets")
        }
        let id = try await takeNumbers(1, of: "buckets")
        let bucket = Bucket(id: BucketID(id), name: name, owner: owner, created: now, versioning: .unversioned)
        // With its own number an insert may be done again.
        try await perform { (database) throws(MongoError) in
            try database.insert(
                [
                    [
                        "_id": .int64(id), "name": .text(name.utf8), "owner": .text(owner),
                        "created": .int64(now.milliseconds), "versioning": 0,
                    ]
                ], ignoringDuplicates: true, into: MongoSchema.buckets)
        }
        guard let found = try await readBucket(["name": .text(name.utf8)])?.bucket else {
            throw .unavailable("the bucket was removed at once")
        }
        guard found.id == bucket.id else { throw .bucketExists(owner: found.owner) }
        return bucket
    }

    /// The first of so many numbers that nobody else gets. Numbers may be lost, and begin with 1.
    func takeNumbers(_ count: Int64, of counter: StaticString) async throws(MetadataError) -> Int64 {
        let view = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                ["_id": BSONValue(stringLiteral: counter)], .document(["$inc": ["next": .int64(count)]]), upsert: true,
                in: MongoSchema.counters)
        }
        guard let next = view?["next"]?.integer, next >= count else { throw .broken("counters: a malformed document") }
        return next - count + 1
    }

    public func setVersioning(_ state: VersioningState, of id: BucketID) async throws(MetadataError) {
        // Versioning is never undone, only suspended: former versions may be there.
        let change: BSONValue =
            state == .unversioned
            ? ["$cond": [["$eq": ["$versioning", 0]], 0, .int32(Int32(VersioningState.suspended.rawValue))]]
            : .int32(Int32(state.rawValue))
        let found = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                ["_id": .int64(id.value)], .pipeline([["$set": ["versioning": change]]]), returningNew: false,
                in: MongoSchema.buckets)
        }
        guard let found else { throw .noSuchBucket }
        buckets.forget(id)
        if try BucketDocument(found).bucket.versioning != state { await pool.sleep(for: configuration.bucketLease) }
        buckets.forget(id)
    }

    public func configure(
        _ id: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?
    ) async throws(MetadataError) {
        let change: BSONDocument = document.map { ["$set": [kind.path: .binary($0)]] } ?? ["$unset": [kind.path: ""]]
        let found = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                ["_id": .int64(id.value)], .document(change), returningNew: false, in: MongoSchema.buckets)
        }
        guard let found else { throw .noSuchBucket }
        buckets.forget(id)
        if try BucketDocument(found).bucket.configuration[kind] != document {
            await pool.sleep(for: configuration.bucketLease)
        }
        buckets.forget(id)
    }

    public func setAssets(_ hasAssets: Bool, of id: BucketID) async throws(MetadataError) {
        let found = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                ["_id": .int64(id.value)], .document(["$set": ["assets": .bool(hasAssets)]]), returningNew: false,
                in: MongoSchema.buckets)
        }
        guard let found else { throw .noSuchBucket }
        buckets.forget(id)
        // Whoever writes afterwards, through any gateway, writes by it.
        if try BucketDocument(found).bucket.hasAssets != hasAssets { await pool.sleep(for: configuration.bucketLease) }
        buckets.forget(id)
    }

    public func bucket(_ id: BucketID) async throws(MetadataError) -> Bucket? { try await knownBucket(id) }

    /// By its number; nil where it is gone.
    func knownBucket(_ id: BucketID) async throws(MetadataError) -> Bucket? {
        if let known = buckets.bucket(id) { return known.bucket }
        return try await readBucket(["_id": .int64(id.value)])?.bucket
    }

    /// The bucket for a write, which `confirm` ends. Waits while it is being removed.
    func openBucket(_ id: BucketID) async throws(MetadataError) -> OpenBucket {
        if let known = buckets.bucket(id) { return known }
        var retry = Retry(patience: configuration.patience)
        while true {
            let readAt = Monotonic.nanoseconds
            guard let found = try await readBucket(["_id": .int64(id.value)]) else { throw .noSuchBucket }
            guard let mark = found.removing else { return OpenBucket(bucket: found.bucket, readAt: readAt) }
            try await endAbandoned(id, mark)
            guard await retry.wait(on: pool) else { throw .unavailable("the bucket is being removed") }
        }
    }

    /// After a write: where the lease ended meanwhile, the bucket may have been looked through and removed before the write
    /// arrived, which then does not count.
    func confirm(_ open: OpenBucket) async throws(MetadataError) {
        if Monotonic.nanoseconds &- open.readAt < configuration.bucketLease.nanosecondsClamped { return }
        buckets.forget(open.bucket.id)
        _ = try await openBucket(open.bucket.id)
    }

    /// Uploads in progress do not hold a bucket; they are aborted with it, as on AWS.
    public func deleteBucket(_ id: BucketID) async throws(MetadataError) {
        if try await hasVersions(id) { throw .bucketNotEmpty }
        let token = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            let marked = try await perform { (database) throws(MongoError) in
                try database.update(
                    [
                        MongoDatabase.Update(
                            ["_id": .int64(id.value), "removing.token": ["$in": [nil, .int64(token)]]],
                            .pipeline([["$set": ["removing": ["token": .int64(token), "at": "$$NOW"]]]]))
                    ], in: MongoSchema.buckets)
            }
            if marked > 0 { break }
            guard let found = try await readBucket(["_id": .int64(id.value)]) else { throw .noSuchBucket }
            if let mark = found.removing { try await endAbandoned(id, mark) }
            guard await retry.wait(on: pool) else { throw .unavailable("the bucket is being removed") }
        }
        buckets.forget(id)
        await pool.sleep(for: configuration.bucketLease)
        do throws(MetadataError) {
            if try await hasVersions(id) { throw .bucketNotEmpty }
            for upload in try await uploads(of: id) { try await endUpload(upload) }
        } catch {
            try await revert(id, token)
            throw error
        }
        let removed = try await perform { (database) throws(MongoError) in
            try database.delete(["_id": .int64(id.value), "removing.token": .int64(token)], from: MongoSchema.buckets)
        }
        buckets.forget(id)
        // Somebody took this removal for abandoned.
        if removed == 0, try await readBucket(["_id": .int64(id.value)]) != nil {
            throw .unavailable("the removal of the bucket took too long")
        }
        try await removeHooks(of: id)
    }

    /// A removal that did not end in time is taken back: its gateway died, or will find that it may not go on.
    private func endAbandoned(_ id: BucketID, _ mark: (token: Int64, at: Int64)) async throws(MetadataError) {
        let age_ms = Timestamp.now().milliseconds - mark.at
        if age_ms > Int64(clamping: configuration.abandonedAfter.millisecondsClamped) {
            try await revert(id, mark.token)
        }
    }

    private func revert(_ id: BucketID, _ token: Int64) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .int64(id.value), "removing.token": .int64(token)],
                        .document(["$unset": ["removing": ""]]))
                ], in: MongoSchema.buckets)
        }
    }

    /// Former versions need not be looked at: where one is, there is a latest one.
    private func hasVersions(_ id: BucketID) async throws(MetadataError) -> Bool {
        let query = MongoDatabase.Query(
            [
                "_id": ["$gte": ["b": .int64(id.value), "k": ""], "$lt": ["b": .int64(id.value &+ 1), "k": ""]],
                "latest": ["$exists": true],
            ], projection: ["_id": 1], limit: 1)
        return try await perform { (database) throws(MongoError) in
            try !database.find(query, in: MongoSchema.heads).documents.isEmpty
        }
    }
}

extension BucketConfiguration.Kind {
    fileprivate var field: StaticString {
        switch self {
        case .tags: "tags"
        case .cors: "cors"
        case .policy: "policy"
        case .publicAccessBlock: "publicAccessBlock"
        }
    }

    fileprivate var path: StaticString {
        switch self {
        case .tags: "configuration.tags"
        case .cors: "configuration.cors"
        case .policy: "configuration.policy"
        case .publicAccessBlock: "configuration.publicAccessBlock"
        }
    }
}
