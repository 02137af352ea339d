import Threads

/// New versions that wait to be written, and in which order.
///
/// While a batch is under way, what comes gathers and is the next batch: several changes of one key become one update of its head, and
/// several heads one command. A key is in one batch at a time. Where nothing is under way, nothing waits.
final class HeadWriter: Sendable {
    /// What became of a change.
    enum Outcome: Sendable {
        case done(HeadChange.Done)
        case failed(MetadataError)
        /// It has to be made by itself, and may have been carried out.
        case alone(mayBeDone: Bool)
    }

    struct Waiting: Sendable {
        let change: TopChange
        let waiter: Waiter<Outcome>
    }

    /// Batches under way at once: while one waits for its majority, another is made.
    private static let lanesMax = 2
    private static let keysMax = 128
    private static let changesMax = 48
    private static let knownMax = 4_096
    /// For so long a key that others write too is changed by the server's own arithmetic, which cannot lose a race.
    private static let contendedFor: UInt64 = 1_000_000_000

    private struct State {
        /// In the order in which they came.
        var waiting: [HeadKey: [Waiting]] = [:]
        /// Keys with something that waits, and nothing under way.
        var ready: [HeadKey] = []
        var busy: Set<HeadKey> = []
        var laneCount = 0
        /// Heads as this gateway wrote them last. They may be others by now, which their `seq` tells.
        var known: [HeadKey: HeadState] = [:]
        /// Until when.
        var contended: [HeadKey: UInt64] = [:]

        mutating func startsLane() -> Bool {
            guard !ready.isEmpty, laneCount < HeadWriter.lanesMax else { return false }
            laneCount += 1
            return true
        }
    }

    private let state = Lock(State())

    /// True where a lane has to be started: `take` until there is nothing.
    func add(_ waiting: Waiting) -> Bool {
        state.withLock { state in
            let key = waiting.change.key
            state.waiting[key, default: []].append(waiting)
            if !state.busy.contains(key), state.waiting[key]?.count == 1 { state.ready.append(key) }
            return state.startsLane()
        }
    }

    /// The next batch; nil ends the lane.
    func take() -> [HeadGroup]? {
        state.withLock { state in
            if state.ready.isEmpty {
                state.laneCount -= 1
                return nil
            }
            let keys = state.ready.prefix(Self.keysMax)
            state.ready.removeFirst(keys.count)
            return keys.map { key in
                var all = state.waiting[key] ?? []
                let taken = [Waiting](all.prefix(Self.changesMax))
                all.removeFirst(taken.count)
                state.waiting[key] = all.isEmpty ? nil : all
                state.busy.insert(key)
                return HeadGroup(key: key, waiting: taken, known: state.known[key])
            }
        }
    }

    /// What waits for these keys may be written. True where a lane has to be started.
    func release(_ keys: [HeadKey]) -> Bool {
        state.withLock { state in
            for key in keys {
                state.busy.remove(key)
                if state.waiting[key] != nil { state.ready.append(key) }
            }
            return state.startsLane()
        }
    }

    /// Gives changes back that a batch did not come to, as the first ones that wait.
    func giveBack(_ changes: [Waiting], of key: HeadKey) {
        if changes.isEmpty { return }
        state.withLock { $0.waiting[key] = changes + ($0.waiting[key] ?? []) }
    }

    // MARK: What is known of heads

    func remember(_ head: HeadState, of key: HeadKey) {
        state.withLock { state in
            if state.known.count >= Self.knownMax { state.known.removeAll(keepingCapacity: true) }
            state.known[key] = head
        }
    }

    func forget(_ key: HeadKey) { state.withLock { $0.known[key] = nil } }

    /// So many entries left the outbox of a head.
    func relieved(_ key: HeadKey, of count: Int) {
        state.withLock { state in
            if let known = state.known[key] { state.known[key]?.outboxCount = max(0, known.outboxCount - count) }
        }
    }

    /// So many events left a head.
    func toldEvents(_ key: HeadKey, _ count: Int) {
        state.withLock { state in
            if let known = state.known[key] { state.known[key]?.eventCount = max(0, known.eventCount - count) }
        }
    }

    /// Others change that key too.
    func lost(_ key: HeadKey) {
        let end = Monotonic.nanoseconds &+ Self.contendedFor
        state.withLock { state in
            if state.contended.count >= Self.knownMax { state.contended.removeAll() }
            state.contended[key] = end
            state.known[key] = nil
        }
    }

    func isContended(_ key: HeadKey) -> Bool {
        state.withLock { state in
            guard let end = state.contended[key] else { return false }
            if Monotonic.nanoseconds < end { return true }
            state.contended[key] = nil
            return false
        }
    }
}
