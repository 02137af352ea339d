import Bytes
import SQLite

/// What deciding a write needs to know of a version: its row without attributes, tags and parts.
struct VersionHead {
    var sequence: Int64
    var versionID: VersionID
    var isLatest: Bool
    var isDeleteMarker: Bool
    var modified: Timestamp
    var size: UInt64
    var etag: ETag
    var blob: BlobID?
    /// The parts are in `manifests`.
    var hasManifest: Bool
}

/// The columns of `versions`, as the schema orders them.
private enum Column {
    static let key: Int32 = 1, sequence: Int32 = 2, version: Int32 = 3, latest: Int32 = 4, marker: Int32 = 5
    static let modified: Int32 = 6, owner: Int32 = 7, size: Int32 = 8, etag: Int32 = 9, etagParts: Int32 = 10
    static let checksum: Int32 = 11, storage: Int32 = 12, blob: Int32 = 13, parts: Int32 = 14
    static let attributes: Int32 = 15, tags: Int32 = 16
}

extension Rows {
    /// The latest version where `version` is nil, with its content.
    func version(of key: ObjectKey, in bucket: BucketID, _ version: VersionID?) throws(MetadataError) -> ObjectVersion?
    {
        try find(key, in: bucket, version) { (row) throws(MetadataError) in
            try self.version(at: row, key: key, withContent: true)
        }
    }

    func head(of key: ObjectKey, in bucket: BucketID, _ version: VersionID?) throws(MetadataError) -> VersionHead? {
        try find(key, in: bucket, version) { (row) throws(MetadataError) in try Self.head(at: row) }
    }

    /// The version that becomes the latest when the one of `sequence` goes.
    func head(of key: ObjectKey, in bucket: BucketID, before sequence: Int64) throws(MetadataError) -> VersionHead? {
        try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND key = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT 1"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key.utf8, at: 2)
            row.bind(sequence, at: 3)
            return try row.next() ? try Self.head(at: row) : nil
        }
    }

    func blobs(of head: VersionHead) throws(MetadataError) -> [BlobID] {
        if let blob = head.blob { return [blob] }
        return head.hasManifest ? try manifest(head.sequence).compactMap(\.blob) : []
    }

    /// The latest row answers most calls, also by version id; `versions_former` the others.
    private func find<Result>(
        _ key: ObjectKey, in bucket: BucketID, _ version: VersionID?,
        _ decode: (Statement) throws(MetadataError) -> Result
    ) throws(MetadataError) -> Result? {
        let name = version.map(Self.stored)
        let latest: Result? = try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND key = ?2 ORDER BY seq DESC LIMIT 1"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key.utf8, at: 2)
            guard try row.next(), name == nil || name == row.bytes(Column.version) else { return nil }
            return try decode(row)
        }
        guard latest == nil, let name else { return latest }
        return try connection.with(
            """
            SELECT * FROM versions INDEXED BY versions_former
            WHERE bucket = ?1 AND key = ?2 AND version = ?3 AND latest = 0
            """
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key.utf8, at: 2)
            row.bind(name, at: 3)
            return try row.next() ? try decode(row) : nil
        }
    }

    func manifest(_ sequence: Int64) throws(MetadataError) -> [StoredPart] {
        try connection.with("SELECT parts FROM manifests WHERE seq = ?1") { (row) throws(MetadataError) in
            row.bind(sequence, at: 1)
            guard try row.next() else { throw MetadataError.broken("manifests: no row \(sequence)") }
            return try Records.parts(row.bytes(0))
        }
    }

    /// How a version id is stored: empty for `null`, else the 16 bytes that its digits say.
    static func stored(_ version: VersionID) -> [UInt8] {
        switch version {
        case .null: []
        case .id(let digits): Hex.decode(digits) ?? digits
        }
    }

    static func versionID(at row: Statement, column: Int32 = Column.version) throws(MetadataError) -> VersionID {
        let stored = row.bytes(column)
        if stored.isEmpty { return .null }
        guard stored.count == 16 else { throw .broken("versions: a malformed version id") }
        return .id(Hex.encode(stored))
    }

    static func head(at row: Statement) throws(MetadataError) -> VersionHead {
        VersionHead(
            sequence: row.int64(Column.sequence), versionID: try versionID(at: row),
            isLatest: row.int64(Column.latest) != 0, isDeleteMarker: row.int64(Column.marker) != 0,
            modified: Timestamp(milliseconds: row.int64(Column.modified)),
            size: UInt64(bitPattern: row.int64(Column.size)), etag: etag(at: row, Column.etag, Column.etagParts),
            blob: row.optionalInt64(Column.blob).map { BlobID(UInt64(bitPattern: $0)) },
            hasManifest: !row.isNull(Column.parts))
    }

    /// `key` spares a copy where the caller knows it. Parts are read within the same snapshot: the row stands ready still.
    func version(at row: Statement, key known: ObjectKey?, withContent: Bool) throws(MetadataError) -> ObjectVersion {
        guard let key = known ?? ObjectKey(row.bytes(Column.key)) else { throw .broken("versions: a malformed key") }
        let head = try Self.head(at: row)
        var attributes = try Records.attributes(row.optionalBytes(Column.attributes))
        attributes.storageClass = row.optionalBytes(Column.storage)
        let content: Content
        var blob: StoredBlob?
        if !withContent {
            content = .empty
        } else if let id = head.blob {
            content = .blob(id)
            blob = try self.blob(id)
        } else {
            content = head.hasManifest ? .parts(try manifest(head.sequence)) : .empty
        }
        return ObjectVersion(
            key: key, versionID: head.versionID, isLatest: head.isLatest, isDeleteMarker: head.isDeleteMarker,
            modified: head.modified, sequence: head.sequence, owner: row.text(Column.owner), size: head.size,
            etag: head.etag, attributes: attributes, checksum: try Self.checksum(at: row, Column.checksum),
            tags: try Records.tags(row.optionalBytes(Column.tags)), content: content, blob: blob)
    }

    static func etag(at row: Statement, _ md5: Int32, _ parts: Int32) -> ETag {
        ETag(md5: row.bytes(md5), partCount: row.optionalInt64(parts).map { Int(truncatingIfNeeded: $0) })
    }

    static func checksum(at row: Statement, _ column: Int32) throws(MetadataError) -> Checksum? {
        guard let record = row.optionalBytes(column) else { return nil }
        return try Records.checksum(record)
    }
}
