import SQLite
import Threads

extension SQLiteStore {
    public func blobs(after: BlobID, limit: Int) async throws(MetadataError) -> [StoredBlob] {
        try pool.blocking { () throws(MetadataError) in
            try readers.read { (rows) throws(MetadataError) in try rows.blobs(after: after, limit: limit) }
        }
    }

    public func garbageCount() throws(MetadataError) -> UInt64 {
        try readers.read { (rows) throws(MetadataError) in try rows.garbageCount() }
    }
}

extension Rows {
    func blob(_ id: BlobID) throws(MetadataError) -> StoredBlob? {
        try connection.with("SELECT * FROM blobs WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(Int64(bitPattern: id.value), at: 1)
            return try row.next() ? Self.blob(at: row) : nil
        }
    }

    /// In order of id. Ids stay far below the highest that a signed number can hold.
    func blobs(after id: BlobID, limit: Int) throws(MetadataError) -> [StoredBlob] {
        try connection.with("SELECT * FROM blobs WHERE id > ?1 ORDER BY id LIMIT ?2") { (row) throws(MetadataError) in
            row.bind(Int64(clamping: id.value), at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [StoredBlob] = []
            while try row.next() { found.append(Self.blob(at: row)) }
            return found
        }
    }

    func garbageCount() throws(MetadataError) -> UInt64 {
        try connection.with("SELECT count(*) FROM gc_queue") { (row) throws(MetadataError) in
            try row.next() ? UInt64(max(0, row.int64(0))) : 0
        }
    }

    static func blob(at row: Statement) -> StoredBlob {
        let location: BlobLocation =
            row.isNull(3)
            ? .file
            : .segment(UInt64(bitPattern: row.int64(3)), offset: UInt64(bitPattern: row.int64(4)))
        return StoredBlob(
            id: BlobID(UInt64(bitPattern: row.int64(0))), size: UInt64(bitPattern: row.int64(1)),
            crc32c: row.optionalInt64(2).map { UInt32(truncatingIfNeeded: $0) }, location: location)
    }
}
