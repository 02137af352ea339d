import Bytes
import RedoLog
import SQLite

/// What is read from the tables, on one connection: by readers, and by the committer within its transaction.
struct Rows {
    let connection: Connection

    // MARK: Buckets

    func bucket(_ id: BucketID) throws(MetadataError) -> Bucket? {
        try connection.with("SELECT * FROM buckets WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.value, at: 1)
            return try row.next() ? try Self.bucket(at: row) : nil
        }
    }

    func bucket(named name: BucketName) throws(MetadataError) -> Bucket? {
        try connection.with("SELECT * FROM buckets WHERE name = ?1") { (row) throws(MetadataError) in
            row.bind(name.utf8, at: 1)
            return try row.next() ? try Self.bucket(at: row) : nil
        }
    }

    /// Nil where the bucket is not there.
    func configuration(of id: BucketID) throws(MetadataError) -> BucketConfiguration? {
        try connection.with("SELECT configuration FROM buckets WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.value, at: 1)
            return try row.next() ? try Self.configuration(at: row, column: 0) : nil
        }
    }

    /// In order of name, with their configurations.
    func buckets(after: BucketName?, prefix: [UInt8], limit: Int) throws(MetadataError) -> [Bucket] {
        try connection.with(
            "SELECT * FROM buckets WHERE name >= ?1 ORDER BY name"
        ) { (row) throws(MetadataError) in
            var found: [Bucket] = []
            row.bind(KeyOrder.later(prefix, after.map { KeyOrder.next(after: $0.utf8) } ?? []), at: 1)
            while found.count < limit, try row.next() {
                let bucket = try Self.bucket(at: row).configured(by: try Self.configuration(at: row, column: 6))
                guard bucket.name.utf8.starts(with: prefix) else { break }
                found.append(bucket)
            }
            return found
        }
    }

    func bucketCount() throws(MetadataError) -> Int64 { try number("SELECT count(*) FROM buckets") }

    func versionCount() throws(MetadataError) -> Int64 { try number("SELECT count(*) FROM versions") }

    /// Whether no version and no delete marker is there.
    func isEmpty(_ bucket: BucketID) throws(MetadataError) -> Bool {
        try connection.with(
            "SELECT EXISTS (SELECT 1 FROM versions WHERE bucket = ?1)"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            return try row.next() && row.int64(0) == 0
        }
    }

    private static func configuration(
        at row: Statement, column: Int32
    ) throws(MetadataError) -> BucketConfiguration {
        try row.optionalBytes(column).map { (record) throws(MetadataError) in try Records.configuration(record) }
            ?? BucketConfiguration()
    }

    /// Without its configuration: writes look buckets up, and need none of it.
    private static func bucket(at row: Statement) throws(MetadataError) -> Bucket {
        guard let name = BucketName(row.bytes(1)), let raw = UInt8(exactly: row.int64(4)),
            let versioning = VersioningState(rawValue: raw)
        else { throw .broken("buckets: a malformed row") }
        return Bucket(
            id: BucketID(row.int64(0)), name: name, owner: row.text(2),
            created: Timestamp(milliseconds: row.int64(3)), versioning: versioning,
            assets: row.optionalInt64(5).map { $0 != 0 })
    }

    // MARK: Users

    /// In order of name.
    func users() throws(MetadataError) -> [User] {
        try connection.with("SELECT * FROM users ORDER BY name") { (row) throws(MetadataError) in
            var found: [User] = []
            while try row.next() { found.append(try Self.user(at: row)) }
            return found
        }
    }

    func user(named name: String) throws(MetadataError) -> User? {
        try connection.with("SELECT * FROM users WHERE name = ?1") { (row) throws(MetadataError) in
            row.bind(name, at: 1)
            return try row.next() ? try Self.user(at: row) : nil
        }
    }

    func user(accessKey: [UInt8]) throws(MetadataError) -> User? {
        try connection.with("SELECT * FROM users WHERE access_key = ?1") { (row) throws(MetadataError) in
            row.bind(accessKey, at: 1)
            return try row.next() ? try Self.user(at: row) : nil
        }
    }

    func userCount() throws(MetadataError) -> Int64 { try number("SELECT count(*) FROM users") }

    private static func user(at row: Statement) throws(MetadataError) -> User {
        guard let policy = CannedPolicy(rawValue: row.text(3)) else { throw .broken("users: an unknown policy") }
        return User(
            name: row.text(0), accessKey: row.bytes(1), sealedSecret: row.bytes(2), policy: policy,
            customer: row.optionalText(4), isDisabled: row.int64(5) != 0,
            created: Timestamp(milliseconds: row.int64(6)))
    }

    // MARK: Garbage and counters

    /// In the order in which the blobs were dropped.
    func garbage(limit: Int) throws(MetadataError) -> [BlobID] {
        try connection.with("SELECT blob FROM gc_queue ORDER BY position LIMIT ?1") { (row) throws(MetadataError) in
            row.bind(Int64(max(0, limit)), at: 1)
            var found: [BlobID] = []
            while try row.next() { found.append(BlobID(UInt64(bitPattern: row.int64(0)))) }
            return found
        }
    }

    /// Up to where the log is applied.
    func viewState() throws(MetadataError) -> ViewState {
        try connection.with("SELECT * FROM view_state") { (row) throws(MetadataError) in
            guard try row.next() else { throw MetadataError.broken("view_state: no row") }
            return ViewState(
                applied: LogPosition(
                    lsn: UInt64(bitPattern: row.int64(1)), segment: UInt64(bitPattern: row.int64(2)),
                    offset: UInt64(bitPattern: row.int64(3)), chain: UInt32(truncatingIfNeeded: row.int64(4))),
                sequence: row.int64(5), lastBlob: BlobID(UInt64(bitPattern: row.int64(6))),
                uncounted: UncountedBytes(segment: UInt64(bitPattern: row.int64(7)), change: row.int64(8)))
        }
    }

    /// Bytes in each segment that blobs still name; segments without any may be missing.
    func liveBytes() throws(MetadataError) -> [UInt64: UInt64] {
        try connection.with(
            "SELECT number, live FROM segments UNION ALL SELECT uncounted_segment, uncounted FROM view_state"
        ) { (row) throws(MetadataError) in
            var found: [UInt64: Int64] = [:]
            while try row.next() { found[UInt64(bitPattern: row.int64(0)), default: 0] &+= row.int64(1) }
            return found.mapValues { UInt64(max(0, $0)) }
        }
    }

    private func number(_ sql: StaticString) throws(MetadataError) -> Int64 {
        try connection.with(sql) { (row) throws(MetadataError) in try row.next() ? row.int64(0) : 0 }
    }
}
