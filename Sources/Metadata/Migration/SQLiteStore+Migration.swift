import Bytes
import SQLite
import Threads

extension SQLiteStore: MigrationSource {
    func migratedBuckets() async throws(MetadataError) -> [Bucket] {
        try await buckets(after: nil, prefix: [], limit: Int.max)
    }

    func migratedVersions(
        in bucket: BucketID, after key: [UInt8], below sequence: Int64, limit: Int
    ) async throws(MetadataError) -> [MigratedRow] {
        try read { (rows) throws(MetadataError) in
            try rows.migratedVersions(in: bucket, after: key, below: sequence, limit: limit)
        }
    }

    func migratedUploads(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow] {
        try read { (rows) throws(MetadataError) in try rows.migratedUploads(after: id, limit: limit) }
    }

    func migratedResults(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow] {
        try read { (rows) throws(MetadataError) in try rows.migratedResults(after: id, limit: limit) }
    }
}

extension SQLiteStore {
    /// The highest id of a blob that any change named up to now.
    func lastBlobNamed() throws(MetadataError) -> BlobID {
        try read { (rows) throws(MetadataError) in try rows.viewState().lastBlob }
    }
}

extension Rows {
    /// Parts of versions above which a batch ends.
    private static let partsMax = 20_000

    fileprivate func migratedVersions(
        in bucket: BucketID, after key: [UInt8], below sequence: Int64, limit: Int
    ) throws(MetadataError) -> [MigratedRow] {
        try connection.with(
            """
            SELECT * FROM versions WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR seq < ?3)
            ORDER BY key, seq DESC LIMIT ?4
            """
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key, at: 2)
            row.bind(sequence, at: 3)
            row.bind(Int64(max(0, limit)), at: 4)
            var found: [MigratedRow] = []
            var partCount = 0
            while partCount < Self.partsMax, try row.next() {
                let version = try version(at: row, key: nil, withContent: true)
                var blobs: [StoredBlob] = []
                for id in version.content.blobs {
                    guard let stored = try blob(id) else {
                        throw .broken("no row tells where blob \(id.value) of \(version.key.text) lies")
                    }
                    blobs.append(stored)
                }
                partCount += blobs.count
                found.append(MigratedRow(.version(bucket, version), blobs: blobs))
                guard version.isLatest, let asset = try asset(of: version.key, in: bucket) else { continue }
                found.append(MigratedRow(.asset(asset, change: 0)))
            }
            return found
        }
    }

    fileprivate func migratedUploads(after id: UploadID?, limit: Int) throws(MetadataError) -> [MigratedRow] {
        try connection.with("SELECT * FROM uploads WHERE id > ?1 ORDER BY id LIMIT ?2") {
            (row) throws(MetadataError) in
            row.bind(id?.utf8 ?? [], at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [MigratedRow] = []
            while try row.next() {
                let upload = try Self.upload(at: row)
                found.append(MigratedRow(.upload(upload)))
                for part in try parts(of: upload.id, after: Int.min, limit: Int.max) {
                    var row = MigratedRow(.part(upload.id, part))
                    if let id = part.blob, let stored = try blob(id) { row.blobs = [stored] }
                    found.append(row)
                }
            }
            return found
        }
    }

    fileprivate func migratedResults(after id: UploadID?, limit: Int) throws(MetadataError) -> [MigratedRow] {
        try connection.with(
            "SELECT id, bucket, completed, version FROM completed_uploads WHERE id > ?1 ORDER BY id LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(id?.utf8 ?? [], at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [MigratedRow] = []
            while try row.next() {
                guard let id = UploadID(row.bytes(0)) else { throw .broken("completed_uploads: a malformed id") }
                found.append(
                    MigratedRow(
                        .completed(
                            id, BucketID(row.int64(1)), try Records.version(row.bytes(3)),
                            at: Timestamp(milliseconds: row.int64(2)))))
            }
            return found
        }
    }
}
