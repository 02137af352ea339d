import Bytes
import Mongo

/// Assets, whose truth is in the heads of their objects.
extension MongoStore {
    public func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(
                ["_id": HeadKey(bucket, key).id], projection: ["asset": 1], in: MongoSchema.heads)
        }
        guard let view else { return nil }
        return try Head(view).asset()
    }

    public func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument? {
        guard let head = try await head(of: id), var document = try await document(of: head) else { return nil }
        document.versions = try await versions(of: head)
        return document
    }

    public func assets(_ ids: [AssetID]) async throws(MetadataError) -> [AssetDocument] {
        if ids.isEmpty { return [] }
        let query = MongoDatabase.Query(
            ["asset.i": ["$in": .array(ids.map { .binary($0.bytes) })]], projection: Self.withoutManifests,
            hint: MongoSchema.byAsset, limit: ids.count)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents
        }
        var found: [AssetID: AssetDocument] = [:]
        for view in views {
            if let document = try await document(of: Head(view)) { found[document.asset.id] = document }
        }
        return ids.compactMap { found[$0] }
    }

    @discardableResult
    public func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, ifNow former: AssetDetails?
    ) async throws(MetadataError) -> Asset {
        let write = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            guard let head = try await head(of: id), let bucket = try await knownBucket(head.key.bucket) else {
                throw .noSuchKey
            }
            if let former {
                let present = try head.asset()?.details
                // An attempt whose answer was lost may have done it.
                if present != former, present != details { throw .superseded }
            }
            let open = try await openBucket(bucket.id)
            let stages = HeadPipeline.stages(
                write: write, entries: HeadPipeline.noEntries, latest: .kept,
                asset: .detailed(Records.encode(details)))
            if try await changeUnchanged(head, write: write, stages) {
                try await confirm(open)
                guard let asset = try await asset(of: head.key.key, in: head.key.bucket), asset.id == id else {
                    throw .noSuchKey
                }
                return asset
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the key keeps changing") }
        }
    }

    @discardableResult
    public func makeAssets(of keys: [ObjectKey], in bucket: BucketID) async throws(MetadataError) -> Int {
        guard try await openBucket(bucket).bucket.hasAssets else { return 0 }
        let made = await pool.mapConcurrently(Set(keys).sorted(), widthMax: 16) { key in
            do throws(MetadataError) {
                return Result<Bool, MetadataError>.success(try await self.makeAsset(of: HeadKey(bucket, key)))
            } catch {
                return .failure(error)
            }
        }
        var count = 0
        for result in made where try result.get() { count += 1 }
        return count
    }

    private func makeAsset(of key: HeadKey) async throws(MetadataError) -> Bool {
        var retry = Retry(patience: configuration.patience)
        while true {
            guard let found = try await find(nil, of: key), found.head.assetFields == nil,
                !found.version.isDeleteMarker
            else { return false }
            let open = try await openBucket(key.bucket)
            let version = try found.version.version(of: key.key, isLatest: true, withContent: false)
            let write = HeadChange.newWrite()
            let stages = HeadPipeline.stages(
                write: write, entries: HeadPipeline.noEntries, latest: .kept,
                asset: try await followed(version, in: open.bucket, madeAt: version.modified))
            if try await changeUnchanged(found.head, write: write, stages) {
                try await confirm(open)
                return true
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the key keeps changing") }
        }
    }

    /// Manifests may be long, and are not shown.
    private static let withoutManifests: BSONDocument = ["latest.p": 0, "outbox.v.p": 0]

    private func head(of id: AssetID) async throws(MetadataError) -> Head? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(
                ["asset.i": .binary(id.bytes)], projection: Self.withoutManifests, in: MongoSchema.heads)
        }
        return try view.map { (view) throws(MetadataError) in try Head(view) }
    }

    /// Heads with assets, in the order of their ids, those after `after`.
    func headsOfAssets(after: AssetID?, limit: Int) async throws(MetadataError) -> [Head] {
        let query = MongoDatabase.Query(
            ["asset.i": ["$gt": .binary(after?.bytes ?? [])]], projection: Self.withoutManifests,
            sort: ["asset.i": 1], hint: MongoSchema.byAsset, limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents
        }
        var heads: [Head] = []
        for view in views { heads.append(try Head(view)) }
        return heads
    }

    /// Without versions. Nil where the head has no asset, or its bucket is gone.
    func document(of head: Head) async throws(MetadataError) -> AssetDocument? {
        guard let asset = try head.asset(), let bucket = try await knownBucket(head.key.bucket) else { return nil }
        let former = FormerVersions(head)
        var object = head.latest
        var tags: VersionDocument.Patch?
        if object?.isDeleteMarker != false {
            let rows = try await formerRows(
                of: head.key, below: Int64.max, withMarkers: false, limit: HeadChange.outboxCountMax + 3)
            object = former.merged(with: rows).first { !$0.isDeleteMarker }
            tags = object.flatMap { former.patch(of: $0.sequence) }
        }
        guard let object else { return nil }
        let version = try object.version(
            of: head.key.key, isLatest: object.sequence == head.latest?.sequence, withContent: false, tags: tags)
        return AssetDocument(asset: asset, bucket: bucket.name, object: version, versions: [])
    }

    /// The newest, oldest of them first.
    private func versions(of head: Head) async throws(MetadataError) -> [AssetDocument.Version] {
        let former = FormerVersions(head)
        let limit = AssetDocument.versionsMax
        let rows = try await formerRows(
            of: head.key, below: Int64.max, withMarkers: false, limit: limit + HeadChange.outboxCountMax + 3)
        var newest = former.merged(with: rows).filter { !$0.isDeleteMarker }
        if let latest = head.latest, !latest.isDeleteMarker { newest.insert(latest, at: 0) }
        // Where rows were left unread, the server counts those that the head says nothing of.
        var count = newest.count
        if newest.count > limit {
            let told = former.hidden.union(former.archived.keys)
            let filter: BSONDocument = [
                "_id.b": .int64(head.key.bucket.value), "_id.k": .text(KeyText.encode(head.key.key.utf8)),
                "_id.s": ["$nin": .array(told.map { .int64($0) })], "d": ["$exists": true], "d.d": ["$ne": true],
                "$nor": [["d.v": "null", "_id.s": ["$lt": .int64(former.nullsBelow)]]],
            ]
            let others = try await perform { (database) throws(MongoError) in
                try database.count(filter, hint: MongoSchema.newestFirst, in: MongoSchema.versions)
            }
            count =
                Int(clamping: others) + former.archived.values.count { !$0.isDeleteMarker }
                + (head.latest?.isDeleteMarker == false ? 1 : 0)
        }
        var shown: [AssetDocument.Version] = []
        for version in newest.prefix(limit) {
            guard let id = version.versionID else { throw .broken("versions: a malformed version id") }
            shown.append(
                AssetDocument.Version(
                    number: count - shown.count, created: Timestamp(milliseconds: version.modified),
                    size: version.size, id: id))
        }
        return shown.reversed()
    }
}

extension Head {
    /// Nil where the key has none.
    func asset() throws(MetadataError) -> Asset? {
        guard let fields = assetFields else { return nil }
        guard let id = fields["i"]?.binary.flatMap({ AssetID(bytes: $0) }),
            let type = fields["t"]?.integer.flatMap({ UInt8(exactly: $0) }).flatMap({ AssetType(rawValue: $0) })
        else { throw .broken("heads: a malformed asset") }
        func text(_ name: StaticString) -> String? { fields[name]?.text.map { String(decoding: $0, as: UTF8.self) } }
        func moment(_ name: StaticString) -> Timestamp? {
            fields[name]?.integer.map { Timestamp(milliseconds: $0) }
        }
        return Asset(
            id: id, bucket: key.bucket, key: key.key, customer: text("c"), user: text("u") ?? "", type: type,
            created: moment("n") ?? Timestamp(milliseconds: 0), updated: moment("m") ?? Timestamp(milliseconds: 0),
            deleted: moment("x"), details: try Records.assetDetails(fields["d"]?.binary))
    }
}
