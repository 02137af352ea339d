import Bytes
import Digests
import RedoLog
import SQLite

/// Writes the rows of decisions, within the caller's transaction.
struct RowWriter {
    let connection: Connection
    /// What the decisions since the last `flush` changed of the bytes in each segment that blobs still name.
    private var liveBytes: [(segment: UInt64, change: Int64)] = []

    init(_ connection: Connection) { self.connection = connection }

    /// `place` is that of the decision's payload, where it has one.
    mutating func apply(_ decision: Decision, payloadAt place: PayloadPlace?) throws(SQLiteError) {
        for change in decision.changes {
            switch change {
            case .blobAdded(let id, let size, let crc32c, let isInLog):
                try connection.put(
                    StoredBlob(id: id, size: size, crc32c: crc32c, location: isInLog ? location(place) : .file))
                if isInLog, let place { liveBytes.append((place.segment, Int64(place.length))) }
            case .blobMoved(let id, let former):
                if try connection.move(id, from: former, to: location(place)), let place {
                    liveBytes.append((place.segment, Int64(place.length)))
                    if case .segment(let old, _) = former { liveBytes.append((old, -Int64(place.length))) }
                }
            case .garbage(let blobs, let position): try drop(blobs, position: position)
            default: try connection.apply(change)
            }
        }
    }

    private func location(_ place: PayloadPlace?) -> BlobLocation {
        place.map { .segment($0.segment, offset: $0.offset) } ?? .file
    }

    /// Bytes in a segment need no clean-up of their own.
    private mutating func drop(_ blobs: [BlobID], position: Int64) throws(SQLiteError) {
        for (offset, id) in blobs.enumerated() {
            if let (segment, size) = try connection.removeBlob(id) {
                liveBytes.append((segment, -Int64(clamping: size)))
                continue
            }
            try connection.write("INSERT OR IGNORE INTO gc_queue VALUES (?1, ?2)") {
                $0.bind(position &+ Int64(offset), at: 1)
                $0.bind(Int64(bitPattern: id.value), at: 2)
            }
        }
    }

    /// Counts the live bytes, those of `segment` into `uncounted` and all others into the table; before the transaction's COMMIT.
    mutating func flush(_ uncounted: inout UncountedBytes, writing segment: UInt64) throws(SQLiteError) {
        var sums = Dictionary(liveBytes, uniquingKeysWith: { $0 &+ $1 })
        liveBytes = []
        if uncounted.segment != segment {
            sums[uncounted.segment, default: 0] &+= uncounted.change
            uncounted = UncountedBytes(segment: segment)
        }
        uncounted.change &+= sums.removeValue(forKey: segment) ?? 0
        for (segment, change) in sums where change != 0 {
            try connection.write(
                """
                INSERT INTO segments (number, live) VALUES (?1, ?2)
                ON CONFLICT (number) DO UPDATE SET live = live + ?2
                """
            ) {
                $0.bind(Int64(bitPattern: segment), at: 1)
                $0.bind(change, at: 2)
            }
        }
    }

    /// What `forget(since:)` takes to forget the decisions that were applied after this and rolled back.
    var mark: Int { liveBytes.count }
    mutating func forget(since mark: Int) { liveBytes.removeLast(liveBytes.count - mark) }
}

