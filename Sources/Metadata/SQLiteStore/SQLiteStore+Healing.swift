import Bytes
import RedoLog
import SQLite
import Threads

/// A version, in the words of its users.
public struct VersionName: Sendable, Equatable, CustomStringConvertible {
    /// Nil where the bucket is not known any more.
    public var bucket: BucketName?
    public var key: ObjectKey
    public var version: VersionID

    /// On one line: the key percent-encoded.
    public var description: String {
        let key = String(decoding: PercentEncoding.encode(self.key.utf8, keepingSlash: true), as: UTF8.self)
        return "\(bucket?.description ?? "?")/\(key) version \(String(decoding: version.utf8, as: UTF8.self))"
    }
}

extension SQLiteStore {
    /// Looks in all segments for whole copies of blobs whose bytes in the log are damaged or gone: what compaction moved stays
    /// where it was until the segment is removed. A copy goes to the end of the log, as the blob's new place. Returns the blobs
    /// that have one, and makes a base, so that nothing before it needs the damaged part of the log.
    public func heal(_ blobs: [StoredBlob]) async throws(MetadataError) -> Set<BlobID> {
        var wanted = Dictionary(blobs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        if wanted.isEmpty { return [] }
        var healed: Set<BlobID> = []
        let numbers: [UInt64]
        do { numbers = try pool.blocking { () throws(LogError) in try segments.numbers() } } catch {
            throw MetadataError(error)
        }
        for number in numbers where !wanted.isEmpty {
            for relocation in pool.blocking({ copies(of: wanted, in: number) }) {
                for result in await committer.submit([relocation.mutation]) { _ = try result.get() }
                healed.insert(relocation.blob.id)
                wanted[relocation.blob.id] = nil
            }
        }
        _ = try await makeBase()
        return healed
    }

    /// Whole copies in one segment, whatever became of its records between them.
    private func copies(of wanted: [BlobID: StoredBlob], in number: UInt64) -> [Compactor.Relocation] {
        guard var reader = try? LogReader(salvaging: number, of: segments) else { return [] }
        var found: [BlobID: Compactor.Relocation] = [:]
        while true {
            let changes: [LoggedChange]?
            do throws(LogError) { changes = try reader.next() } catch {
                if (try? reader.skipDamage()) == true { continue }
                break
            }
            guard let changes else { break }
            for change in changes {
                guard let place = change.payload, let id = try? Compactor.blob(of: change), let blob = wanted[id],
                    UInt64(place.length) == blob.size, place.crc32c == blob.crc32c,
                    let bytes = try? segments.payload(at: place)
                else { continue }
                found[id] = Compactor.Relocation(blob: blob, bytes: bytes)
            }
        }
        return [Compactor.Relocation](found.values)
    }

    /// Moves what can be read of the blobs in a segment whose records cannot be walked. What cannot stays, and keeps the segment.
    func evacuate(_ number: UInt64, _ report: inout MaintenanceReport) async throws(MetadataError) {
        var last = BlobID(0)
        while true {
            let blobs = try read { (rows) throws(MetadataError) in
                try rows.blobs(in: number, after: last, limit: 16)
            }
            guard let end = blobs.last else { return }
            last = end.id
            let batch = pool.blocking { blobs.compactMap { relocation(of: $0) } }
            for result in await committer.submit(batch.map(\.mutation)) { _ = try result.get() }
            report.blobsMoved += batch.count
            report.bytesMoved += batch.reduce(0) { $0 + UInt64($1.bytes.count) }
        }
    }

    private func relocation(of blob: StoredBlob) -> Compactor.Relocation? {
        guard case .segment(let segment, let offset) = blob.location, let crc32c = blob.crc32c,
            let length = UInt32(exactly: blob.size)
        else { return nil }
        let place = PayloadPlace(segment: segment, offset: offset, length: length, crc32c: crc32c)
        return (try? segments.payload(at: place)).map { Compactor.Relocation(blob: blob, bytes: $0) }
    }

    /// The versions that name these blobs, a few of each. Reads all versions.
    public func versions(
        naming blobs: Set<BlobID>, countMax: Int
    ) async throws(MetadataError) -> [BlobID: [VersionName]] {
        var found: [BlobID: [VersionName]] = [:]
        if blobs.isEmpty { return found }
        for id in try read({ (rows) throws(MetadataError) in try rows.bucketIDs() }) {
            let name = try read { (rows) throws(MetadataError) in try rows.bucket(id)?.name }
            var last: ObjectVersion?
            while true {
                let page = try read { (rows) throws(MetadataError) in
                    try rows.versions(in: id, after: last, limit: 1_000)
                }
                guard let end = page.last else { break }
                last = end
                for version in page {
                    for blob in version.content.blobs where blobs.contains(blob) {
                        if found[blob, default: []].count >= countMax { continue }
                        found[blob, default: []].append(
                            VersionName(bucket: name, key: version.key, version: version.versionID))
                    }
                }
            }
        }
        return found
    }
}

extension Rows {
    /// In order of id, those after `after`. Reads all rows of blobs.
    func blobs(in segment: UInt64, after: BlobID, limit: Int) throws(MetadataError) -> [StoredBlob] {
        try connection.with(
            "SELECT * FROM blobs WHERE id > ?1 AND segment = ?2 ORDER BY id LIMIT ?3"
        ) { (row) throws(MetadataError) in
            row.bind(Int64(clamping: after.value), at: 1)
            row.bind(Int64(bitPattern: segment), at: 2)
            row.bind(Int64(max(0, limit)), at: 3)
            var found: [StoredBlob] = []
            while try row.next() { found.append(Self.blob(at: row)) }
            return found
        }
    }

    /// Of buckets that are known and of versions whose bucket is not.
    func bucketIDs() throws(MetadataError) -> [BucketID] {
        try connection.with(
            "SELECT id FROM buckets UNION SELECT DISTINCT bucket FROM versions ORDER BY 1"
        ) { (row) throws(MetadataError) in
            var found: [BucketID] = []
            while try row.next() { found.append(BucketID(row.int64(0))) }
            return found
        }
    }

    /// In order of key, and of one key the oldest first; those after `last`.
    func versions(
        in bucket: BucketID, after last: ObjectVersion?, limit: Int
    ) throws(MetadataError) -> [ObjectVersion] {
        try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND (key, seq) > (?2, ?3) ORDER BY key, seq LIMIT ?4"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(last?.key.utf8 ?? [], at: 2)
            row.bind(last?.sequence ?? Int64.min, at: 3)
            row.bind(Int64(max(0, limit)), at: 4)
            var found: [ObjectVersion] = []
            while try row.next() { found.append(try version(at: row, key: nil, withContent: true)) }
            return found
        }
    }
}
