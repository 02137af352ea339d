import Metadata
import Threads

/// The files whose every block was found to be what was written, for some time.
final class VerifiedBlobs: Sendable {
    private let countMax: Int
    private let lifetime_ms: UInt64
    private let now_ms: @Sendable () -> UInt64
    private let entries = Lock<[BlobID: UInt64]>([:])

    init(
        countMax: Int, lifetime: Duration, now_ms: @escaping @Sendable () -> UInt64 = { Monotonic.milliseconds }
    ) {
        self.countMax = countMax
        lifetime_ms = lifetime.millisecondsClamped
        self.now_ms = now_ms
    }

    func contains(_ blob: BlobID) -> Bool {
        let now = now_ms()
        return entries.withLock { entries in
            guard let until = entries[blob] else { return false }
            if until > now { return true }
            entries[blob] = nil
            return false
        }
    }

    func insert(_ blob: BlobID) {
        guard countMax > 0, lifetime_ms > 0 else { return }
        let until = now_ms() &+ lifetime_ms
        entries.withLock { entries in
            // Which one goes does not matter much: it is verified again when it is read.
            if entries.count >= countMax, entries[blob] == nil { entries.remove(at: entries.startIndex) }
            entries[blob] = until
        }
    }

    func remove(_ blob: BlobID) { entries.withLock { $0[blob] = nil } }

    var count: Int { entries.withLock { $0.count } }
}
