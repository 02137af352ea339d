public import Files
import RedoLog
import SQLite

/// What can still be known of a store whose database is lost and whose bases and log do not give it back whole: the newest base
/// that is whole, and every change that can be read in what is left of the log. It lies in a file of its own; the store's folder is
/// only read.
///
/// Changes that are lost may have made, replaced or deleted what is shown here. Used by one task.
public final class SalvagedView {
    /// The number of the last record of the base; nil where none was whole.
    public let base: UInt64?
    /// Changes that were read in the log.
    public private(set) var changeCount = 0
    /// What could not be read, in words.
    public private(set) var damage: [String] = []
    private let connection: Connection
    private var rows: Rows { Rows(connection: connection) }

    private init(base: UInt64?, connection: Connection) {
        (self.base, self.connection) = (base, connection)
    }

    /// Makes the view in a new file at `path`, which the caller removes. Blocks for the disk.
    public static func read(_ folder: DataFolder, into path: String) throws(MetadataError) -> SalvagedView {
        do throws(SQLiteError) {
            let connection = try Connection.open(path, mode: .readWrite)
            let base = try Bases(folder: folder).copyNewest(to: connection)
            try connection.run(script: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")
            do { try Schema.prepare(connection) } catch { throw SQLiteError(code: 1, message: "\(error)") }
            let view = SalvagedView(base: base, connection: connection)
            try view.apply(SegmentFiles(disk: folder.disk, directory: folder.segments, storeID: folder.id))
            return view
        } catch {
            throw MetadataError(error)
        }
    }

    private func apply(_ files: SegmentFiles) throws(SQLiteError) {
        let numbers: [UInt64]
        do { numbers = try files.numbers() } catch {
            damage.append("\(error)")
            return
        }
        for number in numbers {
            var reader: LogReader
            do { reader = try LogReader(salvaging: number, of: files) } catch {
                damage.append("\(error)")
                continue
            }
            var goesOn = true
            while goesOn {
                do throws(LogError) {
                    guard let changes = try reader.next() else { break }
                    apply(changes)
                } catch {
                    damage.append("\(error)")
                    goesOn = (try? reader.skipDamage()) ?? false
                }
            }
        }
    }

    /// One transaction for each: a change that cannot be read or applied leaves the others alone.
    private func apply(_ changes: [LoggedChange]) {
        for change in changes where change.lsn > base ?? 0 {
            do {
                let decision = try Records.decision(change.body).0
                var writer = RowWriter(connection)
                try connection.savepoint()
                try writer.apply(decision, payloadAt: change.payload)
                try connection.release()
                changeCount += 1
            } catch {
                _ = try? connection.rollbackToSavepoint()
                damage.append("change \(change.lsn) of the log: \(error)")
            }
        }
    }

    // MARK: What is known

    public func bucket(_ id: BucketID) throws(MetadataError) -> Bucket? {
        guard let bucket = try rows.bucket(id) else { return nil }
        return bucket.configured(by: try rows.configuration(of: id) ?? BucketConfiguration())
    }

    /// Of buckets that are known and of versions whose bucket is not.
    public func bucketIDs() throws(MetadataError) -> [BucketID] { try rows.bucketIDs() }

    /// In order of key, and of one key the oldest first; those after `last`.
    public func versions(
        in bucket: BucketID, after last: ObjectVersion?, limit: Int
    ) throws(MetadataError) -> [ObjectVersion] { try rows.versions(in: bucket, after: last, limit: limit) }

    /// Nil for a blob that nothing names.
    public func blob(_ id: BlobID) throws(MetadataError) -> StoredBlob? { try rows.blob(id) }

    /// Whether nothing names the blob because it was deleted or replaced.
    public func isGarbage(_ id: BlobID) throws(MetadataError) -> Bool {
        try connection.with("SELECT 1 FROM gc_queue WHERE blob = ?1") { (row) throws(MetadataError) in
            row.bind(Int64(bitPattern: id.value), at: 1)
            return try row.next()
        }
    }

    /// Whether the upload was completed, or is known to be in progress.
    public func knows(_ upload: UploadID) throws(MetadataError) -> Bool {
        try connection.with(
            "SELECT 1 FROM uploads WHERE id = ?1 UNION SELECT 1 FROM completed_uploads WHERE id = ?1"
        ) { (row) throws(MetadataError) in
            row.bind(upload.utf8, at: 1)
            return try row.next()
        }
    }
}
