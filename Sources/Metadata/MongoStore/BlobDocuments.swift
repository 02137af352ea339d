import Mongo

/// What is known of a blob stands in the one document that names it: a head (as its latest version or in its outbox), a row of
/// `versions`, or a row of `parts`, which also tells of the blobs of completed uploads. Numbers of blobs stand there as 64 bits; those
/// from 2^63 on, which ascending numbers never reach, are not listed.
extension MongoStore {
    /// The first of `count` ids (1 or more) that no other store gets. Ids may be lost.
    public func reserveBlobIDs(_ count: UInt64) async throws(MetadataError) -> BlobID {
        let first = UInt64(bitPattern: try await takeNumbers(Int64(clamping: max(1, count)), of: "blobs"))
        contents.noteIDs(through: first &+ max(1, count) &- 1)
        return BlobID(first)
    }

    /// Nil only where nothing names the blob: whoever sets orphans aside asks here.
    ///
    /// A version goes from its head over the outbox to its row, and back into the head where it becomes the latest again. So its places are
    /// looked through in that order, and the head once more. Rows, where most are found, come before that too.
    public func blob(_ id: BlobID) async throws(MetadataError) -> StoredBlob? {
        let number = BSONValue.int64(Int64(bitPattern: id.value))
        let part = try await perform { (database) throws(MongoError) in
            try database.findOne(["blob": number], in: MongoSchema.parts)
        }
        if let part = part.flatMap({ PartDocument(view: $0) }) { return part.storedBlob }
        if let found = try await blobOfHead(number) { return found }
        if let found = try await blobOfRow(number) { return found }
        if let found = try await blobOfOutbox(id, number) { return found }
        if let found = try await blobOfRow(number) { return found }
        return try await blobOfHead(number)
    }

    private func blobOfHead(_ number: BSONValue) async throws(MetadataError) -> StoredBlob? {
        let head = try await perform { (database) throws(MongoError) in
            try database.findOne(["latest.b": number], projection: ["latest": 1], in: MongoSchema.heads)
        }
        return head?["latest"]?.document.flatMap { VersionDocument(view: $0).storedBlob }
    }

    private func blobOfRow(_ number: BSONValue) async throws(MetadataError) -> StoredBlob? {
        let row = try await perform { (database) throws(MongoError) in
            try database.findOne(["d.b": number], projection: ["d": 1], in: MongoSchema.versions)
        }
        return row?["d"]?.document.flatMap { VersionDocument(view: $0).storedBlob }
    }

