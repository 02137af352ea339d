import Bytes
import Mongo
import Threads

/// A row of `assets`: the asset document as it is shown, for whoever reads the database, and the sign for the gateways' indexes that the
/// asset has changed. `_id` is the asset's id, `r` the sequence of the head that it was made from; a row that is gone leaves
/// `{_id, r, x}` for an hour.
enum AssetProjection {
    static func row(of document: AssetDocument, revision: Int64) -> BSONDocument {
        let asset = document.asset
        var row: BSONDocument = ["_id": .binary(asset.id.bytes), "r": .int64(revision)]
        row.append("customer_id", asset.customer.map { .text($0) })
        row.append("user_id", .text(asset.user))
        row.append("type", .text(asset.type.name))
        row.append("name", text(document.name))
        row.append("original_filename", text(document.originalFilename))
        row.append("mime_type", text(document.contentType))
        row.append("size", .int64(Int64(clamping: document.object.size)))
        row.append("duration", asset.details.duration.map { .double(Double($0) / 1_000) })
        if let width = asset.details.width, let height = asset.details.height {
            row.append("dimensions", ["width": .int64(width), "height": .int64(height)])
        }
        row.append("storage", ["bucket": .text(document.bucket.utf8), "key": text(asset.key.utf8)])
        var metadata: BSONDocument = [
            "tags": .array(document.tags.map(text)), "folder": text(document.folder),
        ]
        metadata.append("title", document.title.map(text))
        metadata.append("description", document.description.map(text))
        metadata.append("category", document.category.map(text))
        // As JSON: names of fields are the program's.
        metadata.append("custom", asset.details.custom.map(text))
        row.append("metadata", .document(metadata))
        row.append("created_at", .date(asset.created.milliseconds))
        row.append("updated_at", .date(asset.updated.milliseconds))
        row.append("deleted_at", asset.deleted.map { .date($0.milliseconds) })
        return row
    }

    /// What is not UTF-8 shows as U+FFFD.
    private static func text(_ bytes: [UInt8]) -> BSONValue { .text(String(decoding: bytes, as: UTF8.self)) }
}

extension MongoStore {
    /// Makes the rows of assets anew from their heads, unless they were made from later ones. May be done twice, by several gateways at
    /// once, and by one that slept meanwhile. With `again` rows of the same revision are made anew too.
    func project(_ heads: [Head], removed: [AssetID] = [], again: Bool = false) async throws(MetadataError) {
        if heads.isEmpty, removed.isEmpty { return }
        var rows: [MongoDatabase.Update] = []
        for head in heads {
            guard let document = try await document(of: head) else { continue }
            let revision = BSONValue.int64(head.sequence)
            rows.append(
                MongoDatabase.Update(
                    [
                        "_id": .binary(document.asset.id.bytes),
                        "r": again ? ["$lte": revision] : ["$lt": revision],
                    ], .document(AssetProjection.row(of: document, revision: head.sequence)), upsert: true))
        }
        for id in removed {
            let highest = BSONValue.int64(Int64.max)
            rows.append(
                MongoDatabase.Update(
                    ["_id": .binary(id.bytes), "r": ["$lt": highest]],
                    .document([
                        "_id": .binary(id.bytes), "r": highest, "x": .date(Timestamp.now().milliseconds),
                    ]), upsert: true))
        }
        try await perform { (database) throws(MongoError) in
            try database.update(rows, ignoringDuplicates: true, in: MongoSchema.assets)
        }
    }

    /// Makes the rows of all assets anew where the database has none, or those of another version; again until it succeeds.
    func makeAssetRows() async {
        while !isOver {
            if (try? await makeAssetRowsOnce()) == true { return }
            await pool.sleep(for: .seconds(1))
        }
    }

    private static let indexMark: BSONDocument = ["_id": "index"]
    private static let rowsVersion: Int64 = 2
    private static let rowsBatchLength = 200

    /// False where the store was closed meanwhile. What changes meanwhile is moved from its head as ever.
    private func makeAssetRowsOnce() async throws(MetadataError) -> Bool {
        let mark = try await perform { (database) throws(MongoError) in
            try database.findOne(Self.indexMark, in: MongoSchema.assets)
        }
        if mark?["version"]?.integer == Self.rowsVersion { return true }
        var last: AssetID?
        while !isOver {
            let heads = try await headsOfAssets(after: last, limit: Self.rowsBatchLength)
            try await project(heads, again: true)
            last = try heads.last?.asset()?.id
            if last != nil { continue }
            try await perform { (database) throws(MongoError) in
                try database.update(
                    [
                        MongoDatabase.Update(
                            Self.indexMark, .document(["_id": "index", "version": .int64(Self.rowsVersion)]),
                            upsert: true)
                    ], ignoringDuplicates: true, in: MongoSchema.assets)
            }
            return true
        }
        return false
    }
}
