import Files
import Metadata
import Threads

/// Bytes that lie in several blobs, or in one that has yet to be checked. Each run is opened and checked when it is asked for,
/// and is in the page cache then. The blobs are pinned, or their one file is open, as long as this object lives: whatever
/// becomes of their version, they can be read. For one task at a time.
public final class BlobSequence: Sendable {
    /// Of all slices, in bytes.
    public let length: UInt64
    private let blobs: LocalBlobs
    private let opener: BlobOpener
    private let extents: [BlobExtent]
    /// Those of the extents, by place, that lie in segments.
    private let payloads: [Int: SegmentPayload]
    /// Nil where the file is open already.
    private let pin: PinTable.Pin?
    private let state: Lock<State>

    private struct State {
        /// Checked, and not taken yet.
        var first: BlobSlice?
        var index = 0
        /// That of the extent at `index`, while its bytes are being taken.
        var file: BlobFile?
        /// Bytes of the extent at `index` that were taken.
        var done: UInt64 = 0
    }

    private init(
        _ extents: [BlobExtent], in blobs: LocalBlobs, payloads: [Int: SegmentPayload], file: BlobFile?,
        pin: PinTable.Pin?, opener: BlobOpener
    ) {
        self.blobs = blobs
        (self.extents, self.payloads, self.pin, self.opener) = (extents, payloads, pin, opener)
        length = extents.reduce(0) { $0 &+ $1.length }
        state = Lock(State(file: file))
    }

    /// Opens and checks the first run. `file` is that of the first extent, where it is open. Throws as `next` does, and `gone`
    /// where the first file is missing.
    static func open(
        _ extents: [BlobExtent], in blobs: LocalBlobs, payloads: [Int: SegmentPayload] = [:], file: BlobFile? = nil,
        pin: PinTable.Pin?, opener: BlobOpener
    ) async throws -> BlobSequence {
        let sequence = BlobSequence(
            extents, in: blobs, payloads: payloads, file: file, pin: pin, opener: opener)
        let first = try await sequence.advance()
        sequence.state.withLock { $0.first = first }
        return sequence
    }

    /// The next run of bytes, whose file stays open as long as the slice is kept; nil at the end. Throws `damaged` where a
    /// blob is missing or is not what its row says.
    public func next() async throws -> BlobSlice? {
        if let first = state.withLock({ $0.first.take() }) { return first }
        do {
            return try await advance()
        } catch BucketsError.gone(let blob) {
            // What is pinned is not swept, so that a missing file is no race.
            throw blobs.damage.error(blob, "it is missing though a version names it")
        }
    }

    private func advance() async throws -> BlobSlice? {
        let (index, open, done) = state.withLock { ($0.index, $0.file, $0.done) }
        guard index < extents.count else { return nil }
        let extent = extents[index]
        if let payload = payloads[index] {
            let slice = try opener.slice(of: extent, in: payload)
            moveOn(to: index + 1)
            return slice
        }
        // Without its row a pinned blob is still there, and its file says itself what it must be.
        var proof = BlobFile.Proof.unknown
        if open == nil, !blobs.verified.contains(extent.blob) {
            proof = try await opener.metadata.blob(extent.blob)?.proof ?? .unknown
        }
        let (file, slice) = try opener.pool.blocking { () throws(BucketsError) in
            let file: BlobFile
            if let open {
                file = open
            } else {
                file = try blobs.open(extent.blob, size: extent.blobSize, proof: proof)
            }
            return (file, try blobs.window(of: extent, in: file, from: done))
        }
        if done + slice.length < extent.length {
            state.withLock { ($0.file, $0.done) = (file, done + slice.length) }
        } else {
            if extent.length == extent.blobSize, file.table != nil { blobs.verified.insert(extent.blob) }
            moveOn(to: index + 1)
        }
        return slice
    }

    private func moveOn(to index: Int) {
        state.withLock { ($0.index, $0.file, $0.done) = (index, nil, 0) }
    }
}
