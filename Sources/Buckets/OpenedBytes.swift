import Files
import Metadata
import Threads

/// The bytes of a version, or of a range of it, ready to be read.
public enum OpenedBytes: Sendable {
    case none
    /// All lie in one blob. Its file is open, so it stays readable whatever becomes of the version.
    case one(BlobSlice)
    /// They lie in several blobs.
    case several(BlobSequence)

    /// In bytes.
    public var length: UInt64 {
        switch self {
        case .none: 0
        case .one(let slice): slice.length
        case .several(let sequence): sequence.length
        }
    }

    /// Calls `body` with each run of bytes, in order. One file is open at a time. Throws as `BlobSequence.next` does, or what
    /// `body` throws.
    public func forEach(_ body: (BlobSlice) async throws -> Void) async throws {
        switch self {
        case .none: break
        case .one(let slice): try await body(slice)
        case .several(let sequence): while let slice = try await sequence.next() { try await body(slice) }
        }
    }
}

/// Bytes that lie in several blobs, opened one after another. The blobs are pinned as long as this object lives: whatever
/// becomes of their version, they can be read. For one task at a time.
public final class BlobSequence: Sendable {
    /// Of all slices, in bytes.
    public let length: UInt64
    private let blobs: LocalBlobs
    private let pool: Pool
    private let extents: [BlobExtent]
    private let pin: PinTable.Pin
    private let state: Lock<State>

    private struct State {
        /// Opened, and not taken yet.
        var first: BlobSlice?
        var taken = 0
    }

    /// `first` is the slice of the first extent.
    init(blobs: LocalBlobs, pool: Pool, extents: [BlobExtent], pin: PinTable.Pin, first: BlobSlice) {
        (self.blobs, self.pool, self.extents, self.pin) = (blobs, pool, extents, pin)
        length = extents.reduce(0) { $0 &+ $1.length }
        state = Lock(State(first: first))
    }

    /// The next run of bytes, whose file stays open as long as the slice is kept; nil at the end. Throws `damaged` where a
    /// blob is missing or has another size than its version says.
    public func next() async throws(BucketsError) -> BlobSlice? {
        let (first, index) = state.withLock { state in
            defer { state.taken = min(state.taken + 1, extents.count) }
            return (state.first.take(), state.taken)
        }
        if let first { return first }
        guard index < extents.count else { return nil }
        let extent = extents[index]
        do throws(BucketsError) {
            return try pool.blocking { () throws(BucketsError) in try blobs.open(extent) }
        } catch {
            // What is pinned is not swept, so that a missing file is no race.
            if case .gone = error { throw .damaged("blob \(extent.blob.value) is missing though a version names it") }
            throw error
        }
    }
}

extension LocalBlobs {
    /// Throws `gone` where the file was removed, and `damaged` where it has another size.
    func open(_ extent: BlobExtent) throws(BucketsError) -> BlobSlice {
        let file = try open(extent.blob)
        let size: UInt64
        do throws(SystemError) { size = try file.size() } catch { throw BucketsError(error) }
        guard size == extent.blobSize else {
            throw .damaged("blob \(extent.blob.value) has \(size) bytes instead of \(extent.blobSize)")
        }
        return BlobSlice(file: file, offset: extent.offset, length: extent.length)
    }
}