extension Connection {
    fileprivate func apply(_ change: RowChange) throws(SQLiteError) {
        switch change {
        case .blobAdded, .blobMoved, .garbage: break
        case .bucket(let bucket): try put(bucket)
        case .bucketConfigured(let id, let configuration):
            try write("UPDATE buckets SET configuration = ?2 WHERE id = ?1") {
                $0.bind(id.value, at: 1)
                $0.bind(configuration.isEmpty ? nil : Records.encode(configuration), at: 2)
            }
        case .bucketRemoved(let id):
            try write("DELETE FROM buckets WHERE id = ?1") { $0.bind(id.value, at: 1) }
            try write("DELETE FROM hooks WHERE bucket = ?1") { $0.bind(id.value, at: 1) }
        case .version(let bucket, let version): try put(version, in: bucket)
        case .versionRemoved(let bucket, let key, let sequence): try remove(key, sequence, in: bucket)
        case .latest(let bucket, let key, let sequence, let isLatest):
            try write("UPDATE versions SET latest = ?4 WHERE bucket = ?1 AND key = ?2 AND seq = ?3") {
                $0.bind(bucket.value, at: 1)
                $0.bind(key.utf8, at: 2)
                $0.bind(sequence, at: 3)
                $0.bind(isLatest, at: 4)
            }
        case .tags(let bucket, let key, let sequence, let tags):
            try write("UPDATE versions SET tags = ?4 WHERE bucket = ?1 AND key = ?2 AND seq = ?3") {
                $0.bind(bucket.value, at: 1)
                $0.bind(key.utf8, at: 2)
                $0.bind(sequence, at: 3)
                $0.bind(Records.encode(tags), at: 4)
            }
        case .upload(let upload): try put(upload)
        case .uploadRemoved(let id):
            try write("DELETE FROM uploads WHERE id = ?1") { $0.bind(id.utf8, at: 1) }
            try write("DELETE FROM parts WHERE upload = ?1") { $0.bind(id.utf8, at: 1) }
        case .part(let upload, let part): try put(part, of: upload)
        case .completed(let id, let bucket, let version, let moment):
            try write("INSERT OR REPLACE INTO completed_uploads VALUES (?1, ?2, ?3, ?4)") {
                $0.bind(id.utf8, at: 1)
                $0.bind(bucket.value, at: 2)
                $0.bind(moment.milliseconds, at: 3)
                $0.bind(Records.encode(version), at: 4)
            }
        case .completedForgotten(let moment):
            try write("DELETE FROM completed_uploads WHERE completed < ?1") { $0.bind(moment.milliseconds, at: 1) }
        case .user(let user): try put(user)
        case .asset(let asset, let change): try put(asset, change: change)
        case .assetRemoved(let id, let change, let moment): try remove(id, change: change, at: moment)
        case .assetChangesForgotten(let last): try forgetAssetChanges(through: last)
        case .event(let event): try put(event)
        case .eventsPlanned(let last):
            try write("UPDATE job_state SET planned = ?1") { $0.bind(last, at: 1) }
        case .jobGroup(let group): try put(group)
        case .job(let job): try put(job)
        case .historyForgotten(let events, let groups): try forgetHistory(eventsThrough: events, groups: groups)
        case .hooks(let bucket, let revision, let document, let moment):
            try write("INSERT OR REPLACE INTO hooks VALUES (?1, ?2, ?3, ?4)") {
                $0.bind(bucket.value, at: 1)
                $0.bind(revision, at: 2)
                $0.bind(document, at: 3)
                $0.bind(moment.milliseconds, at: 4)
            }
        case .target(let target): try put(target)
        case .targetRemoved(let name): try write("DELETE FROM targets WHERE name = ?1") { $0.bind(name, at: 1) }
        case .targetMoved(let name, let position, let count):
            try moveTarget(name, to: position, droppedCount: count)
        case .garbageForgotten(let blobs):
            for blob in blobs {
                try write("DELETE FROM gc_queue WHERE blob = ?1") { $0.bind(Int64(bitPattern: blob.value), at: 1) }
            }
        }
    }

    func put(_ state: ViewState) throws(SQLiteError) {
        try write(
            """
            UPDATE view_state SET lsn = ?1, segment = ?2, "offset" = ?3, chain = ?4, sequence = ?5, last_blob = ?6,
            uncounted_segment = ?7, uncounted = ?8
            """
        ) {
            $0.bind(Int64(bitPattern: state.applied.lsn), at: 1)
            $0.bind(Int64(bitPattern: state.applied.segment), at: 2)
            $0.bind(Int64(bitPattern: state.applied.offset), at: 3)
            $0.bind(Int64(state.applied.chain), at: 4)
            $0.bind(state.sequence, at: 5)
            $0.bind(Int64(bitPattern: state.lastBlob.value), at: 6)
            $0.bind(Int64(bitPattern: state.uncounted.segment), at: 7)
            $0.bind(state.uncounted.change, at: 8)
        }
    }

