import Mongo

extension MongoStore {
    /// A version and the head that was read before it.
    struct FoundVersion {
        var head: Head
        var version: VersionDocument
        var isLatest: Bool
        /// Tags that the document does not have yet.
        var tags: VersionDocument.Patch?
    }

    public func version(
        of key: ObjectKey, in bucket: BucketID, version id: VersionID?
    ) async throws(MetadataError) -> ObjectVersion? {
        let headKey = HeadKey(bucket, key)
        if id == nil {
            let view = try await perform { (database) throws(MongoError) in
                try database.findOne(["_id": headKey.id], projection: ["latest": 1], in: MongoSchema.heads)
            }
            guard let latest = view?["latest"]?.document else { return nil }
            return try VersionDocument(view: latest).version(of: key, isLatest: true)
        }
        guard let found = try await find(id, of: headKey) else { return nil }
        return try found.version.version(of: key, isLatest: found.isLatest, tags: found.tags)
    }

    /// The latest version where `id` is nil, which may be a delete marker; else the named one.
    ///
    /// The head is read first, then the rows: what is moved in between is seen in both, and what is removed in between is
    /// seen in the head's outbox or is not seen at all.
    func find(_ id: VersionID?, of key: HeadKey) async throws(MetadataError) -> FoundVersion? {
        guard let view = try await perform({ (database) throws(MongoError) in try key.read(database) }) else {
            return nil
        }
        let head = try Head(view)
        guard let latest = head.latest else { return nil }
        guard let id, latest.versionID != id else {
            return FoundVersion(head: head, version: latest, isLatest: true)
        }
        let former = FormerVersions(head)
        func found(_ version: VersionDocument) -> FoundVersion {
            FoundVersion(head: head, version: version, isLatest: false, tags: former.patch(of: version.sequence))
        }
        if let version = former.archived.values.first(where: { $0.versionID == id }) { return found(version) }
        let rows = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(
                    [
                        "_id.b": .int64(key.bucket.value), "_id.k": .text(KeyText.encode(key.key.utf8)),
                        "d.v": .text(id.utf8),
                    ], limit: 100), in: MongoSchema.versions
            ).documents
        }
        let versions = rows.compactMap { $0["d"]?.document }.map { VersionDocument(view: $0) }
        return versions.filter { former.isShown($0) }.max { $0.sequence < $1.sequence }.map(found)
    }

    /// What becomes the latest version where the head's is removed.
    func newestFormer(of head: Head) async throws(MetadataError) -> (
        version: VersionDocument, tags: VersionDocument.Patch?
    )? {
        let former = FormerVersions(head)
        // An outbox hides at most one row an entry, and one entry may hide the one `null` row; the latest may have a row too.
        let rows = try await formerRows(of: head.key, below: Int64.max, limit: HeadChange.outboxCountMax + 3)
        return former.merged(with: rows).first.map { ($0, former.patch(of: $0.sequence)) }
    }

    /// Rows of former versions of a key with a sequence below `sequence`, newest first, whatever the head's outbox says of them.
    func formerRows(
        of key: HeadKey, below sequence: Int64, withMarkers: Bool = true, limit: Int
    ) async throws(MetadataError) -> [VersionDocument] {
        var filter: BSONDocument = [
            "_id.b": .int64(key.bucket.value), "_id.k": .text(KeyText.encode(key.key.utf8)),
            "_id.s": ["$lt": .int64(sequence)], "d": ["$exists": true],
        ]
        if !withMarkers { filter.append("d.d", ["$ne": true]) }
        let query = MongoDatabase.Query(
            filter, sort: ["_id.b": 1, "_id.k": 1, "_id.s": -1], hint: MongoSchema.newestFirst, limit: limit)
        let rows = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.versions).documents
        }
        return rows.compactMap { $0["d"]?.document }.map { VersionDocument(view: $0) }
    }
}
