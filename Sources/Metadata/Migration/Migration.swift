/// Why a migration did not come to its end. The source is as it was.
public enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was asked for cannot be done as things stand; nothing was changed.
    case refused(String)
    /// What came out is not what went in.
    case mismatch(String)
    /// One of the stores failed; the next attempt goes on.
    case failed(MetadataError)

    public var description: String {
        switch self {
        case .refused(let reason), .mismatch(let reason): reason
        case .failed(.unavailable(let reason)), .failed(.broken(let reason)), .failed(.damaged(let reason)),
            .failed(.overloaded(let reason)):
            reason
        case .failed(let error): "\(error)"
        }
    }
}

/// How far a migration is.
public struct MigrationProgress: Sendable, Equatable {
    public enum Step: Sendable {
        /// The source is read, to know what there is and whether it is what a former attempt saw.
        case reading
        case copying
        /// The target is read.
        case verifying
    }

    public var step: Step
    public var versions: UInt64
    /// Nil while it is not known.
    public var versionsTotal: UInt64?
}

/// What a migration came to.
public struct MigrationReport: Sendable {
    /// Of both stores.
    public var digest: StoreDigest
    /// It went on where a former attempt ended.
    public var isContinued = false
    /// Blobs that lay in the log and got a place of their own, in this attempt.
    public var blobsPlaced: UInt64 = 0
}

/// One row of a store on its way to another, and what is known of the blobs that it names.
struct MigratedRow: Sendable {
    /// A bucket, its configuration, a version, asset, upload, part, result of Complete, user, or one blob of garbage. The number of a change of an asset and
    /// the position of garbage are the target's affair.
    var change: RowChange
    var blobs: [StoredBlob] = []

    init(_ change: RowChange, blobs: [StoredBlob] = []) { (self.change, self.blobs) = (change, blobs) }
}

/// A store whose rows can be walked in the one order that both stores have: by bytes, versions newest first.
protocol MigrationSource: MetadataStore {
    /// All, by name.
    func migratedBuckets() async throws(MetadataError) -> [Bucket]
    /// Versions of keys after `key`, and those of `key` below `sequence`: by key, newest first. An asset follows the latest version of its
    /// key. Empty at the end only; `limit` is a hint.
    func migratedVersions(
        in bucket: BucketID, after key: [UInt8], below sequence: Int64, limit: Int
    ) async throws(MetadataError) -> [MigratedRow]
    /// Uploads in progress, by id, each followed by its parts.
    func migratedUploads(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow]
    /// Results of Complete that are still remembered, by the upload's id.
    func migratedResults(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow]
}

/// Where a walk over a store goes on. Buckets are named, keys and sequences are the source's.
struct MigrationPlace: Sendable, Equatable {
    enum Stage: UInt8, Sendable {
        case buckets = 1, users, versions, uploads, results, garbage, end
    }

    var stage = Stage.buckets
    /// The bucket, or above the last one that is done.
    var bucket: [UInt8] = []
    var key: [UInt8] = []
    var sequence = Int64.max
    /// The last upload, or the last result.
    var upload: [UInt8] = []
    /// Blobs of garbage that are done.
    var garbage: UInt64 = 0
}

/// Reads a store from a place to its end, in batches that fit into memory.
struct MigrationWalk {
    private let source: any MigrationSource
    /// Behind the last batch.
    private(set) var place: MigrationPlace
    private var buckets: [Bucket]?
    private var garbage: [BlobID]?

    /// Versions of one batch.
    private let batchLength: Int

    static let batchLength = 256
    private static let uploadsMax = 16
    private static let garbageMax = 1_000

    init(
        _ source: any MigrationSource, from place: MigrationPlace = MigrationPlace(),
        batchLength: Int = MigrationWalk.batchLength
    ) {
        (self.source, self.place, self.batchLength) = (source, place, batchLength)
    }

    /// Nil at the end.
    mutating func next() async throws(MetadataError) -> [MigratedRow]? {
        while place.stage != .end {
            let rows = try await batch()
            if !rows.isEmpty { return rows }
        }
        return nil
    }

    private mutating func batch() async throws(MetadataError) -> [MigratedRow] {
        switch place.stage {
        case .buckets:
            place.stage = .users
            return try await allBuckets().flatMap { bucket in
                [MigratedRow(.bucket(bucket))]
                    + (bucket.configuration.isEmpty
                        ? [] : [MigratedRow(.bucketConfigured(bucket.id, bucket.configuration))])
            }
        case .users:
            place.stage = .versions
            return try await source.users().map { MigratedRow(.user($0)) }
        case .versions: return try await versions()
        case .uploads:
            let rows = try await source.migratedUploads(after: UploadID(place.upload), limit: Self.uploadsMax)
            take(rows, then: .results)
            return rows
        case .results:
            let rows = try await source.migratedResults(after: UploadID(place.upload), limit: Self.garbageMax)
            take(rows, then: .garbage)
            return rows
        case .garbage: return try await someGarbage()
        case .end: return []
        }
    }

    private mutating func allBuckets() async throws(MetadataError) -> [Bucket] {
        if let buckets { return buckets }
        let all = try await source.migratedBuckets()
        buckets = all
        return all
    }

    private mutating func versions() async throws(MetadataError) -> [MigratedRow] {
        let former = place.bucket
        let next = try await allBuckets().first { !$0.name.utf8.lexicographicallyPrecedes(former) }
        guard let bucket = next else {
            place.stage = .uploads
            return []
        }
        if bucket.name.utf8 != former {
            (place.bucket, place.key, place.sequence) = (bucket.name.utf8, [], Int64.max)
        }
        let rows = try await source.migratedVersions(
            in: bucket.id, after: place.key, below: place.sequence, limit: batchLength)
        for case .version(_, let version) in rows.map(\.change) {
            (place.key, place.sequence) = (version.key.utf8, version.sequence)
        }
        if rows.isEmpty { place.bucket = bucket.name.utf8 + [0] }
        return rows
    }

    private mutating func take(_ rows: [MigratedRow], then stage: MigrationPlace.Stage) {
        for row in rows {
            switch row.change {
            case .upload(let upload): place.upload = upload.id.utf8
            case .completed(let id, _, _, _): place.upload = id.utf8
            default: break
            }
        }
        if rows.isEmpty { (place.stage, place.upload) = (stage, []) }
    }

    private mutating func someGarbage() async throws(MetadataError) -> [MigratedRow] {
        let all: [BlobID]
        if let garbage { all = garbage } else { all = try await source.garbage(limit: Int.max) }
        garbage = all
        let start = Int(clamping: place.garbage)
        guard start < all.count else {
            place.stage = .end
            return []
        }
        let some = all[start..<min(all.count, start + Self.garbageMax)]
        place.garbage += UInt64(some.count)
        return zip(start..., some).map { MigratedRow(.garbage([$1], position: Int64($0) + 1)) }
    }
}
