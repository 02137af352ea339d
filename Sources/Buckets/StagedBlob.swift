public import Digests
import Files
public import Metadata
import Threads

/// Content that belongs to no version yet. Nothing of it is visible: it is in memory, to become durable with its commit, or in
/// a file whose content is durable, and which goes when this object goes, unless `ObjectStore` published it.
public final class StagedBlob: Sendable {
    /// Nil for content of no bytes, which has no blob.
    public let new: NewBlob?
    /// In bytes.
    public let size: UInt64
    /// MD5 and what was asked for.
    public let digests: DigestValues
    private let blobs: LocalBlobs?
    private let pool: Pool?
    /// Of the bytes in memory, held as long as they are.
    private let share: MemoryBudget.Share?
    private let state: Lock<State>

    private enum State {
        /// The file has no name: it vanishes by itself, even when the process dies.
        case unnamed(any DiskFile)
        /// The name has to be removed unless the blob is published.
        case named
        /// The file belongs to a version, or may: the store failed to say. Also where there is no file.
        case released
    }

    private init(
        _ new: NewBlob?, size: UInt64, blobs: LocalBlobs?, pool: Pool?, share: MemoryBudget.Share?, _ state: State,
        digests: DigestValues
    ) {
        (self.new, self.size, self.blobs, self.pool, self.share) = (new, size, blobs, pool, share)
        self.digests = digests
        self.state = Lock(state)
    }

    convenience init(empty digests: DigestValues) {
        self.init(nil, size: 0, blobs: nil, pool: nil, share: nil, .released, digests: digests)
    }

    /// Bytes that the commit takes into the log. `crc32c` spares computing their CRC-32C.
    convenience init(
        inline bytes: [UInt8], as id: BlobID, crc32c known: UInt32? = nil, share: MemoryBudget.Share?,
        digests: DigestValues
    ) {
        let new = NewBlob(
            id: id, size: UInt64(bytes.count), crc32c: known ?? digests.crc32c ?? CRC32C.of(bytes), bytes: bytes)
        self.init(new, size: new.size, blobs: nil, pool: nil, share: share, .released, digests: digests)
    }

    /// A synced file without a name.
    convenience init(
        _ new: NewBlob, blobs: LocalBlobs, pool: Pool, unnamed file: any DiskFile, digests: DigestValues
    ) {
        self.init(
            new, size: new.size, blobs: blobs, pool: pool, share: nil, .unnamed(file), digests: digests)
    }

    /// A file that has its name already.
    convenience init(linked new: NewBlob, blobs: LocalBlobs, pool: Pool, digests: DigestValues) {
        self.init(new, size: new.size, blobs: blobs, pool: pool, share: nil, .named, digests: digests)
    }

    deinit {
        guard let blobs, let pool, let new, !state.withLock({ if case .released = $0 { true } else { false } }) else {
            return
        }
        // A large file takes time to vanish: at its removal, or where it has no name, when `last` goes.
        pool.blocking {
            let last = state.withLock { state in
                defer { state = .released }
                return state
            }
            // What cannot be removed now is found as an orphan by `ogw check`.
            if case .named = last { try? blobs.remove(new.id) }
        }
    }

    public var blob: BlobID? { new?.id }
    public var content: Content { new.map { .blob($0.id) } ?? .empty }
    /// Whether the bytes are in a file rather than in memory.
    public var isFile: Bool { new != nil && new?.bytes == nil }

    /// Gives the file its name, once. May block. Not for concurrent use.
    func name() throws(BucketsError) {
        guard let blobs, let new else { return }
        let unnamed = state.withLock { state -> (any DiskFile)? in
            if case .unnamed(let file) = state { file } else { nil }
        }
        guard let unnamed else { return }
        try blobs.name(unnamed, as: new.id)
        state.withLock { $0 = .named }
    }

    /// The file stays, whatever happens to this object.
    func release() { state.withLock { $0 = .released } }
}

extension DigestValues {
    fileprivate var crc32c: UInt32? { self[.crc32c].map { $0.reduce(0) { $0 << 8 | UInt32($1) } } }
}
