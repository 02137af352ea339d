import Bytes
import SQLite

/// A change of an asset that those who follow may not have yet.
struct AssetChange {
    /// Ascending in the order of commits.
    var number: Int64
    var id: AssetID
    var moment: Timestamp
}

extension Rows {
    func asset(of key: ObjectKey, in bucket: BucketID) throws(MetadataError) -> Asset? {
        try connection.with("SELECT * FROM assets WHERE bucket = ?1 AND key = ?2") { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key.utf8, at: 2)
            return try row.next() ? try Self.asset(at: row) : nil
        }
    }

    func asset(_ id: AssetID) throws(MetadataError) -> Asset? {
        try connection.with("SELECT * FROM assets WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.bytes, at: 1)
            return try row.next() ? try Self.asset(at: row) : nil
        }
    }

    /// In order of id, those after `after`.
    func assets(after: AssetID?, limit: Int) throws(MetadataError) -> [Asset] {
        try connection.with("SELECT * FROM assets WHERE id > ?1 ORDER BY id LIMIT ?2") { (row) throws(MetadataError) in
            row.bind(after?.bytes ?? [], at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [Asset] = []
            while try row.next() { found.append(try Self.asset(at: row)) }
            return found
        }
    }

    func assets(in bucket: BucketID) throws(MetadataError) -> [AssetID] {
        try connection.with("SELECT id FROM assets WHERE bucket = ?1") { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            var found: [AssetID] = []
            while try row.next() { found.append(try Records.assetID(row.bytes(0))) }
            return found
        }
    }

    /// The asset with its bucket and object; nil where no version is left of it, or its bucket is gone. `versionsMax` of 0
    /// leaves the versions out.
    func document(of asset: Asset, versionsMax: Int) throws(MetadataError) -> AssetDocument? {
        guard let bucket = try bucket(asset.bucket) else { return nil }
        let object = try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND key = ?2 AND marker = 0 ORDER BY seq DESC LIMIT 1"
        ) { (row) throws(MetadataError) -> ObjectVersion? in
            row.bind(asset.bucket.value, at: 1)
            row.bind(asset.key.utf8, at: 2)
            return try row.next() ? try self.version(at: row, key: asset.key, withContent: false) : nil
        }
        guard let object else { return nil }
        let versions = try versionsMax > 0 ? versions(of: asset, limit: versionsMax) : []
        return AssetDocument(asset: asset, bucket: bucket.name, object: object, versions: versions)
    }

    /// The newest, oldest of them first.
    private func versions(of asset: Asset, limit: Int) throws(MetadataError) -> [AssetDocument.Version] {
        let count = try connection.with(
            "SELECT count(*) FROM versions WHERE bucket = ?1 AND key = ?2 AND marker = 0"
        ) { (row) throws(MetadataError) in
            row.bind(asset.bucket.value, at: 1)
            row.bind(asset.key.utf8, at: 2)
            return try row.next() ? Int(clamping: row.int64(0)) : 0
        }
        return try connection.with(
            """
            SELECT version, modified, size FROM versions
            WHERE bucket = ?1 AND key = ?2 AND marker = 0 ORDER BY seq DESC LIMIT ?3
            """
        ) { (row) throws(MetadataError) in
            row.bind(asset.bucket.value, at: 1)
            row.bind(asset.key.utf8, at: 2)
            row.bind(Int64(limit), at: 3)
            var found: [AssetDocument.Version] = []
            while try row.next() {
                found.append(
                    AssetDocument.Version(
                        number: count - found.count, created: Timestamp(milliseconds: row.int64(1)),
                        size: UInt64(bitPattern: row.int64(2)), id: try Self.versionID(at: row, column: 0)))
            }
            return found.reversed()
        }
    }

    private static func asset(at row: Statement) throws(MetadataError) -> Asset {
        guard let key = ObjectKey(row.bytes(1)), let raw = UInt8(exactly: row.int64(5)),
            let type = AssetType(rawValue: raw)
        else { throw .broken("assets: a malformed row") }
        return Asset(
            id: try Records.assetID(row.bytes(2)), bucket: BucketID(row.int64(0)), key: key,
            customer: row.optionalText(3), user: row.text(4), type: type,
            created: Timestamp(milliseconds: row.int64(6)), updated: Timestamp(milliseconds: row.int64(7)),
            deleted: row.optionalInt64(8).map { Timestamp(milliseconds: $0) },
            details: try Records.assetDetails(row.optionalBytes(9)))
    }

    // MARK: Changes

    /// In order, those after `after`.
    func assetChanges(after: Int64, limit: Int) throws(MetadataError) -> [AssetChange] {
        try connection.with(
            "SELECT * FROM asset_changes WHERE change > ?1 ORDER BY change LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(after, at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [AssetChange] = []
            while try row.next() {
                found.append(
                    AssetChange(
                        number: row.int64(0), id: try Records.assetID(row.bytes(1)),
                        moment: Timestamp(milliseconds: row.int64(2))))
            }
            return found
        }
    }

    /// The first and the last that are listed. Nil before the first change of all: the last one is never forgotten.
    func assetChangesListed() throws(MetadataError) -> (first: Int64, last: Int64)? {
        try connection.with("SELECT min(change), max(change) FROM asset_changes") { (row) throws(MetadataError) in
            guard try row.next(), let first = row.optionalInt64(0), let last = row.optionalInt64(1) else { return nil }
            return (first, last)
        }
    }

    /// Whether forgetting would remove any.
    func hasAssetChanges(through last: Int64) throws(MetadataError) -> Bool {
        try connection.with(
            "SELECT EXISTS (SELECT 1 FROM asset_changes WHERE change < ?1)"
        ) { (row) throws(MetadataError) in
            row.bind(last, at: 1)
            return try row.next() && row.int64(0) != 0
        }
    }
}

