import Bytes
import Metadata
import TestSupport
import Testing

@Suite struct EventMomentTests {
    @Test(arguments: StoreKind.allCases)
    func `the events since a moment are found without those long before it`(kind: StoreKind) async throws {
        let scene = try await JobTests.Scene(on: kind)
        #expect(try await scene.store.positionOfEvents(since: .now()) == 0)
        for number in 0..<12 {
            try await scene.put("k\(number)")
            // Moments have milliseconds, and events of one batch of MongoDB are read at once.
            _ = try await scene.store.events(after: 0, limit: 100)
            try await Task.sleep(for: .milliseconds(3))
        }
        let events = try await scene.store.events(after: 0, limit: 100)
        #expect(events.count == 12)
        for (place, event) in events.enumerated().dropFirst() {
            let found = try await scene.store.positionOfEvents(since: event.moment, margin: .zero)
            #expect(found < event.position)
            #expect(found >= events[max(0, place - 2)].position)
        }
        // All lie within the margin.
        #expect(try await scene.store.positionOfEvents(since: .now()) == 0)
        let later = Timestamp(milliseconds: Timestamp.now().milliseconds + 1000)
        #expect(try await scene.store.positionOfEvents(since: later, margin: .zero) >= events[10].position)
        try await scene.close()
    }
}
