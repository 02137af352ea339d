import Threads

/// A bucket as it was read, and when: by then at the latest it was so.
struct OpenBucket: Sendable {
    let bucket: Bucket
    let readAt: UInt64
}

/// Buckets that were read lately.
///
/// A gateway remembers a bucket for half the lease. A change of versioning returns, and a removal looks whether the bucket is empty, only
/// a lease later: what was remembered before has ended by then, and so has every write that began with it (`confirm`).
final class BucketCache: Sendable {
    private let timeToLive: UInt64
    private let entries = Lock<[BucketID: OpenBucket]>([:])
    private static let countMax = 10_000

    init(timeToLive: Duration) { self.timeToLive = timeToLive.nanosecondsClamped }

    func bucket(_ id: BucketID) -> OpenBucket? {
        guard let entry = entries.withLock({ $0[id] }), isFresh(entry) else { return nil }
        return entry
    }

    func bucket(named name: BucketName) -> OpenBucket? {
        names.withLock { $0[name] }.flatMap { bucket($0) }
    }

    private let names = Lock<[BucketName: BucketID]>([:])

    func remember(_ entry: OpenBucket) {
        entries.withLock { entries in
            if entries.count >= Self.countMax { entries.removeAll() }
            entries[entry.bucket.id] = entry
        }
        names.withLock { names in
            if names.count >= Self.countMax { names.removeAll() }
            names[entry.bucket.name] = entry.bucket.id
        }
    }

    func forget(_ id: BucketID) { entries.withLock { $0[id] = nil } }

    private func isFresh(_ entry: OpenBucket) -> Bool { Monotonic.nanoseconds &- entry.readAt < timeToLive }
}
