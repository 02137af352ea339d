import Bytes
import Metadata
import TestSupport
import Testing

@testable import Targets

@Suite struct DeliveryQueueTests {
    private let now = ContinuousClock.now

    private func event(_ position: Int64, _ key: String, at milliseconds: Int64 = 0) throws -> ObjectEvent {
        try ObjectEvent.test(position, key, at: milliseconds)
    }

    private func next(
        _ queue: inout DeliveryQueue, _ countMax: Int
    ) throws -> (lane: DeliveryQueue.Lane, events: [ObjectEvent]) {
        guard let found = queue.next(countMax: countMax) else { throw TestSupportError("nothing is to be sent") }
        return found
    }

    private func filled(_ keys: [String], isOrdered: Bool = false) throws -> DeliveryQueue {
        var queue = DeliveryQueue(after: 0, isOrdered: isOrdered)
        let events = try keys.enumerated().map { try event(Int64($0.offset + 1), $0.element) }
        queue.append(events, through: Int64(keys.count))
        return queue
    }

    @Test func `the events of a key go one after another, those of others beside them`() throws {
        var queue = try filled(["a", "a", "b"])
        let first = try next(&queue, 1)
        let second = try next(&queue, 1)
        #expect(first.events.map(\.position) == [1] && second.events.map(\.position) == [3])
        #expect(queue.next(countMax: 1) == nil)
        queue.end(first.lane, delivered: 1, waiting: nil, now: now)
        #expect(queue.next(countMax: 1)?.events.map(\.position) == [2])
    }

    @Test func `what is confirmed ends before the first event that is left`() throws {
        var queue = try filled(["a", "b", "c"])
        #expect(queue.confirmed == 0 && queue.count == 3)
        let lanes = try (0..<3).map { _ in try next(&queue, 1).lane }
        queue.end(lanes[1], delivered: 1, waiting: nil, now: now)
        #expect(queue.confirmed == 0)
        queue.end(lanes[0], delivered: 1, waiting: nil, now: now)
        #expect(queue.confirmed == 2)
        queue.append([], through: 9)
        #expect(queue.confirmed == 2 && queue.read == 9)
        queue.end(lanes[2], delivered: 1, waiting: nil, now: now)
        #expect(queue.confirmed == 9 && queue.count == 0 && queue.oldest == nil)
    }

    @Test func `a key that failed waits, longer each time, and holds up no other`() throws {
        var queue = try filled(["a", "b", "a"])
        let failed = try next(&queue, 1).lane
        queue.end(failed, delivered: 0, waiting: { .seconds($0) }, now: now)
        #expect(queue.hasFailures && queue.next(countMax: 1)?.events.map(\.key.text) == ["b"])
        queue.wake(at: now + .milliseconds(900))
        #expect(queue.next(countMax: 1) == nil)
        queue.wake(at: now + .seconds(1))
        let again = try next(&queue, 1)
        #expect(again.events.map(\.position) == [1] && !queue.hasFailures)
        queue.end(again.lane, delivered: 0, waiting: { .seconds($0) }, now: now)
        queue.wake(at: now + .milliseconds(1900))
        #expect(queue.next(countMax: 1) == nil)
        queue.wake(at: now + .seconds(2))
        #expect(queue.next(countMax: 1)?.events.map(\.position) == [1])
    }

    @Test func `one order for all takes batches, and goes on behind what was accepted of them`() throws {
        var queue = try filled(["a", "b", "a", "c"], isOrdered: true)
        let batch = try next(&queue, 3)
        #expect(batch.events.map(\.position) == [1, 2, 3] && queue.next(countMax: 3) == nil)
        queue.end(batch.lane, delivered: 2, waiting: { _ in .seconds(1) }, now: now)
        #expect(queue.confirmed == 2)
        queue.wake(at: now + .seconds(1))
        #expect(queue.next(countMax: 3)?.events.map(\.position) == [3, 4])
    }

    @Test func `events that are too old are given up, but for those under way`() throws {
        var queue = DeliveryQueue(after: 0, isOrdered: false)
        queue.append(
            [
                try event(1, "a", at: 10), try event(2, "b", at: 10), try event(3, "a", at: 10),
                try event(4, "a", at: 99),
            ], through: 4)
        let first = try next(&queue, 1)
        #expect(queue.drop(before: Timestamp(milliseconds: 50)) == 0)
        queue.end(first.lane, delivered: 0, waiting: { _ in .seconds(1) }, now: now)
        #expect(queue.drop(before: Timestamp(milliseconds: 50)) == 3)
        #expect(queue.count == 1 && queue.confirmed == 3)
        queue.wake(at: now + .seconds(1))
        #expect(queue.next(countMax: 1)?.events.map(\.position) == [4])
    }

    @Test func `of events in any order of outcomes each is delivered in the order of its key, and none is left`() throws
    {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let keys = (0..<400).map { _ in "k\(random.next() % 7)" }
        var queue = try filled(keys)
        var delivered: [String: [Int64]] = [:]
        var clock = now
        var busy: [(lane: DeliveryQueue.Lane, events: [ObjectEvent])] = []
        while queue.count > 0 {
            clock += .milliseconds(10)
            queue.wake(at: clock)
            while busy.count < 3, let next = queue.next(countMax: 2) { busy.append(next) }
            guard !busy.isEmpty else { continue }
            let ended = busy.remove(at: Int(random.next() % UInt64(busy.count)))
            let count = Int(random.next() % UInt64(ended.events.count + 1))
            for event in ended.events.prefix(count) { delivered[event.key.text, default: []].append(event.position) }
            let isWhole = count == ended.events.count
            queue.end(ended.lane, delivered: count, waiting: isWhole ? nil : { .milliseconds($0) }, now: clock)
        }
        #expect(queue.confirmed == 400, "seed \(seed)")
        for (key, positions) in delivered {
            let expected = keys.indices.filter { keys[$0] == key }.map { Int64($0 + 1) }
            #expect(positions == expected, "seed \(seed)")
        }
    }
}

/// A small generator whose seed is shown.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
