import Metadata
import Threads

/// Bytes of which some at least come from an engine, each checked before it is passed on. The blobs are pinned as long as
/// this object lives. For one task at a time.
public final class BlobStream: Sendable {
    /// In bytes.
    public let length: UInt64
    private let blobs: RemoteBlobs
    private let opener: BlobOpener
    private let extents: [BlobExtent]
    /// Those of the extents, by place, that lie in the log.
    private let payloads: [Int: SegmentPayload]
    private let pin: PinTable.Pin
    private let began = ContinuousClock.now
    private let state: Lock<State>

    private struct State {
        /// Checked, and not taken yet.
        var first: [UInt8]?
        var index = 0
        /// Of the extent at `index`, where it was begun.
        var reader: RemoteReader?
    }

    private init(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], begun: RemoteReader?, pin: PinTable.Pin,
        in blobs: RemoteBlobs, opener: BlobOpener
    ) {
        (self.extents, self.payloads, self.pin) = (extents, payloads, pin)
        (self.blobs, self.opener) = (blobs, opener)
        length = extents.reduce(0) { $0 &+ $1.length }
        state = Lock(State(reader: begun))
    }

    /// Reads the first bytes already, so that what is wrong with them is known before anything is sent. `begun` is the reader
    /// of the first extent. Throws as `next` does, and `gone` where the first object is missing.
    static func open(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], begun: RemoteReader?, pin: PinTable.Pin,
        in blobs: RemoteBlobs, opener: BlobOpener
    ) async throws -> BlobStream {
        let stream = BlobStream(extents, payloads: payloads, begun: begun, pin: pin, in: blobs, opener: opener)
        let first = try await stream.advance()
        stream.state.withLock { $0.first = first }
        return stream
    }

    /// The next bytes; nil at the end. Throws `damaged` where a blob is missing or is not what its row says, `unavailable`
    /// where the engine is away for too long, `overloaded` where the reading takes too long as a whole.
    public func next() async throws -> [UInt8]? {
        if let first = state.withLock({ $0.first.take() }) { return first }
        guard began.duration(to: .now) < blobs.remote.stageLifetime else {
            throw BucketsError.overloaded("a read lasts longer than blobs are kept for it")
        }
        do {
            return try await advance()
        } catch {
            // Nothing follows what is missing.
            state.withLock { ($0.index, $0.reader) = (extents.count, nil) }
            guard case BucketsError.gone(let blob) = error else { throw error }
            // What is pinned is not removed, so that a missing object is no race.
            throw blobs.damage.error(blob, "it is missing though a version names it")
        }
    }

    private func advance() async throws -> [UInt8]? {
        while true {
            let (index, begun) = state.withLock { state in (state.index, state.reader.take()) }
            guard index < extents.count else { return nil }
            if var reader = begun {
                if let bytes = try await reader.next() {
                    state.withLock { [reader] in $0.reader = reader }
                    return bytes
                }
                state.withLock { $0.index = index + 1 }
                continue
            }
            let extent = extents[index]
            if let payload = payloads[index] {
                state.withLock { $0.index = index + 1 }
                let bytes = try opener.pool.blocking { () throws(BucketsError) in
                    try payload.read(reporting: blobs.damage)
                }
                let start = Int(extent.offset)
                return [UInt8](bytes[start..<start + Int(extent.length)])
            }
            // Without its row a pinned blob is still there, and its object says itself what it must be.
            let proof = try await opener.metadata.blob(extent.blob)?.proof ?? .unknown
            switch try await blobs.begin(extent, proof: proof) {
            case .bytes(let bytes):
                state.withLock { $0.index = index + 1 }
                return bytes
            case .reader(let reader): state.withLock { $0.reader = reader }
            }
        }
    }
}
