import Bytes
import Metadata
import Testing

/// Jobs that wait for an answer from outside.
@Suite struct JobAnswerTests {
    /// One leased job of a run with one step, and how to claim it again.
    private struct Scene {
        let opened: EventScene
        var leased: LeasedJob
        var store: any EventStore { opened.store }

        init(on kind: StoreKind) async throws {
            opened = try await EventScene(kind)
            let bucket = try await opened.subject.bucket(.enabled)
            _ = try await opened.store.publish(
                NewVersion(
                    bucket: bucket, key: .of("a"), owner: "alice", size: 10, etag: ETag(md5: .md5(1)),
                    attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(Blobs.next())),
                    event: .test))
            let event = try #require(try await opened.store.events(after: 0, limit: 1).first)
            let group = JobGroup(
                id: JobID(at: .now()), event: event, hook: "h", queue: "q", lane: [1], rank: 0,
                steps: [JobGroup.Step(name: "s", kind: "addon", after: nil, proceeds: false)], notify: [],
                created: .now())
            _ = try await opened.store.planJobs(after: 0, through: event.position, [group])
            leased = try #require(try await Self.claim(opened.store))
        }

        func close() async throws { try await opened.close() }

        static func claim(_ store: any EventStore) async throws -> LeasedJob? {
            try await store.claimJobs(JobClaim(worker: "w", queues: ["q"], countMax: 1)).first
        }

        func park(_ job: Job, until: Timestamp = Timestamp(milliseconds: .max)) async throws -> JobEnding {
            try await store.endTry(
                JobFailure(job: job.id, token: job.token, next: .park(until: until, ticket: [1, 2]), reason: ""))
        }
    }

    private static let answer = Array(#"{"metadata": 1}"#.utf8)

    @Test(arguments: StoreKind.allCases)
    func `a parked job costs no try, waits for its answer, and is ready with it`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        let (store, id) = (scene.store, scene.leased.job.id)
        #expect(try await scene.park(scene.leased.job).started.isEmpty)
        let parked = try #require(try await store.job(id))
        #expect(parked.state == .waiting && parked.attempt == 0 && parked.ticket == [1, 2] && parked.reason.isEmpty)
        #expect(try await Scene.claim(store) == nil)
        guard case .noted(let ending) = try await store.answerJob(id, Self.answer) else {
            Issue.record("not noted")
            return
        }
        #expect(ending.started.map(\.id) == [id])
        #expect(try await store.answerJob(id, [9]) == .repeated)
        let again = try #require(try await Scene.claim(store)).job
        #expect(again.attempt == 1 && again.ticket == [1, 2] && again.answer == Self.answer)
        _ = try await store.completeJob(JobCompletion(job: id, token: again.token))
        #expect(try await store.answerJob(id, Self.answer) == .over)
        let done = try #require(try await store.job(id))
        #expect(done.ticket.isEmpty && done.answer.isEmpty)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `an answer that comes before its worker waits is there at once`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        let (store, id) = (scene.store, scene.leased.job.id)
        guard case .noted(let ending) = try await store.answerJob(id, Self.answer) else {
            Issue.record("not noted")
            return
        }
        #expect(ending.started.isEmpty)
        #expect(try await scene.park(scene.leased.job).started.map(\.id) == [id])
        #expect(try await Scene.claim(store)?.job.answer == Self.answer)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `a parked job comes back when its time is over, and who lost the lease parks nothing`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        _ = try await scene.park(scene.leased.job, until: .now())
        await #expect(throws: MetadataError.leaseLost) { try await scene.park(scene.leased.job) }
        let again = try #require(try await Scene.claim(scene.store)).job
        #expect(again.id == scene.leased.job.id && again.ticket == [1, 2])
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `a try that fails keeps what it waited for, unless the next begins anew, as one that is brought back does`(
        kind: StoreKind
    ) async throws {
        let scene = try await Scene(on: kind)
        let (store, id) = (scene.store, scene.leased.job.id)
        _ = try await scene.park(scene.leased.job, until: .now())
        var job = try #require(try await Scene.claim(store)).job
        _ = try await store.endTry(
            JobFailure(job: id, token: job.token, next: .retry(at: .now()), reason: "no"))
        job = try #require(try await Scene.claim(store)).job
        #expect(job.ticket == [1, 2])
        _ = try await store.answerJob(id, Self.answer)
        _ = try await store.endTry(
            JobFailure(job: id, token: job.token, next: .retry(at: .now()), reason: "no", startsAnew: true))
        job = try #require(try await Scene.claim(store)).job
        #expect(job.ticket.isEmpty && job.answer.isEmpty)
        _ = try await scene.park(job, until: .now())
        job = try #require(try await Scene.claim(store)).job
        _ = try await store.endTry(JobFailure(job: id, token: job.token, next: .dead, reason: "no"))
        #expect(try await store.answerJob(id, Self.answer) == .over)
        _ = try await store.retryJob(id)
        #expect(try await store.job(id)?.ticket.isEmpty == true)
        try await scene.close()
    }

    @Test func `what was parked and answered is there after the database was lost`() async throws {
        let scene = try await Scene(on: .embedded)
        let id = scene.leased.job.id
        _ = try await scene.park(scene.leased.job)
        _ = try await scene.store.answerJob(id, Self.answer)
        let before = try await scene.store.job(id)
        let again = try #require(try await scene.opened.embedded?.reopened(losingDatabase: true))
        #expect(try await again.store.job(id) == before && before?.answer == Self.answer)
        await again.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `details that others changed meanwhile are not written over`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        let store = scene.store
        let event = scene.leased.group.event
        try await store.setAssets(true, of: event.bucket)
        _ = try await store.makeAssets(of: [event.key], in: event.bucket)
        let asset = try #require(try await store.asset(of: event.key, in: event.bucket))
        var theirs = asset.details
        theirs.title = Array("theirs".utf8)
        _ = try await store.setAssetDetails(theirs, of: asset.id)
        var completion = JobCompletion(job: scene.leased.job.id, token: scene.leased.job.token)
        completion.details = AssetDetails()
        completion.formerDetails = asset.details
        let first = completion
        await #expect(throws: MetadataError.superseded) { try await store.completeJob(first) }
        completion.formerDetails = theirs
        _ = try await store.completeJob(completion)
        #expect(try await store.asset(of: event.key, in: event.bucket)?.details == AssetDetails())
        try await scene.close()
    }
}
