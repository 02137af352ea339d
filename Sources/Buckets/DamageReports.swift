public import Metadata
import Threads

/// A blob whose bytes are not what was written.
public struct BlobDamage: Sendable, Equatable {
    public var blob: BlobID
    /// For the log and the command line; never for a client.
    public var reason: String

    public init(blob: BlobID, reason: String) {
        self.blob = blob
        self.reason = reason
    }
}

/// Says once of each damaged blob that it is.
public final class DamageReports: Sendable {
    private let state = Lock(State())
    private static let blobsMax = 10_000

    private struct State {
        var blobs: Set<BlobID> = []
        var count: UInt64 = 0
        var observer: (@Sendable (BlobDamage) -> Void)?
    }

    /// `observer` is called on any thread; the one before is forgotten.
    public func observe(_ observer: @escaping @Sendable (BlobDamage) -> Void) {
        state.withLock { $0.observer = observer }
    }

    /// Damaged blobs found since the opening.
    public var count: UInt64 { state.withLock { $0.count } }

    func report(_ blob: BlobID, _ reason: String) {
        let observer = state.withLock { state -> (@Sendable (BlobDamage) -> Void)? in
            guard !state.blobs.contains(blob) else { return nil }
            if state.blobs.count >= Self.blobsMax { state.blobs.removeAll() }
            state.blobs.insert(blob)
            state.count += 1
            return state.observer
        }
        observer?(BlobDamage(blob: blob, reason: reason))
    }

    /// Reports, and returns what to throw.
    func error(_ blob: BlobID, _ reason: String) -> BucketsError {
        report(blob, reason)
        return .damaged("blob \(blob.value): \(reason)")
    }
}