extension Connection {
    /// An asset keeps its id, so only the columns that changed are written to the indexes.
    func put(_ asset: Asset, change: Int64) throws(SQLiteError) {
        try write(
            """
            INSERT INTO assets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            ON CONFLICT (bucket, key) DO UPDATE SET
                id = ?3, customer = ?4, user = ?5, type = ?6, created = ?7, updated = ?8, deleted = ?9, details = ?10
            """
        ) {
            $0.bind(asset.bucket.value, at: 1)
            $0.bind(asset.key.utf8, at: 2)
            $0.bind(asset.id.bytes, at: 3)
            $0.bind(asset.customer, at: 4)
            $0.bind(asset.user, at: 5)
            $0.bind(Int64(asset.type.rawValue), at: 6)
            $0.bind(asset.created.milliseconds, at: 7)
            $0.bind(asset.updated.milliseconds, at: 8)
            $0.bind(asset.deleted?.milliseconds, at: 9)
            $0.bind(Records.encode(asset.details), at: 10)
        }
        try note(asset.id, change: change, at: asset.updated)
    }

    func remove(_ id: AssetID, change: Int64, at moment: Timestamp) throws(SQLiteError) {
        try write("DELETE FROM assets WHERE id = ?1") { $0.bind(id.bytes, at: 1) }
        try note(id, change: change, at: moment)
    }

    private func note(_ id: AssetID, change: Int64, at moment: Timestamp) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO asset_changes VALUES (?1, ?2, ?3)") {
            $0.bind(change, at: 1)
            $0.bind(id.bytes, at: 2)
            $0.bind(moment.milliseconds, at: 3)
        }
    }

    /// The last one stays: it says up to where changes were forgotten.
    func forgetAssetChanges(through last: Int64) throws(SQLiteError) {
        try write("DELETE FROM asset_changes WHERE change < ?1") { $0.bind(last, at: 1) }
    }
}
