import Bytes
import Mongo
import Threads

/// Moving what heads hold to where it belongs.
///
/// Each step may be done twice, and by several gateways at once, also by one that slept meanwhile: a row of `versions` is replaced
/// only by one of a higher revision, and a row that was removed stays as a tombstone of the highest revision for an hour, so that
/// a late copy does not bring it back. Entries leave the outbox after what they say is done.
extension MongoStore {
    private static let batchLength = 200

    /// Moves all that heads hold by now.
    func relayAll() async throws(MetadataError) {
        try await eachDueHead { (heads) throws(MetadataError) in try await self.relay(heads) }
    }

    /// Moves what one head holds.
    func relay(_ key: HeadKey) async throws(MetadataError) {
        let view = try await perform { (database) throws(MongoError) in try key.read(database) }
        guard let view else { return }
        let head = try Head(view)
        try await relay([head])
        if head.eventCount >= HeadChange.outboxCountHigh { try await sequenceEvents() }
    }

    /// Moves what one head holds; where another task of this store does that already, waits a moment for it.
    func relieve(_ key: HeadKey) async throws(MetadataError) {
        guard relieved.withLock({ $0.insert(key).inserted }) else { return await pool.sleep(for: .milliseconds(2)) }
        defer { relieved.withLock { _ = $0.remove(key) } }
        try await relay(key)
    }

    /// The same, without anybody waiting for it.
    func relieveLater(_ key: HeadKey) {
        guard relieved.withLock({ $0.insert(key).inserted }) else { return }
        pool.run {
            // Where it fails, the next round of the relay goes on.
            try? await self.relay(key)
            self.relieved.withLock { _ = $0.remove(key) }
        }
    }

    /// Calls `body` with all heads that hold something by now and fulfil `filter`, those first that have held something longest. Each comes
    /// once, as long as it goes on to hold something: one that is written over and over is due all the time, and would never let this end.
    func eachDueHead(
        _ filter: BSONDocument = [:], _ body: ([Head]) async throws(MetadataError) -> Void
    ) async throws(MetadataError) {
        let newest = try await dueHeads(
            ["due": ["$exists": true]], limit: 1, oldestFirst: false
        ).first?["due"]?.date
        guard let newest else { return }
        // Those that became due in the last moment, and came already.
        var (moment, seen): (Int64, [HeadKey]) = (Int64.min, [])
        while true {
            var page = filter
            page.append("due", ["$gte": .date(moment), "$lte": .date(newest)])
            if !seen.isEmpty { page.append("_id", ["$nin": .array(seen.map(\.id))]) }
            let views = try await dueHeads(page, limit: Self.batchLength)
            if views.isEmpty { return }
            var heads: [Head] = []
            for view in views {
                let head = try Head(view)
                let due = view["due"]?.date ?? newest
                if due > moment { (moment, seen) = (due, []) }
                seen.append(head.key)
                heads.append(head)
            }
            try await body(heads)
        }
    }

    private func dueHeads(
        _ filter: BSONDocument, limit: Int, oldestFirst: Bool = true
    ) async throws(MetadataError) -> [BSONView] {
        let query = MongoDatabase.Query(filter, sort: ["due": oldestFirst ? 1 : -1], hint: "due", limit: limit)
        return try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents
        }
    }

    private func relay(_ heads: [Head]) async throws(MetadataError) {
        var work = RelayWork()
        for head in heads {
            // One row is made of all that was changed.
            if head.outbox.contains(where: { if case .asset = $0.kind { true } else { false } }) {
                work.assets.append(head)
            }
            for entry in head.outbox {
                switch entry.kind {
                case .archived(let version): work.archive(version, at: head.key)
                case .dropped(let version): try work.drop(version, at: head.key, entry.sequence)
                case .removed(let sequence):
                    // Rows that the entry is about must be there first.
                    try await carryOut(&work)
                    let row = try await perform { (database) throws(MongoError) in
                        try database.findOne(["_id": head.key.row(sequence)], in: MongoSchema.versions)
                    }
                    try work.remove(row, at: head.key, sequence, entry.sequence)
                case .nullsRemoved(let below):
                    try await carryOut(&work)
                    for row in try await nullRows(of: head.key, below: below) {
                        let sequence = row["_id"]?.document?["s"]?.integer ?? 0
                        try work.remove(row, at: head.key, sequence, entry.sequence)
                    }
                case .tagged(let sequence, let patch):
                    try await carryOut(&work)
                    work.tag(sequence, patch, at: head.key, entry.sequence)
                case .asset: break
                case .assetRemoved(let id): work.removedAssets.append(id)
                }
            }
        }
        try await carryOut(&work)
        try await empty(heads)
    }

    /// Takes what was moved out of the outboxes. Where nobody has changed a head meanwhile its outbox is empty then; of the others the server
    /// keeps what came later.
    private func empty(_ heads: [Head]) async throws(MetadataError) {
        let full = heads.filter { !$0.outbox.isEmpty }
        // Of a head that is no more, its events tell whether it may go, which only the server knows.
        let simple = full.filter { $0.latest != nil || $0.eventCount == 0 }
        let unchanged = simple.map { head in
            var change: BSONDocument = ["$set": ["outbox": []], "$unset": ["due": ""]]
            // What is no head any more may go.
            if head.latest == nil { change.append("$currentDate", ["gone": true]) }
            return MongoDatabase.Update(["_id": head.key.id, "seq": .int64(head.sequence)], .document(change))
        }
        let count = try await perform { (database) throws(MongoError) in
            try database.update(unchanged, in: MongoSchema.heads)
        }
        if count < Int64(full.count) {
            let changed = full.compactMap { head in
                head.outbox.last.map {
                    MongoDatabase.Update(
                        ["_id": head.key.id, "outbox.0": ["$exists": true]],
                        .pipeline(Self.forget(through: $0.sequence)))
                }
            }
            try await perform { (database) throws(MongoError) in try database.update(changed, in: MongoSchema.heads) }
        }
        for head in full { writer.relieved(head.key, of: head.outbox.count) }
    }

    private func nullRows(of key: HeadKey, below sequence: Int64) async throws(MetadataError) -> [BSONView] {
        try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(
                    [
                        "_id.b": .int64(key.bucket.value), "_id.k": .text(KeyText.encode(key.key.utf8)), "d.v": "null",
                        "_id.s": ["$lt": .int64(sequence)],
                    ], limit: 100), in: MongoSchema.versions
            ).documents
        }
    }

    private func carryOut(_ work: inout RelayWork) async throws(MetadataError) {
        let batch = work
        work = RelayWork()
        try await addGarbage(batch.garbage(after: database.lastTime.map { ClusterOrder.of($0) } ?? 0))
        try await perform { (database) throws(MongoError) in
            try database.insert(batch.newRows, ignoringDuplicates: true, into: MongoSchema.versions)
        }
        try await perform { (database) throws(MongoError) in
            try database.update(batch.rows, ignoringDuplicates: true, in: MongoSchema.versions)
        }
        try await project(batch.assets, removed: batch.removedAssets)
    }

    /// Entries up to that sequence leave the outbox; a tombstone that holds nothing more may go.
    private static func forget(through sequence: Int64) -> [BSONDocument] {
        let isTombstone: BSONValue = ["$ne": [["$type": "$latest"], "object"]]
        let isEmpty: BSONValue = ["$eq": ["$outbox", []]]
        return [
            [
                "$set": [
                    "outbox": [
                        "$filter": ["input": "$outbox", "cond": ["$gt": ["$$this.s", .int64(sequence)]]]
                    ]
                ]
            ],
            [
                "$set": [
                    "due": ["$cond": [isEmpty, "$$REMOVE", "$due"]],
                    "gone": ["$cond": [["$and": [isEmpty, isTombstone, HeadEvent.areNone]], "$$NOW", "$$REMOVE"]],
                ]
            ],
        ]
    }
}

