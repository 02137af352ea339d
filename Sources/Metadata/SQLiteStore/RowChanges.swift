import Bytes
import Digests
import SQLite

extension Connection {
    /// Writes the rows of a decision, within the caller's transaction.
    func apply(_ decision: Decision) throws(SQLiteError) {
        for change in decision.changes { try apply(change) }
    }

    private func apply(_ change: RowChange) throws(SQLiteError) {
        switch change {
        case .bucket(let bucket): try put(bucket)
        case .bucketRemoved(let id): try write("DELETE FROM buckets WHERE id = ?1") { $0.bind(id.value, at: 1) }
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
        case .garbage(let blobs, let position):
            for (offset, blob) in blobs.enumerated() {
                try write("INSERT OR IGNORE INTO gc_queue VALUES (?1, ?2)") {
                    $0.bind(position &+ Int64(offset), at: 1)
                    $0.bind(Int64(bitPattern: blob.value), at: 2)
                }
            }
        case .garbageForgotten(let blobs):
            for blob in blobs {
                try write("DELETE FROM gc_queue WHERE blob = ?1") { $0.bind(Int64(bitPattern: blob.value), at: 1) }
            }
        }
    }

    func put(sequence: Int64) throws(SQLiteError) {
        try write("UPDATE counters SET value = ?1 WHERE name = 'sequence'") { $0.bind(sequence, at: 1) }
    }

    private func put(_ bucket: Bucket) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO buckets VALUES (?1, ?2, ?3, ?4, ?5)") {
            $0.bind(bucket.id.value, at: 1)
            $0.bind(bucket.name.utf8, at: 2)
            $0.bind(bucket.owner, at: 3)
            $0.bind(bucket.created.milliseconds, at: 4)
            $0.bind(Int64(bucket.versioning.rawValue), at: 5)
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

    private func write(_ sql: StaticString, _ bind: (Statement) -> Void) throws(SQLiteError) {
        try with(sql) { (statement) throws(SQLiteError) in
            bind(statement)
            while try statement.step() {}
        }
    }
}
