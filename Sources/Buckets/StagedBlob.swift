public import Digests
import Files
public import Metadata
import Threads

/// Content that is durable but belongs to no version yet. Nothing of it is visible, and its file goes when this object goes,
/// unless `ObjectStore` published it.
public final class StagedBlob: Sendable {
    /// Nil for content of no bytes, which has no file.
    public let blob: BlobID?
    /// In bytes.
    public let size: UInt64
    /// MD5 and what was asked for.
    public let digests: DigestValues
    private let blobs: LocalBlobs?
    private let pool: Pool?
    private let state: Lock<State>

    private enum State {
        /// The file has no name: it vanishes by itself, even when the process dies.
        case unnamed(OpenFile)
        /// The name has to be removed unless the blob is published.
        case named
        /// The file belongs to a version, or may: the store failed to say. Also where there is no file.
        case released
    }

    init(empty digests: DigestValues) {
        (blob, size, blobs, pool) = (nil, 0, nil, nil)
        self.digests = digests
        state = Lock(.released)
    }

    /// A synced file without a name, which is to become `id`.
    init(blobs: LocalBlobs, pool: Pool, id: BlobID, file: OpenFile, size: UInt64, digests: DigestValues) {
        (self.blobs, self.pool, self.size, self.digests) = (blobs, pool, size, digests)
        blob = id
        state = Lock(.unnamed(file))
    }

    /// A file that has the name of `id` already.
    init(blobs: LocalBlobs, pool: Pool, linked id: BlobID, size: UInt64, digests: DigestValues) {
        (self.blobs, self.pool, self.size, self.digests) = (blobs, pool, size, digests)
        blob = id
        state = Lock(.named)
    }

    deinit {
        guard let blobs, let pool, let blob, !state.withLock({ if case .released = $0 { true } else { false } }) else {
            return
        }
        // A large file takes time to vanish: at its removal, or where it has no name, when `last` goes.
        pool.blocking {
            let last = state.withLock { state in
                defer { state = .released }
                return state
            }
            // What cannot be removed now is found as an orphan by `ogw check`.
            if case .named = last { try? blobs.remove(blob) }
        }
    }

    public var content: Content { blob.map(Content.blob) ?? .empty }

    /// Gives the file its name, once. May block. Not for concurrent use.
    func name() throws(BucketsError) {
        guard let blobs, let blob else { return }
        let unnamed = state.withLock { state -> OpenFile? in
            if case .unnamed(let file) = state { file } else { nil }
        }
        guard let unnamed else { return }
        try blobs.name(unnamed, as: blob)
        state.withLock { $0 = .named }
    }

    /// The file stays, whatever happens to this object.
    func release() { state.withLock { $0 = .released } }
}
