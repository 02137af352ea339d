import Bytes
import Metadata

/// Which events of one target are to be delivered next. Pure: no clock, no store.
///
/// The events of a lane go one after another; lanes do not wait for one another. What is confirmed is the position up to which nothing
/// is left: events behind it may be delivered already, and are so again after a restart.
struct DeliveryQueue {
    enum Lane: Hashable {
        case key(BucketID, ObjectKey)
        /// All events of a target that keeps one order.
        case all
    }

    private struct LaneState {
        /// Those not delivered yet, in order.
        var positions: ArraySlice<Int64> = []
        var isBusy = false
        /// Tries of the first one that failed.
        var failureCount = 0
    }

    /// Every event up to this one was looked at.
    private(set) var read: Int64
    private let isOrdered: Bool
    private var events: [Int64: ObjectEvent] = [:]
    /// Of `events` and of some that are gone, ascending.
    private var order: ArraySlice<Int64> = []
    private var lanes: [Lane: LaneState] = [:]
    /// Lanes that may have something to send.
    private var ready: ArraySlice<Lane> = []
    private var sleeping: [(lane: Lane, until: ContinuousClock.Instant)] = []

    /// `isOrdered` puts all events into one lane.
    init(after position: Int64, isOrdered: Bool) {
        read = position
        self.isOrdered = isOrdered
    }

    var count: Int { events.count }
    /// Nothing is left to be delivered up to here.
    var confirmed: Int64 { order.first.map { $0 - 1 } ?? read }
    var oldest: Timestamp? { order.first.flatMap { events[$0]?.moment } }
    /// Whether a lane waits for another try.
    var hasFailures: Bool { !sleeping.isEmpty }

    /// Takes events in order of position; `last` is the last that was looked at.
    mutating func append(_ new: [ObjectEvent], through last: Int64) {
        for event in new where event.position > read {
            let lane = lane(of: event)
            events[event.position] = event
            order.append(event.position)
            var state = lanes[lane] ?? LaneState()
            if state.positions.isEmpty, !state.isBusy { ready.append(lane) }
            state.positions.append(event.position)
            lanes[lane] = state
        }
        read = max(read, last)
    }

    /// The next ones of a lane that is not busy, which is then until `end`; nil where there is none.
    mutating func next(countMax: Int) -> (lane: Lane, events: [ObjectEvent])? {
        while let lane = ready.popFirst() {
            guard var state = lanes[lane], !state.isBusy, !state.positions.isEmpty else { continue }
            state.isBusy = true
            lanes[lane] = state
            return (lane, state.positions.prefix(countMax).compactMap { events[$0] })
        }
        return nil
    }

    /// The first `count` of a busy lane were delivered. Where the next one failed, the lane waits as long as `wait` says for the number of its
    /// tries that failed, from `now` on.
    mutating func end(
        _ lane: Lane, delivered count: Int, waiting wait: ((Int) -> Duration)?, now: ContinuousClock.Instant
    ) {
        guard var state = lanes[lane] else { return }
        for position in state.positions.prefix(count) { events[position] = nil }
        state.positions.removeFirst(min(count, state.positions.count))
        state.isBusy = false
        if count > 0 { state.failureCount = 0 }
        if state.positions.isEmpty {
            lanes[lane] = nil
        } else {
            if let wait {
                state.failureCount += 1
                sleeping.append((lane, now + wait(state.failureCount)))
            } else {
                ready.append(lane)
            }
            lanes[lane] = state
        }
        trim()
    }

    /// Lanes whose time came are ready.
    mutating func wake(at now: ContinuousClock.Instant) {
        guard sleeping.contains(where: { $0.until <= now }) else { return }
        for entry in sleeping where entry.until <= now { ready.append(entry.lane) }
        sleeping.removeAll { $0.until <= now }
    }

    /// Gives up the oldest events from before `moment`, but for those that are being delivered. Returns how many.
    mutating func drop(before moment: Timestamp) -> Int {
        var count = 0
        while let position = order.first, let event = events[position], event.moment < moment {
            // The oldest of all is the first of its lane.
            let lane = lane(of: event)
            guard var state = lanes[lane], !state.isBusy, state.positions.first == position else { break }
            state.positions.removeFirst()
            state.failureCount = 0
            events[position] = nil
            if state.positions.isEmpty {
                lanes[lane] = nil
                sleeping.removeAll { $0.lane == lane }
            } else {
                lanes[lane] = state
            }
            count += 1
            trim()
        }
        return count
    }

    private func lane(of event: ObjectEvent) -> Lane { isOrdered ? .all : .key(event.bucket, event.key) }

    private mutating func trim() {
        while let first = order.first, events[first] == nil { order.removeFirst() }
    }
}