    /// The server looks through all heads that hold something: an index over outboxes would cost every write.
    private func blobOfOutbox(_ id: BlobID, _ number: BSONValue) async throws(MetadataError) -> StoredBlob? {
        let query = MongoDatabase.Query(
            ["due": ["$exists": true], "outbox": ["$elemMatch": ["t": "v", "v.b": number]]], hint: "due", limit: 1)
        let view = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents.first
        }
        guard let view else { return nil }
        return FormerVersions(try Head(view)).archived.values.first { $0.blob == id }?.storedBlob
    }

    public func blobs(after: BlobID, limit: Int) async throws(MetadataError) -> [StoredBlob] {
        guard limit > 0, let last = Int64(exactly: after.value) else { return [] }
        // What changes left in heads is moved first, so that rows tell nearly all.
        try await relayAll()
        let range: BSONValue = ["$gt": .int64(last)]
        var found: [BlobID: StoredBlob] = [:]
        func add(_ blob: StoredBlob?) { if let blob { found[blob.id] = blob } }
        let count = limit
        let parts = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(["blob": range], sort: ["blob": 1], limit: count), in: MongoSchema.parts
            ).documents
        }
        for part in parts { add(PartDocument(view: part)?.storedBlob) }
        let heads = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(
                    ["latest.b": range], projection: ["latest": 1], sort: ["latest.b": 1], limit: count),
                in: MongoSchema.heads
            ).documents
        }
        for head in heads { add(head["latest"]?.document.flatMap { VersionDocument(view: $0).storedBlob }) }
        // What was moved since. Rows come later, which have what leaves heads meanwhile.
        let holding: BSONDocument = ["outbox": ["$elemMatch": ["t": "v", "v.b": range]]]
        try await eachDueHead(holding) { (heads) throws(MetadataError) in
            for version in heads.flatMap({ FormerVersions($0).archived.values })
            where version.blob.map({ $0 > after }) == true {
                add(version.storedBlob)
            }
        }
        let rows = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(["d.b": range], projection: ["d": 1], sort: ["d.b": 1], limit: count),
                in: MongoSchema.versions
            ).documents
        }
        for row in rows { add(row["d"]?.document.flatMap { VersionDocument(view: $0).storedBlob }) }
        return Array(found.values.sorted { $0.id < $1.id }.prefix(limit))
    }

    public func garbage(limit: Int) async throws(MetadataError) -> [BlobID] {
        guard limit > 0 else { return [] }
        try await relayAll()
        var bound = Int64.max
        if let lifetime = configuration.garbageAfter {
            guard let removable = try await removableBound(after: lifetime) else { return [] }
            bound = removable
        }
        try await removeDroppedContents(below: bound)
        var found: [BlobID] = []
        var after: (order: BSONValue, index: BSONValue, id: BSONValue)?
        while found.count < limit {
            var filter: BSONDocument = ["o": ["$lt": .int64(bound)], "c": ["$ne": true]]
            if let after {
                filter.append(
                    "$or",
                    [
                        ["o": after.order, "i": after.index, "_id": ["$gt": after.id]],
                        ["o": after.order, "i": ["$gt": after.index]], ["o": ["$gt": after.order]],
                    ])
            }
            let batch = min(limit - found.count, 10_000)
            let query = MongoDatabase.Query(filter, sort: ["o": 1, "i": 1, "_id": 1], hint: "order", limit: batch)
            let rows = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.garbage).documents
            }
            for row in rows { found.append(BlobID(UInt64(bitPattern: row["_id"]?.integer ?? 0))) }
            guard let last = rows.last, rows.count == batch else { break }
            func number(_ name: StaticString) -> BSONValue { .int64(last[name]?.integer ?? 0) }
            after = (number("o"), number("i"), number("_id"))
        }
        if found.isEmpty, configuration.garbageAfter != nil { try await endSweep() }
        return found
    }

    public func forgetGarbage(_ blobs: [BlobID]) async throws(MetadataError) {
        for batch in stride(from: 0, to: blobs.count, by: 10_000) {
            let numbers = blobs[batch..<min(batch + 10_000, blobs.count)].map {
                BSONValue.int64(Int64(bitPattern: $0.value))
            }
            try await perform { (database) throws(MongoError) in
                try database.delete(["_id": ["$in": .array(numbers)]], from: MongoSchema.garbage)
            }
        }
    }

    public func garbageCount() throws(MetadataError) -> UInt64 {
        UInt64(clamping: try attempt { (database) throws(MongoError) in try database.count(of: MongoSchema.garbage) })
    }

    /// There is no log.
    public func heal(_ blobs: [StoredBlob]) async throws(MetadataError) -> Set<BlobID> { [] }

    /// Not looked for yet: heads are found by their keys only.
    public func versions(
        naming blobs: Set<BlobID>, countMax: Int
    ) async throws(MetadataError) -> [BlobID: [VersionName]] { [:] }

    /// The server looks after its own files.
    public func damagedPages(
        pace: @Sendable (Int) async -> Bool
    ) async throws(MetadataError) -> [DamagedPage] { [] }

    /// Lists blobs as garbage, where they are not yet; nothing tells of them any more then.
    func addGarbage(_ blobs: [DroppedBlob]) async throws(MetadataError) {
        if blobs.isEmpty { return }
        let rows = blobs.map { dropped -> BSONDocument in
            var row: BSONDocument = [
                "_id": .int64(Int64(bitPattern: dropped.blob.value)), "o": .int64(dropped.order),
                "i": .int64(dropped.index),
            ]
            if dropped.isContent { row.append("c", true) }
            return row
        }
        try await perform { (database) throws(MongoError) in
            try database.insert(rows, ignoringDuplicates: true, into: MongoSchema.garbage)
            for start in stride(from: 0, to: blobs.count, by: 10_000) {
                let numbers = blobs[start..<min(start + 10_000, blobs.count)].map {
                    BSONValue.int64(Int64(bitPattern: $0.blob.value))
                }
                try database.delete(["blob": ["$in": .array(numbers)]], from: MongoSchema.parts)
            }
        }
    }

    /// Blobs that were dropped by no change of a head: their place is the cluster's time.
    func addGarbage(now blobs: [BlobID]) async throws(MetadataError) {
        if blobs.isEmpty { return }
        let updates = blobs.enumerated().map { index, blob in
            MongoDatabase.Update(
                ["_id": .int64(Int64(bitPattern: blob.value))],
                .pipeline([
                    [
                        "$set": [
                            "o": ["$ifNull": ["$o", HeadPipeline.clusterTime]], "i": .int64(Int64(index)),
                        ]
                    ]
                ]), upsert: true)
        }
        try await perform { (database) throws(MongoError) in
            try database.update(updates, ignoringDuplicates: true, in: MongoSchema.garbage)
        }
    }
}

extension VersionDocument {
    /// Of a version with one blob.
    fileprivate var storedBlob: StoredBlob? {
        blob.map {
            StoredBlob(
                id: $0, size: size, crc32c: crc32c, location: location)
        }
    }
}
