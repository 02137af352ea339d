import Bytes
import Digests
import SQLite

extension Rows {
    func upload(_ id: UploadID) throws(MetadataError) -> Upload? {
        try connection.with("SELECT * FROM uploads WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.utf8, at: 1)
            return try row.next() ? try Self.upload(at: row) : nil
        }
    }

    /// Nil also where the id names an upload of another key.
    func upload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) throws(MetadataError) -> Upload? {
        guard let upload = try upload(id), upload.key == key, upload.bucket == bucket else { return nil }
        return upload
    }

    func uploads(in bucket: BucketID) throws(MetadataError) -> [UploadID] {
        try connection.with("SELECT id FROM uploads WHERE bucket = ?1") { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            var found: [UploadID] = []
            while try row.next() {
                guard let id = UploadID(row.bytes(0)) else { throw .broken("uploads: a malformed id") }
                found.append(id)
            }
            return found
        }
    }

    /// In order of number.
    func parts(of upload: UploadID, after number: Int, limit: Int) throws(MetadataError) -> [UploadedPart] {
        try connection.with(
            "SELECT * FROM parts WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
        ) { (row) throws(MetadataError) in
            row.bind(upload.utf8, at: 1)
            row.bind(Int64(number), at: 2)
            row.bind(Int64(max(0, limit)), at: 3)
            var found: [UploadedPart] = []
            while try row.next() { found.append(try Self.part(at: row)) }
            return found
        }
    }

    func part(_ number: Int, of upload: UploadID) throws(MetadataError) -> UploadedPart? {
        try connection.with("SELECT * FROM parts WHERE upload = ?1 AND number = ?2") { (row) throws(MetadataError) in
            row.bind(upload.utf8, at: 1)
            row.bind(Int64(number), at: 2)
            return try row.next() ? try Self.part(at: row) : nil
        }
    }

    /// What an upload became, while that is remembered, and when.
    func completed(
        _ id: UploadID, in bucket: BucketID
    ) throws(MetadataError) -> (version: ObjectVersion, at: Timestamp)? {
        try connection.with(
            "SELECT completed, version FROM completed_uploads WHERE id = ?1 AND bucket = ?2"
        ) { (row) throws(MetadataError) in
            row.bind(id.utf8, at: 1)
            row.bind(bucket.value, at: 2)
            guard try row.next() else { return nil }
            return (try Records.version(row.bytes(1)), Timestamp(milliseconds: row.int64(0)))
        }
    }

    func hasCompleted(before moment: Timestamp) throws(MetadataError) -> Bool {
        try connection.with("SELECT 1 FROM completed_uploads WHERE completed < ?1 LIMIT 1") {
            (row) throws(MetadataError) in
            row.bind(moment.milliseconds, at: 1)
            return try row.next()
        }
    }

    static func upload(at row: Statement) throws(MetadataError) -> Upload {
        guard let id = UploadID(row.bytes(0)), let key = ObjectKey(row.bytes(2)) else {
            throw .broken("uploads: a malformed row")
        }
        var kind: Checksum.Kind?
        if let raw = row.optionalInt64(6) {
            guard let byte = UInt8(exactly: raw), let known = Checksum.Kind(rawValue: byte) else {
                throw .broken("uploads: an unknown kind of checksum")
            }
            kind = known
        }
        return Upload(
            id: id, bucket: BucketID(row.int64(1)), key: key, owner: row.text(4),
            initiated: Timestamp(milliseconds: row.int64(3)),
            attributes: try Records.attributes(row.optionalBytes(7)), tags: try Records.tags(row.optionalBytes(8)),
            checksumAlgorithm: try algorithm(at: row, 5), checksumKind: kind)
    }

    static func part(at row: Statement) throws(MetadataError) -> UploadedPart {
        let checksum = try algorithm(at: row, 4).map { PartChecksum(algorithm: $0, value: row.bytes(5)) }
        return UploadedPart(
            number: Int(truncatingIfNeeded: row.int64(1)), size: UInt64(bitPattern: row.int64(2)), md5: row.bytes(3),
            checksum: checksum, modified: Timestamp(milliseconds: row.int64(6)),
            blob: row.optionalInt64(7).map { BlobID(UInt64(bitPattern: $0)) })
    }

    private static func algorithm(at row: Statement, _ column: Int32) throws(MetadataError) -> DigestAlgorithm? {
        guard let raw = row.optionalInt64(column) else { return nil }
        guard let byte = UInt8(exactly: raw), let algorithm = DigestAlgorithm(rawValue: byte) else {
            throw .broken("an unknown digest algorithm")
        }
        return algorithm
    }
}