/// Blobs that were dropped, with the place of the change that dropped them.
struct DroppedBlob {
    var blob: BlobID
    var order: Int64
    var index: Int64
    /// It lies in `contents`.
    var isContent = false
}

/// What a batch of entries comes to.
private struct RelayWork {
    /// Rows of versions that never had one.
    var newRows: [BSONDocument] = []
    var rows: [MongoDatabase.Update] = []
    private var dropped: [DroppedBlob] = []
    /// Heads whose assets have changed.
    var assets: [Head] = []
    var removedAssets: [AssetID] = []

    mutating func archive(_ version: VersionDocument, at key: HeadKey) {
        let id = key.row(version.sequence)
        let revision = BSONValue.int64(version.revision)
        let row: BSONDocument = ["_id": id, "r": revision, "d": .raw(version.view)]
        // Where it was moved before, the row is this one or a later one.
        if !version.mayHaveRow { return newRows.append(row) }
        rows.append(MongoDatabase.Update(["_id": id, "r": ["$lt": revision]], .document(row), upsert: true))
    }

    mutating func drop(_ version: VersionDocument, at key: HeadKey, _ order: Int64) throws(MetadataError) {
        try drop(blobsOf: version, order)
        if version.mayHaveRow { bury(version.sequence, at: key) }
    }

    mutating func remove(
        _ row: BSONView?, at key: HeadKey, _ sequence: Int64, _ order: Int64
    ) throws(MetadataError) {
        if let version = row?["d"]?.document { try drop(blobsOf: VersionDocument(view: version), order) }
        bury(sequence, at: key)
    }

    mutating func tag(_ sequence: Int64, _ patch: VersionDocument.Patch, at key: HeadKey, _ revision: Int64) {
        let number = BSONValue.int64(revision)
        var set: BSONDocument = ["r": number, "d.r": number]
        set.append("d.t", patch.record.map { .binary($0) })
        var change: BSONDocument = ["$set": .document(set)]
        if patch.record == nil { change.append("$unset", ["d.t": ""]) }
        rows.append(
            MongoDatabase.Update(["_id": key.row(sequence), "r": ["$lt": number]], .document(change)))
    }

    private mutating func drop(blobsOf version: VersionDocument, _ order: Int64) throws(MetadataError) {
        let isContent = version.location == .metadata
        for (index, blob) in try version.blobs().enumerated() {
            dropped.append(DroppedBlob(blob: blob, order: order, index: Int64(index), isContent: isContent))
        }
    }

    /// Oldest first. What a gateway counts by the time that it was told may have been dropped a little later than its `seq` says, so its place is
    /// at least `order`, the cluster's time by now: whoever began to read before that may be reading it.
    func garbage(after order: Int64) -> [DroppedBlob] {
        let sorted = dropped.sorted { ($0.order, $0.index) < ($1.order, $1.index) }
        return sorted.enumerated().map { place, blob in
            DroppedBlob(
                blob: blob.blob, order: max(blob.order, order), index: Int64(place), isContent: blob.isContent)
        }
    }

    private mutating func bury(_ sequence: Int64, at key: HeadKey) {
        let id = key.row(sequence)
        let highest = BSONValue.int64(Int64.max)
        rows.append(
            MongoDatabase.Update(
                ["_id": id, "r": ["$lt": highest]],
                .document(["_id": id, "r": highest, "x": .date(Timestamp.now().milliseconds)]), upsert: true))
    }
}
