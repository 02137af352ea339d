import Synchronization
import Threads

/// The latest operation time that a server told. It only goes forward.
final class OperationClock: Sendable {
    private let time = Atomic<UInt64>(0)
    /// In `Monotonic.nanoseconds`, when the time last went forward.
    private let moment = Atomic<UInt64>(0)

    /// Nil before the first reply.
    var last: UInt64? {
        let value = time.load(ordering: .acquiring)
        return value == 0 ? nil : value
    }

    func advance(to latest: UInt64) {
        guard time.max(latest, ordering: .acquiringAndReleasing).oldValue < latest else { return }
        moment.max(Monotonic.nanoseconds, ordering: .releasing)
    }

    /// The latest time, where it was told within so many nanoseconds.
    func recent(within nanoseconds: UInt64) -> UInt64? {
        // In this order: the time is that of the moment, or a later one.
        let moment = moment.load(ordering: .acquiring)
        guard moment != 0, Monotonic.nanoseconds &- moment <= nanoseconds else { return nil }
        return last
    }
}
