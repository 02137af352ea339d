import Bytes
import Metadata
import Testing
import Threads

@testable import Hooks

@Suite struct JobFeedTests {
    private static let pool = Pool()

    private static func group(_ customer: String? = nil) throws -> JobGroup {
        let draft = EventDraft(
            name: .createdPut, bucketName: try #require(BucketName("photos".utf8)), principal: "alice",
            customer: customer, revision: 1)
        let event = ObjectEvent(
            position: 1, moment: .now(), bucket: BucketID(1), key: try #require(ObjectKey("a".utf8)), versionID: nil,
            sequence: 1, size: 1, etag: nil, draft: draft)
        return JobGroup(
            id: JobID(at: .now()), event: event, hook: "h", queue: "default", lane: [], rank: 0, steps: [],
            notify: [], created: .now())
    }

    @Test func `who watches gets what comes after its place, in order, once`() async throws {
        let feed = JobFeed(pool: Self.pool)
        let group = try Self.group("acme")
        feed.publish([.created], of: group)
        let place = feed.last
        async let waiting = feed.next(after: place, until: .now + .seconds(30))
        try await Task.sleep(for: .milliseconds(20))
        feed.publish([.step("a", .leased, attempt: 1), .ended(.completed)], of: group)
        guard case .changes(let changes) = await waiting else {
            Issue.record("no changes")
            return
        }
        #expect(changes.map(\.kind) == [.step("a", .leased, attempt: 1), .ended(.completed)])
        #expect(changes.map(\.position) == [place + 1, place + 2])
        #expect(changes.allSatisfy { $0.customer == "acme" && $0.group == group.id })
        #expect(await feed.next(after: feed.last, until: .now) == .nothing)
    }

    @Test func `who is slower than what is kept is told so, and memory stays bounded`() async throws {
        let feed = JobFeed(pool: Self.pool, keptMax: 10)
        let group = try Self.group()
        for _ in 0..<1000 { feed.publish([.created], of: group) }
        #expect(await feed.next(after: 5, until: .now) == .forgotten(last: 1000))
        // A place of another run of the gateway.
        #expect(await feed.next(after: 5000, until: .now) == .forgotten(last: 1000))
        guard case .changes(let changes) = await feed.next(after: 990, until: .now) else {
            Issue.record("what is kept was not given")
            return
        }
        #expect(changes.map(\.position) == Array(991...1000))
    }

    @Test func `no more watch than the limit, and all go when it ends`() async throws {
        let feed = JobFeed(pool: Self.pool, watchersMax: 2)
        #expect(feed.enter() && feed.enter() && !feed.enter())
        feed.leave()
        #expect(feed.enter())
        async let waiting = feed.next(after: 0, until: .now + .seconds(30))
        try await Task.sleep(for: .milliseconds(20))
        feed.end()
        #expect(await waiting == .ended)
        #expect(await feed.next(after: 0, until: .now + .seconds(30)) == .ended)
        feed.leave()
        #expect(!feed.enter())
    }
}
