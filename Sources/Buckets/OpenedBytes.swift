import Files
import Metadata
import Threads

/// The bytes of a version, or of a range of it, ready to be read.
public enum OpenedBytes: Sendable {
    case none
    /// They were small, and are here.
    case memory([UInt8])
    /// All lie in one file. It is open, so it stays readable whatever becomes of the version.
    case one(BlobSlice)
    /// They lie in several places.
    case several(BlobSequence)

    /// A piece of them.
    public enum Run: Sendable {
        case bytes([UInt8])
        case slice(BlobSlice)
    }

    /// In bytes.
    public var length: UInt64 {
        switch self {
        case .none: 0
        case .memory(let bytes): UInt64(bytes.count)
        case .one(let slice): slice.length
        case .several(let sequence): sequence.length
        }
    }

    /// Calls `body` with each run of bytes, in order. One file is open at a time. Throws as `BlobSequence.next` does, or what
    /// `body` throws.
    public func forEach(_ body: (Run) async throws -> Void) async throws {
        switch self {
        case .none: break
        case .memory(let bytes): try await body(.bytes(bytes))
        case .one(let slice): try await body(.slice(slice))
        case .several(let sequence): while let slice = try await sequence.next() { try await body(.slice(slice)) }
        }
    }
}

/// Bytes that lie in several blobs, opened one after another. The blobs are pinned as long as this object lives: whatever
/// becomes of their version, they can be read. For one task at a time.
public final class BlobSequence: Sendable {
    /// Of all slices, in bytes.
    public let length: UInt64
    private let opener: BlobOpener
    private let extents: [BlobExtent]
    /// Those of the extents, by place, that lie in segments.
    private let payloads: [Int: SegmentPayload]
    private let pin: PinTable.Pin
    private let state: Lock<State>

    private struct State {
        /// Opened, and not taken yet.
        var first: BlobSlice?
        var taken = 0
    }

    /// Opens the first extent. Throws as `next` does, and `gone` where the first file is missing.
    init(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], pin: PinTable.Pin, opener: BlobOpener
    ) throws(BucketsError) {
        (self.extents, self.payloads, self.pin, self.opener) = (extents, payloads, pin, opener)
        length = extents.reduce(0) { $0 &+ $1.length }
        state = Lock(State(first: try Self.slice(0, extents, payloads, opener)))
    }

    /// The next run of bytes, whose file stays open as long as the slice is kept; nil at the end. Throws `damaged` where a
    /// blob is missing or is not what its row says.
    public func next() async throws(BucketsError) -> BlobSlice? {
        let (first, index) = state.withLock { state in
            defer { state.taken = min(state.taken + 1, extents.count) }
            return (state.first.take(), state.taken)
        }
        if let first { return first }
        guard index < extents.count else { return nil }
        do throws(BucketsError) {
            return try Self.slice(index, extents, payloads, opener)
        } catch {
            // What is pinned is not swept, so that a missing file is no race.
            if case .gone(let blob) = error {
                throw .damaged("blob \(blob.value) is missing though a version names it")
            }
            throw error
        }
    }

    private static func slice(
        _ index: Int, _ extents: [BlobExtent], _ payloads: [Int: SegmentPayload], _ opener: BlobOpener
    ) throws(BucketsError) -> BlobSlice {
        let (extent, payload) = (extents[index], payloads[index])
        return try opener.pool.blocking { () throws(BucketsError) in
            guard let payload else { return try opener.blobs.open(extent) }
            // Checked now, they are in the page cache when they are sent.
            _ = try payload.read()
            return BlobSlice(file: payload.file, offset: payload.offset + extent.offset, length: extent.length)
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
