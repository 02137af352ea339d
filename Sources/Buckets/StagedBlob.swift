public import Digests
import Files
public import Metadata
import Threads

/// Content that belongs to no version yet. Nothing of it is visible: it is in memory, to become durable with its commit, or
/// durable in a place of its own, which goes when this object goes, unless `ObjectStore` published it.
public final class StagedBlob: Sendable {
    /// Nil for content of no bytes, which has no blob.
    public let new: NewBlob?
    /// In bytes.
    public let size: UInt64
    /// MD5 and what was asked for.
    public let digests: DigestValues
    private let pool: Pool?
    /// Of the bytes in memory, held as long as they are.
    private let share: MemoryBudget.Share?
    private let state: Lock<State>

    enum State {
        /// The synced file has no name: it vanishes by itself, even when the process dies.
        case unnamed(any DiskFile, LocalBlobs)
        /// The name has to be removed unless the blob is published.
        case named(LocalBlobs)
        /// On the engine since this moment, from where it has to be removed unless it is published.
        case uploaded(RemoteBlobs, since: ContinuousClock.Instant)
        /// The bytes belong to a version, or may: the store failed to say. Also where they are in memory.
        case released
    }

    private init(
        _ new: NewBlob?, size: UInt64, pool: Pool?, share: MemoryBudget.Share?, _ state: State, digests: DigestValues
    ) {
        (self.new, self.size, self.pool, self.share) = (new, size, pool, share)
        self.digests = digests
        self.state = Lock(state)
    }

    convenience init(empty digests: DigestValues) {
        self.init(nil, size: 0, pool: nil, share: nil, .released, digests: digests)
    }

    /// Bytes that the commit takes into the log. `crc32c` spares computing their CRC-32C.
    convenience init(
        inline bytes: [UInt8], as id: BlobID, crc32c known: UInt32? = nil, share: MemoryBudget.Share?,
        digests: DigestValues
    ) {
        let new = NewBlob(
            id: id, size: UInt64(bytes.count), crc32c: known ?? digests.crc32c ?? CRC32C.of(bytes), bytes: bytes)
        self.init(new, size: new.size, pool: nil, share: share, .released, digests: digests)
    }

    /// Content that is durable outside the log.
    convenience init(_ new: NewBlob, pool: Pool, _ state: State, digests: DigestValues) {
        self.init(new, size: new.size, pool: pool, share: nil, state, digests: digests)
    }

    deinit {
        guard let pool, let new, !state.withLock({ if case .released = $0 { true } else { false } }) else { return }
        // A large file takes time to vanish: at its removal, or where it has no name, when `last` goes.
        pool.blocking {
            let last = state.withLock { state in
                defer { state = .released }
                return state
            }
            // What cannot be removed now is found as an orphan by `ogw check`.
            switch last {
            case .named(let blobs): try? blobs.remove(new.id)
            case .uploaded(let blobs, _): blobs.removeLater(new.id)
            case .unnamed, .released: break
            }
        }
    }

    public var blob: BlobID? { new?.id }
    public var content: Content { new.map { .blob($0.id) } ?? .empty }
    /// Whether the bytes have a place outside the log.
    public var isFile: Bool { new != nil && new?.bytes == nil }

    /// Makes the bytes ready to be named by a row, once: gives a file its name. May block. Not for concurrent use. Throws
    /// `expired` for what is on the engine too long to be published.
    func name() throws(BucketsError) {
        guard let new else { return }
        switch state.withLock({ $0 }) {
        case .unnamed(let file, let blobs):
            try blobs.name(file, as: new.id)
            state.withLock { $0 = .named(blobs) }
        case .uploaded(let blobs, let since):
            guard since.duration(to: .now) < blobs.remote.stageLifetime else { throw .expired(new.id) }
        case .named, .released: break
        }
    }

    /// The bytes stay, whatever happens to this object.
    func release() { state.withLock { $0 = .released } }
}

extension DigestValues {
    fileprivate var crc32c: UInt32? { self[.crc32c].map { $0.reduce(0) { $0 << 8 | UInt32($1) } } }
}
