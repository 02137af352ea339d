import Synchronization

/// The latest operation time that a server told. It only goes forward.
final class OperationClock: Sendable {
    private let time = Atomic<UInt64>(0)

    /// Nil before the first reply.
    var last: UInt64? {
        let value = time.load(ordering: .acquiring)
        return value == 0 ? nil : value
    }

    func advance(to moment: UInt64) { time.max(moment, ordering: .releasing) }
}
