import Bytes
import Metadata
import TestSupport
import Testing

/// Runs of a unique hook: the newest event of an object stands for all that no worker has begun with.
@Suite struct UniqueJobTests {
    private struct Scene {
        let base: JobTests.Scene
        var store: any EventStore { base.store }

        init(on kind: StoreKind) async throws { base = try await JobTests.Scene(on: kind) }

        /// Plans what has no jobs yet; ranks ascend with the events.
        @discardableResult
        func plan(_ steps: [String] = ["s"], lane: String = "1/h", isUnique: Bool = true) async throws -> PlannedRuns {
            let former = try await store.plannedEvents()
            let events = try await store.events(after: former, limit: 1000)
            let last = try #require(events.last).position
            return try #require(
                try await store.planJobs(
                    after: former, through: last,
                    events.map { group(of: $0, steps, lane: lane, isUnique: isUnique) }))
        }

        func group(
            of event: ObjectEvent, _ steps: [String] = ["s"], lane: String = "1/h", isUnique: Bool = true
        ) -> JobGroup {
            var group = JobGroup(
                id: JobID(at: event.moment), event: event, hook: "h", queue: "default", lane: Array(lane.utf8),
                rank: event.position,
                steps: steps.enumerated().map {
                    .init(
                        name: $0.element, kind: "probe", after: $0.offset == 0 ? nil : $0.offset - 1, proceeds: false)
                }, notify: [], created: event.moment)
            group.isUnique = isUnique
            return group
        }

        func runs() async throws -> [JobGroup] { try await store.jobGroups(before: nil, limit: 100) }
    }

    @Test(arguments: StoreKind.allCases)
    func `an object written many times is processed once, for its newest version`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        var newest = try await scene.base.put("a")
        for count in 1...10 {
            newest = try await scene.base.put("a")
            // Some are planned together, some one by one.
            if count.isMultiple(of: 3) { try await scene.plan() }
        }
        try await scene.plan()
        #expect(try await scene.runs().count == 1)
        let leased = try await scene.base.claim(10)
        #expect(leased.map(\.group.event.versionID) == [newest.versionID])
        #expect(try await scene.base.complete(try #require(leased.first)).group.state == .completed)
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `what a worker has goes on, and one more run waits behind it, for the newest version`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        let first = try await scene.base.put("a")
        try await scene.plan()
        let leased = try await scene.base.one()
        try await scene.base.put("a")
        #expect(try await scene.plan().made.count == 1)
        let third = try await scene.base.put("a")
        let planned = try await scene.plan()
        #expect(planned.made.isEmpty && planned.replaced.count == 1)
        #expect(try await scene.base.complete(leased).group.event.versionID == first.versionID)
        let next = try await scene.base.claim(10)
        #expect(next.map(\.group.event.versionID) == [third.versionID])
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `one that failed and waits begins anew with the newer event, with all its tries`(kind: StoreKind) async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.base.put("a")
        try await scene.plan()
        let failed = try await scene.base.one()
        let later = Timestamp(milliseconds: Timestamp.now().milliseconds + 3_600_000)
        _ = try await scene.base.end(failed, .retry(at: later))
        let newest = try await scene.base.put("a")
        #expect(try await scene.plan().replaced.map(\.id) == [failed.group.id])
        let again = try await scene.base.one()
        #expect(again.job.id == failed.job.id && again.job.attempt == 1 && again.job.reason.isEmpty)
        #expect(again.group.event.versionID == newest.versionID)
        // The former lease is over for good.
        await #expect(throws: MetadataError.leaseLost) { try await scene.base.complete(failed) }
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `a run of which a step has ended, or that waits for an answer from outside, stays as it is`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        let first = try await scene.base.put("a")
        try await scene.plan(["s", "t"])
        _ = try await scene.base.complete(try await scene.base.one())
        let second = try await scene.base.put("a")
        #expect(try await scene.plan(["s", "t"]).made.count == 1)
        #expect(
            Set(try await scene.runs().map(\.event.versionID)) == [first.versionID, second.versionID])
        let others = try await scene.base.claim(10)
        let parked = try #require(others.first { $0.group.event.versionID == second.versionID })
        let later = Timestamp(milliseconds: Timestamp.now().milliseconds + 3_600_000)
        _ = try await scene.base.end(parked, .park(until: later, ticket: Array("{}".utf8)))
        try await scene.base.put("a")
        #expect(try await scene.plan(["s", "t"]).made.count == 1)
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `other objects, other hooks and those that are not unique have runs of their own`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        for key in ["a", "b", "a"] { try await scene.base.put(key) }
        #expect(try await scene.plan().made.count == 2)
        try await scene.base.put("a")
        #expect(try await scene.plan(lane: "1/g").made.count == 1)
        try await scene.base.put("a")
        #expect(try await scene.plan(isUnique: false).made.count == 1)
        // Other steps than those that wait.
        try await scene.base.put("a")
        #expect(try await scene.plan(["other"]).made.count == 1)
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `the place in the queue stays, so that what is written without end has its turn`(kind: StoreKind) async throws
    {
        let scene = try await Scene(on: kind)
        for key in ["a", "b", "a"] {
            try await scene.base.put(key)
            try await scene.plan()
        }
        #expect(try await scene.base.claim(10).map(\.group.event.key.text) == ["a", "b"])
        try await scene.base.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `an event that comes again for a former version changes nothing where the newer one waits`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.base.put("a")
        let newest = try await scene.base.put("a")
        let former = try #require(try await scene.store.events(after: 0, limit: 1).first)
        try await scene.plan()
        #expect(try await scene.store.noteEvents([former]) == 1)
        let planned = try await scene.plan()
        #expect(planned.made.isEmpty && planned.replaced.isEmpty)
        #expect(try await scene.base.claim(10).map(\.group.event.versionID) == [newest.versionID])
        try await scene.base.close()
    }

    @Test func `what waits is found again, and replaced, when made from the log again`() async throws {
        let scene = try await Scene(on: .embedded)
        let embedded = try #require(scene.base.opened.embedded)
        try await scene.base.put("a")
        try await scene.plan()
        let waiting = try await scene.runs()
        #expect(waiting.map(\.isUnique) == [true])
        let again = try await embedded.reopened(losingDatabase: true)
        #expect(try await again.store.jobGroups(before: nil, limit: 10) == waiting)
        var draft = EventDraft.test
        draft.hooks = [EventHook(name: "h")]
        let newest = try await again.store.publish(scene.base.new("a", event: draft))
        let former = try await again.store.plannedEvents()
        let event = try #require(try await again.store.events(after: former, limit: 10).last)
        let planned = try await again.store.planJobs(
            after: former, through: event.position, [scene.group(of: event)])
        #expect(planned?.replaced.map(\.id) == waiting.map(\.id))
        #expect(planned?.replaced.first?.event.versionID == newest.versionID)
        await again.close()
    }
}