    fileprivate func put(_ blob: StoredBlob) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO blobs VALUES (?1, ?2, ?3, ?4, ?5)") {
            $0.bind(Int64(bitPattern: blob.id.value), at: 1)
            $0.bind(Int64(bitPattern: blob.size), at: 2)
            $0.bind(blob.crc32c.map { Int64($0) }, at: 3)
            if case .segment(let number, let offset) = blob.location {
                $0.bind(Int64(bitPattern: number), at: 4)
                $0.bind(Int64(bitPattern: offset), at: 5)
            }
        }
    }

    /// Whether the blob lay there.
    fileprivate func move(
        _ id: BlobID, from former: BlobLocation, to new: BlobLocation
    ) throws(SQLiteError) -> Bool {
        guard case .segment(let oldSegment, let oldOffset) = former, case .segment(let segment, let offset) = new else {
            return false
        }
        try write("UPDATE blobs SET segment = ?4, \"offset\" = ?5 WHERE id = ?1 AND segment = ?2 AND \"offset\" = ?3") {
            $0.bind(Int64(bitPattern: id.value), at: 1)
            $0.bind(Int64(bitPattern: oldSegment), at: 2)
            $0.bind(Int64(bitPattern: oldOffset), at: 3)
            $0.bind(Int64(bitPattern: segment), at: 4)
            $0.bind(Int64(bitPattern: offset), at: 5)
        }
        return changes > 0
    }

    /// The segment in which the blob lay, and its size; nil for one in a file.
    fileprivate func removeBlob(_ id: BlobID) throws(SQLiteError) -> (segment: UInt64, size: UInt64)? {
        try with("DELETE FROM blobs WHERE id = ?1 RETURNING segment, size") { (row) throws(SQLiteError) in
            row.bind(Int64(bitPattern: id.value), at: 1)
            guard try row.step(), let segment = row.optionalInt64(0) else { return nil }
            return (UInt64(bitPattern: segment), UInt64(bitPattern: row.int64(1)))
        }
    }

    private func put(_ bucket: Bucket) throws(SQLiteError) {
        try write(
            """
            INSERT INTO buckets (id, name, owner, created, versioning, assets) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (id) DO UPDATE SET name = ?2, owner = ?3, created = ?4, versioning = ?5, assets = ?6
            """
        ) {
            $0.bind(bucket.id.value, at: 1)
            $0.bind(bucket.name.utf8, at: 2)
            $0.bind(bucket.owner, at: 3)
            $0.bind(bucket.created.milliseconds, at: 4)
            $0.bind(Int64(bucket.versioning.rawValue), at: 5)
            $0.bind(bucket.assets.map { $0 ? 1 : 0 }, at: 6)
        }
    }

    private func put(_ version: ObjectVersion, in bucket: BucketID) throws(SQLiteError) {
        var attributes = version.attributes
        attributes.storageClass = nil
        var blob: Int64?
        var partCount: Int64?
        switch version.content {
        case .empty: break
        case .blob(let id): blob = Int64(bitPattern: id.value)
        case .parts(let parts):
            partCount = Int64(parts.count)
            try write("INSERT OR REPLACE INTO manifests VALUES (?1, ?2)") {
                $0.bind(version.sequence, at: 1)
                $0.bind(Records.encode(parts), at: 2)
            }
        }
        try write(
            """
            INSERT OR REPLACE INTO versions
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
            """
        ) {
            $0.bind(bucket.value, at: 1)
            $0.bind(version.key.utf8, at: 2)
            $0.bind(version.sequence, at: 3)
            $0.bind(Rows.stored(version.versionID), at: 4)
            $0.bind(version.isLatest, at: 5)
            $0.bind(version.isDeleteMarker, at: 6)
            $0.bind(version.modified.milliseconds, at: 7)
            $0.bind(version.owner, at: 8)
            $0.bind(Int64(bitPattern: version.size), at: 9)
            $0.bind(version.etag.md5, at: 10)
            $0.bind(version.etag.partCount.map { Int64($0) }, at: 11)
            $0.bind(version.checksum.map { Records.encode($0) }, at: 12)
            $0.bind(version.attributes.storageClass, at: 13)
            $0.bind(blob, at: 14)
            $0.bind(partCount, at: 15)
            $0.bind(Records.encode(attributes), at: 16)
            $0.bind(Records.encode(version.tags), at: 17)
        }
    }

    private func remove(_ key: ObjectKey, _ sequence: Int64, in bucket: BucketID) throws(SQLiteError) {
        try write("DELETE FROM versions WHERE bucket = ?1 AND key = ?2 AND seq = ?3") {
            $0.bind(bucket.value, at: 1)
            $0.bind(key.utf8, at: 2)
            $0.bind(sequence, at: 3)
        }
        try write("DELETE FROM manifests WHERE seq = ?1") { $0.bind(sequence, at: 1) }
    }

    private func put(_ upload: Upload) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO uploads VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") {
            $0.bind(upload.id.utf8, at: 1)
            $0.bind(upload.bucket.value, at: 2)
            $0.bind(upload.key.utf8, at: 3)
            $0.bind(upload.initiated.milliseconds, at: 4)
            $0.bind(upload.owner, at: 5)
            $0.bind(upload.checksumAlgorithm.map { Int64($0.rawValue) }, at: 6)
            $0.bind(upload.checksumKind.map { Int64($0.rawValue) }, at: 7)
            $0.bind(Records.encode(upload.attributes), at: 8)
            $0.bind(Records.encode(upload.tags), at: 9)
        }
    }

    private func put(_ part: UploadedPart, of upload: UploadID) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO parts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") {
            $0.bind(upload.utf8, at: 1)
            $0.bind(Int64(part.number), at: 2)
            $0.bind(Int64(bitPattern: part.size), at: 3)
            $0.bind(part.md5, at: 4)
            $0.bind((part.checksum?.algorithm.rawValue).map { Int64($0) }, at: 5)
            $0.bind(part.checksum?.value, at: 6)
            $0.bind(part.modified.milliseconds, at: 7)
            $0.bind(part.blob.map { Int64(bitPattern: $0.value) }, at: 8)
        }
    }

    private func put(_ user: User) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") {
            $0.bind(user.name, at: 1)
            $0.bind(user.accessKey, at: 2)
            $0.bind(user.sealedSecret, at: 3)
            $0.bind(user.policy.rawValue, at: 4)
            $0.bind(user.customer, at: 5)
            $0.bind(user.isDisabled, at: 6)
            $0.bind(user.created.milliseconds, at: 7)
        }
    }

    func write(_ sql: StaticString, _ bind: (Statement) -> Void) throws(SQLiteError) {
        try with(sql) { (statement) throws(SQLiteError) in
            bind(statement)
            while try statement.step() {}
        }
    }
}
