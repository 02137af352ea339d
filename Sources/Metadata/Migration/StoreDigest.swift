import Bytes
import Digests

/// What a store holds, in numbers and sums that are the same for equal content whichever store it is in.
public struct StoreDigest: Sendable, Equatable {
    public struct OfBucket: Sendable, Equatable {
        public var name: BucketName
        /// Delete markers among them.
        public var versions: UInt64 = 0
        public var assets: UInt64 = 0
        /// Of all versions.
        public var bytes: UInt64 = 0
        /// SHA-256 over the bucket itself and, in order, over each version (key, version id, date, owner, size, ETag, attributes, checksum,
        /// tags, content) and asset.
        public var sum: [UInt8] = []
    }

    public internal(set) var buckets: [OfBucket] = []
    public internal(set) var users: UInt64 = 0
    public internal(set) var uploads: UInt64 = 0
    public internal(set) var parts: UInt64 = 0
    /// Blobs that nothing names any more and that are not removed yet.
    public internal(set) var garbage: UInt64 = 0
    /// SHA-256 over users, uploads, their parts, and garbage.
    public internal(set) var sumOfOthers: [UInt8] = []
    /// Of all buckets.
    public internal(set) var bucketIDMax: Int64 = 0

    public var versions: UInt64 { buckets.reduce(0) { $0 &+ $1.versions } }
    public var assets: UInt64 { buckets.reduce(0) { $0 &+ $1.assets } }

    /// Names the content.
    var identity: [UInt8] { Digest.sha256(buckets.flatMap(\.sum) + sumOfOthers) }

    /// Reads all rows of a store. `tell` is called with the count of versions read.
    static func read(
        _ source: any MigrationSource, tell: (UInt64) -> Void
    ) async throws(MetadataError) -> StoreDigest {
        var walk = MigrationWalk(source)
        var builder = StoreDigestBuilder()
        while let rows = try await walk.next() {
            for row in rows { builder.add(row.change) }
            tell(builder.versions)
        }
        return builder.finish()
    }

    /// What differs, in words.
    func difference(from other: StoreDigest) -> String {
        var found: [String] = []
        func compare(_ what: String, _ own: UInt64, _ others: UInt64) {
            if own != others { found.append("\(own) instead of \(others) \(what)") }
        }
        compare("buckets", UInt64(buckets.count), UInt64(other.buckets.count))
        for (own, others) in zip(buckets, other.buckets) where own != others {
            let numbers = found.count
            compare("versions in \(others.name)", own.versions, others.versions)
            compare("assets in \(others.name)", own.assets, others.assets)
            if found.count == numbers { found.append("another checksum of \(others.name)") }
        }
        compare("users", users, other.users)
        compare("uploads", uploads, other.uploads)
        compare("parts", parts, other.parts)
        compare("blobs of garbage", garbage, other.garbage)
        if found.isEmpty { found.append("another checksum of users, uploads and garbage") }
        return found.prefix(5).joined(separator: ", ")
    }
}

/// Takes the rows of a walk in its order.
private struct StoreDigestBuilder {
    private var digest = StoreDigest()
    /// Of each bucket the place in `digest`, and its own sum until versions come.
    private var places: [BucketID: Int] = [:]
    private var current: Int?
    private let stream = DigestStream(.sha256)
    private let others = DigestStream(.sha256)
    private(set) var versions: UInt64 = 0

    mutating func add(_ change: RowChange) {
        switch change {
        case .bucket(let bucket):
            places[bucket.id] = digest.buckets.count
            var row = StoreDigest.OfBucket(name: bucket.name)
            row.sum = Digest.sha256(Self.record(change))
            digest.buckets.append(row)
            digest.bucketIDMax = max(digest.bucketIDMax, bucket.id.value)
        case .bucketConfigured(let id, _):
            if let place = places[id] {
                digest.buckets[place].sum = Digest.sha256(digest.buckets[place].sum + Self.record(change))
            }
        case .version(let id, var version):
            enter(id)
            // Numbers are each store's own; what they order is the order of the walk.
            version.sequence = 0
            Self.add(.version(id, version), to: stream)
            if let current {
                digest.buckets[current].versions += 1
                digest.buckets[current].bytes &+= version.size
            }
            versions += 1
        case .asset(let asset, _):
            enter(asset.bucket)
            Self.add(.asset(asset, change: 0), to: stream)
            if let current { digest.buckets[current].assets += 1 }
        case .user, .upload, .part:
            if case .user = change { digest.users += 1 }
            if case .upload = change { digest.uploads += 1 }
            if case .part = change { digest.parts += 1 }
            Self.add(change, to: others)
        case .garbage(let blobs, _):
            digest.garbage += UInt64(blobs.count)
            Self.add(.garbage(blobs, position: 0), to: others)
        // Results of Complete are forgotten by the clock, so that no two looks need agree on them.
        default: break
        }
    }

    mutating func finish() -> StoreDigest {
        leave()
        digest.sumOfOthers = others.finish()[.sha256] ?? []
        return digest
    }

    private mutating func enter(_ bucket: BucketID) {
        let place = places[bucket]
        if place == current { return }
        leave()
        current = place
        stream.restart()
        guard let place else { return }
        let sum = digest.buckets[place].sum
        stream.update(sum.span)
    }

    private mutating func leave() {
        if let current { digest.buckets[current].sum = stream.finish()[.sha256] ?? [] }
        current = nil
    }

    private static func add(_ change: RowChange, to stream: DigestStream) {
        let bytes = record(change)
        stream.update(bytes.span)
    }

    /// The form of the log serves as the one form of a row.
    private static func record(_ change: RowChange) -> [UInt8] {
        var decision = Decision(sequence: 0)
        decision.changes = [change]
        return Records.encode(decision, at: Timestamp(milliseconds: 0))
    }
}
