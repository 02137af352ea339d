import Threads

/// The customers of users who wrote lately, for as long as a gateway remembers a bucket.
final class CustomerCache: Sendable {
    struct Known {
        /// Nil where the user has none.
        var name: String?
        fileprivate var readAt: UInt64
    }

    private let timeToLive: UInt64
    private let entries = Lock<[String: Known]>([:])
    private static let countMax = 10_000

    init(timeToLive: Duration) { self.timeToLive = timeToLive.nanosecondsClamped }

    func customer(of user: String) -> Known? {
        guard let known = entries.withLock({ $0[user] }), Monotonic.nanoseconds &- known.readAt < timeToLive else {
            return nil
        }
        return known
    }

    func remember(_ customer: String?, of user: String) {
        let known = Known(name: customer, readAt: Monotonic.nanoseconds)
        entries.withLock { entries in
            if entries.count >= Self.countMax { entries.removeAll() }
            entries[user] = known
        }
    }

    func forget(_ user: String) { entries.withLock { $0[user] = nil } }
}
