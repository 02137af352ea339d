import Metadata
import TestMongo
import TestSupport
import Testing
import Threads

/// Events and jobs while the primary changes.
@Suite struct MongoEventElectionTests {
    private struct History: Sendable {
        var acknowledged: Set<VersionID> = []
        /// How often a group's job was completed, as told to the one who did it.
        var completions: [JobID: Int] = [:]
        var planned = 0
        var isOver = false
        var running = 0
    }

    /// `OGW_TEST_ELECTIONS` changes of the primary instead of 4.
    @Test func `elections under load lose no event and no job, and make none twice`() async throws {
        let server = try MongoServer.start(memberCount: 3)
        let scene = try await MongoEventsTests.Scene(server: server)
        let history = Lock(History())
        func run(_ body: @escaping @Sendable (Int) async throws -> Void, number: Int) {
            history.withLock { $0.running += 1 }
            Shared.pool.run {
                while !history.withLock({ $0.isOver }) {
                    // What fails for the moment is tried again; what it left is looked at in the end.
                    do { try await body(number) } catch { await Shared.pool.sleep(for: .milliseconds(20)) }
                }
                history.withLock { $0.running -= 1 }
            }
        }
        for number in 0..<4 {
            run(
                { number in
                    let version = try await scene.put("k\(number % 3)", through: number)
                    history.withLock { _ = $0.acknowledged.insert(version.versionID) }
                    // The jobs have to keep up.
                    await Shared.pool.sleep(for: .milliseconds(20))
                }, number: number)
        }
        let finish: @Sendable (Int) async throws -> Void = { number in
            let groups = try await scene.plan(through: number)
            history.withLock { $0.planned += groups.count }
            for leased in try await scene.claim(5, through: number, for: .seconds(2)) {
                do throws(MetadataError) {
                    let ending = try await scene.store(number).completeJob(
                        JobCompletion(job: leased.job.id, token: leased.job.token))
                    if !ending.isRepeated { history.withLock { $0.completions[leased.group.id, default: 0] += 1 } }
                } catch {
                    // The lease is short: it may be over, and the job another's.
                    guard error == .leaseLost else { throw error }
                }
            }
            for lease in try await scene.store(number).endedLeases(limit: 20) {
                _ = try? await scene.store(number).endTry(
                    JobFailure(
                        job: lease.leased.job.id, token: lease.leased.job.token, next: .giveBack, reason: "lost"))
            }
        }
        for number in 0..<3 { run(finish, number: number) }
        let rounds = variable("OGW_TEST_ELECTIONS").flatMap { Int($0) } ?? 4
        for round in 0..<rounds {
            let before = history.withLock { $0.acknowledged.count }
            try server.stepDown()
            let deadline = ContinuousClock.now + .seconds(60)
            while history.withLock({ $0.acknowledged.count }) < before + 20, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(history.withLock { $0.acknowledged.count } >= before + 20, "no writes after change \(round)")
            while (try? server.primary()) == nil { try await Task.sleep(for: .milliseconds(100)) }
        }
        history.withLock { $0.isOver = true }
        while history.withLock({ $0.running }) > 0 { try await Task.sleep(for: .milliseconds(10)) }
        // All that is left.
        let deadline = ContinuousClock.now + .seconds(240)
        while ContinuousClock.now < deadline {
            _ = try await MongoRaceTests.race(6) { try await finish($0) }
            let isPlanned = try await scene.one.store.plannedEvents() == scene.one.store.lastEvent()
            let running = try await scene.one.store.jobGroups(before: nil, limit: 100_000).filter {
                $0.state == .running
            }
            if isPlanned, running.isEmpty { break }
        }
        let events = try await scene.one.store.events(after: 0, limit: 100_000)
        let own = events.filter { $0.draft.name == .createdPut }
        let told = own.compactMap(\.versionID)
        #expect(Set(told).count == told.count, "an event came twice")
        #expect(
            history.withLock { $0.acknowledged }.isSubset(of: told), "an event of an acknowledged version is missing")
        let listed = try await scene.one.subject.listVersions(scene.bucket, limit: 1_000)
        if !listed.isTruncated { #expect(Set(listed.versions.map(\.versionID)) == Set(told)) }
        for (key, ofKey) in Dictionary(grouping: own, by: \.key) {
            #expect(ofKey.map(\.sequence) == ofKey.map(\.sequence).sorted(), "\(key.text)")
        }
        let groups = try await scene.one.store.jobGroups(before: nil, limit: 100_000)
        #expect(Set(groups.map(\.event.position)) == Set(own.map(\.position)) && groups.count == own.count)
        #expect(groups.allSatisfy { $0.state == .completed })
        #expect(history.withLock { $0.completions.values.allSatisfy { $0 == 1 } }, "a job was completed twice")
        print("elections: \(own.count) events, \(groups.count) jobs")
        try scene.close()
        server.stop()
    }
}
