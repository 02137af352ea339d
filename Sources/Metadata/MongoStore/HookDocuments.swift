import Mongo
import Threads

/// The hooks of buckets, each revision a document: `{_id: {b, r}, d, w}`. The next revision is made by whoever inserts its number.
extension MongoStore {
    public func hooks(of bucket: BucketID) async throws(MetadataError) -> (revision: Int64, document: [UInt8])? {
        guard let view = try await presentHooks(of: bucket) else { return nil }
        guard let revision = view["_id"]?.document?["r"]?.integer, let document = view["d"]?.binary else {
            throw .broken("hooks: a malformed document")
        }
        return (revision, document)
    }

    private func presentHooks(of bucket: BucketID) async throws(MetadataError) -> BSONView? {
        let query = MongoDatabase.Query(
            ["_id.b": .int64(bucket.value)], sort: ["_id.b": 1, "_id.r": -1], hint: "newest_first", limit: 1)
        return try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.hooks).documents.first
        }
    }

    public func hooks(of bucket: BucketID, revision: Int64) async throws(MetadataError) -> [UInt8]? {
        try await perform { (database) throws(MongoError) in
            try database.findOne(
                ["_id": ["b": .int64(bucket.value), "r": .int64(revision)]], in: MongoSchema.hooks)
        }?["d"]?.binary
    }

    public func hookRevisions() async throws(MetadataError) -> [BucketID: Int64] {
        let views = try await perform { (database) throws(MongoError) in
            try database.aggregate(
                [
                    ["$match": ["_id.b": ["$gte": .int64(0)]]],
                    ["$group": ["_id": "$_id.b", "r": ["$max": "$_id.r"]]],
                ], hint: "newest_first", in: MongoSchema.hooks)
        }
        var found: [BucketID: Int64] = [:]
        for view in views {
            if let bucket = view["_id"]?.integer, let revision = view["r"]?.integer {
                found[BucketID(bucket)] = revision
            }
        }
        return found
    }

    public func setHooks(
        _ document: [UInt8], of bucket: BucketID, ifRevision former: Int64?
    ) async throws(MetadataError) -> Int64 {
        let write = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            let open = try await openBucket(bucket)
            let view = try await presentHooks(of: bucket)
            let present = view?["_id"]?.document?["r"]?.integer ?? 0
            if view?["w"]?.integer == write { return try await settled(present, open) }
            if let former, former != present { throw .superseded }
            if let view, view["d"]?.binary == document { return present }
            let next = present + 1
            let outcome = try attemptWrite { (database) throws(MongoError) in
                try database.insert(
                    [
                        [
                            "_id": ["b": .int64(bucket.value), "r": .int64(next)], "d": .binary(document),
                            "w": .int64(write),
                        ]
                    ], into: MongoSchema.hooks)
            }
            switch outcome {
            case .success: return try await settled(next, open)
            case .failure(.duplicateKey): break
            case .failure(let error): guard error.isTransient else { throw MetadataError(error) }
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the hooks of the bucket keep changing") }
        }
    }

    /// When the other gateways have forgotten the former ones.
    private func settled(_ revision: Int64, _ open: OpenBucket) async throws(MetadataError) -> Int64 {
        await pool.sleep(for: configuration.bucketLease)
        try await confirm(open)
        return revision
    }

    /// Those of a bucket that is gone.
    func removeHooks(of bucket: BucketID) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.delete(["_id.b": .int64(bucket.value)], from: MongoSchema.hooks)
        }
    }
}
