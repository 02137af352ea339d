import Bytes
import Glibc
import Metadata
import TestSupport
import Testing

@Suite struct JobTests {
    /// A store with a versioned bucket, whose objects set off a hook of the given steps.
    struct Scene {
        let opened: EventScene
        let bucket: BucketID
        var store: any EventStore { opened.store }

        init(on kind: StoreKind, _ state: VersioningState = .enabled) async throws {
            opened = try await EventScene(kind)
            bucket = try await opened.subject.bucket(state)
        }

        func close() async throws { try await opened.close() }

        func new(_ key: String, event: EventDraft? = nil, blob: UInt64 = Blobs.next()) -> NewVersion {
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: 10, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(blob)), event: event)
        }

        @discardableResult
        func put(_ key: String) async throws -> ObjectVersion {
            var draft = EventDraft.test
            draft.hooks = [EventHook(name: "h")]
            return try await store.publish(new(key, event: draft))
        }

        /// Plans a group for each event that has none yet.
        @discardableResult
        func plan(
            _ after: [Int?] = [nil], queue: String = "default", lane: [UInt8] = [1], rank: Int64 = 0,
            notify: [String] = []
        ) async throws -> [JobGroup] {
            let former = try await store.plannedEvents()
            let events = try await store.events(after: former, limit: 1000)
            let groups = events.filter { !$0.draft.hooks.isEmpty }.map { event in
                JobGroup(
                    id: JobID(at: .fixed), event: event, hook: "h", queue: queue, lane: lane, rank: rank,
                    steps: after.enumerated().map {
                        .init(name: "s\($0.offset)", kind: "probe", after: $0.element, proceeds: false)
                    }, notify: notify, created: .fixed)
            }
            let last = try #require(events.last).position
            #expect(try await store.planJobs(after: former, through: last, groups) != nil)
            return groups
        }

        func claim(
            _ count: Int = 1, queues: [String] = ["default"], room: [[UInt8]: Int] = [:]
        ) async throws -> [LeasedJob] {
            try await store.claimJobs(JobClaim(worker: "w", queues: queues, countMax: count, room: room))
        }

        func one() async throws -> LeasedJob { try #require(try await claim().first) }

        func end(_ leased: LeasedJob, _ next: JobFailure.Next, isCrash: Bool = false) async throws -> JobEnding {
            try await store.endTry(
                JobFailure(
                    job: leased.job.id, token: leased.job.token, next: next, reason: "because", isCrash: isCrash))
        }

        func complete(_ leased: LeasedJob, files: [(String, NewVersion)] = []) async throws -> JobEnding {
            try await store.completeJob(
                JobCompletion(
                    job: leased.job.id, token: leased.job.token, files: files.map { (name: $0.0, version: $0.1) }))
        }
    }

    @Test(arguments: StoreKind.allCases) func `an event is in the commit of its object, with its place`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        let version = try await scene.put("a")
        let silent = try await scene.store.publish(scene.new("b"))
        let events = try await scene.store.events(after: 0, limit: 10)
        #expect(events.count == 1 && silent.sequence > version.sequence)
        let event = try #require(events.first)
        #expect(event.key == .of("a") && event.versionID == version.versionID && event.sequence == version.sequence)
        #expect(event.size == 10 && event.etag == version.etag && event.draft.hooks == [EventHook(name: "h")])
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `removing a marker, the latest version, and tagging are told where somebody asks`(kind: StoreKind) async throws
    {
        let scene = try await Scene(on: kind)
        let first = try await scene.put("a")
        func draft(_ name: EventName) -> EventDraft {
            var draft = EventDraft.test
            draft.name = name
            return draft
        }
        func delete(_ version: VersionID?, _ event: EventName, latest: Int64? = nil) async throws -> DeleteResult {
            try await scene.store.delete(
                DeleteRequest(
                    bucket: scene.bucket, key: .of("a"), version: version, owner: "alice", event: draft(event),
                    latestSequence: latest))
        }
        await #expect(throws: MetadataError.superseded) {
            _ = try await delete(nil, .removedMarker, latest: first.sequence + 5)
        }
        _ = try await scene.store.setTags(
            [], of: .of("a"), in: scene.bucket, version: nil, event: draft(.taggingPut))
        let marker = try await delete(nil, .removedMarker, latest: first.sequence)
        // A second marker removes nothing.
        let again = try await delete(nil, .removedMarker)
        _ = try await delete(again.versionID, .restored)
        _ = try await delete(marker.versionID, .restored)
        _ = try await delete(first.versionID, .removedDelete)
        let events = try await scene.store.events(after: 0, limit: 10)
        #expect(events.map(\.draft.name) == [.createdPut, .taggingPut, .removedMarker, .restored, .removedDelete])
        #expect(events[2].versionID == marker.versionID && events[2].size == 0)
        #expect(events[3].versionID == first.versionID && events[3].sequence == first.sequence)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.position < $1.position })
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `the jobs of an event are made once, whoever is quicker`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        let groups = try await scene.plan()
        #expect(groups.count == 1)
        let planned = try await scene.store.plannedEvents()
        #expect(try await scene.store.planJobs(after: 0, through: planned, groups) == nil)
        #expect(try await scene.claim(10).count == 1)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `a job is leased to one, in order of rank, and never above the room of its lane`(kind: StoreKind) async throws
    {
        let scene = try await Scene(on: kind)
        for (key, lane, rank) in [("a", 1, 9), ("b", 1, 3), ("c", 2, 5), ("d", 1, 1)] as [(String, UInt8, Int64)] {
            try await scene.put(key)
            try await scene.plan(lane: [lane], rank: rank)
        }
        #expect(try await scene.claim(10, queues: ["other"]).isEmpty)
        let some = try await scene.claim(10, room: [[1]: 2])
        #expect(some.map { $0.group.event.key.text } == ["d", "b", "c"])
        #expect(some.allSatisfy { $0.job.attempt == 1 && $0.job.token.count == 16 && $0.job.state == .leased })
        #expect(try await scene.claim(10, room: [[1]: 0]).isEmpty)
        #expect(try await scene.claim(10).map { $0.group.event.key.text } == ["a"])
        #expect(try await scene.claim(10).isEmpty)
        #expect(try await scene.store.leasedJobs(after: nil, limit: 10).count == 4)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `queues are served in the order of the claim, one named twice but once`(
        kind: StoreKind
    )
        async throws
    {
        let scene = try await Scene(on: kind)
        for (key, queue) in [("a", "slow"), ("b", "quick")] {
            try await scene.put(key)
            try await scene.plan(queue: queue)
        }
        #expect(try await scene.store.readyJobCounts(limit: 100) == ["slow": 1, "quick": 1])
        let jobs = try await scene.claim(9, queues: ["quick", "slow", "quick"])
        #expect(jobs.map { $0.group.event.key.text } == ["b", "a"])
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `the files of a job and its end are one commit, and the end is the same when it is told again`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan([nil, 0])
        let leased = try await scene.one()
        let file = scene.new("derived/a.jpg")
        let ending = try await scene.complete(leased, files: [("square", file)])
        #expect(ending.started.count == 1 && ending.group.state == .running && !ending.isRepeated)
        let made = try #require(ending.group.steps[0].files.first)
        let version = try await scene.store.version(of: made.key, in: made.bucket, version: nil)
        #expect(version?.versionID == made.versionID && made.name == "square")
        let again = try await scene.complete(leased, files: [("square", scene.new("derived/a.jpg"))])
        #expect(again.isRepeated && again.group.steps[0].files == [made])
        let last = try await scene.complete(try await scene.one())
        #expect(last.group.state == .completed && last.group.ended != nil)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `nobody ends a job that another has`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan()
        let first = try await scene.one()
        _ = try await scene.end(first, .giveBack)
        let second = try await scene.one()
        #expect(second.job.id == first.job.id && second.job.attempt == 1 && second.job.token != first.job.token)
        await #expect(throws: MetadataError.leaseLost) { _ = try await scene.complete(first) }
        await #expect(throws: MetadataError.leaseLost) { _ = try await scene.end(first, .dead) }
        var forged = second
        forged.job.token = []
        await #expect(throws: MetadataError.leaseLost) { _ = try await scene.complete(forged) }
        #expect(try await scene.complete(second).group.state == .completed)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `what a job made is not published once its object is gone, but is where a newer version stands above`(
        kind: StoreKind
    )
        async throws
    {
        let scene = try await Scene(on: kind)
        let first = try await scene.put("a")
        try await scene.put("b")
        try await scene.plan()
        // Of one rank, they come in any order.
        let jobs = try await scene.claim(2).sorted { $0.group.event.key < $1.group.event.key }
        try await scene.put("b")
        _ = try await scene.store.delete(
            DeleteRequest(bucket: scene.bucket, key: .of("a"), version: first.versionID, owner: "alice"))
        let file = scene.new("derived")
        await #expect(throws: MetadataError.sourceGone) { _ = try await scene.complete(jobs[0], files: [("x", file)]) }
        #expect(try await scene.store.version(of: .of("derived"), in: scene.bucket, version: nil) == nil)
        #expect(try await scene.end(jobs[0], .cancelled).group.state == .cancelled)
        #expect(try await scene.complete(jobs[1], files: [("x", file)]).group.state == .completed)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `an unversioned object that was replaced counts as gone`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind, .unversioned)
        try await scene.put("a")
        try await scene.plan()
        let job = try await scene.one()
        try await scene.put("a")
        await #expect(throws: MetadataError.sourceGone) { _ = try await scene.complete(job) }
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `a try that failed waits for its time, then is taken again`(
        kind: StoreKind
    ) async throws {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan()
        let first = try await scene.one()
        let now = Timestamp.now()
        _ = try await scene.end(first, .retry(at: Timestamp(milliseconds: now.milliseconds + 3_600_000)), isCrash: true)
        #expect(try await scene.claim().isEmpty)
        #expect(try await scene.store.nextDueJob() != nil)
        let stored = try #require(try await scene.store.job(first.job.id))
        #expect(stored.state == .waiting && stored.crashCount == 1 && stored.reason == "because")
        try await scene.put("b")
        try await scene.plan()
        let other = try await scene.one()
        _ = try await scene.end(other, .retry(at: Timestamp(milliseconds: now.milliseconds - 1)))
        let again = try await scene.one()
        #expect(again.job.id == other.job.id && again.job.attempt == 2)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `a dead job is listed with its reason and comes back whole`(
        kind: StoreKind
    ) async throws {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan([nil, 0])
        #expect(try await scene.end(try await scene.one(), .dead).group.state == .failed)
        let dead = try await scene.store.deadJobs(after: nil, limit: 10)
        #expect(dead.map(\.reason) == ["because"])
        let id = try #require(dead.first).id
        #expect(try await scene.store.retryJob(id).group.state == .running)
        #expect(try await scene.store.retryJob(id).isRepeated)
        #expect(try await scene.store.deadJobs(after: nil, limit: 10).isEmpty)
        #expect(try await scene.complete(try await scene.one()).started.count == 1)
        #expect(try await scene.complete(try await scene.one()).group.state == .completed)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `cancelled jobs are taken by nobody, and their holders lose them`(
        kind: StoreKind
    ) async throws {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        let group = try #require(try await scene.plan([nil, nil]).first)
        let held = try await scene.one()
        #expect(try await scene.store.cancelJobs(of: group.id).group.state == .cancelled)
        #expect(try await scene.claim().isEmpty)
        await #expect(throws: MetadataError.leaseLost) { _ = try await scene.complete(held) }
        #expect(try await scene.store.cancelJobs(of: group.id).isRepeated)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `the end of a group is an event for those it names`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        let group = try #require(try await scene.plan(notify: ["webhook:cms"]).first)
        _ = try await scene.complete(try await scene.one())
        let last = try #require(try await scene.store.events(after: 0, limit: 10).last)
        #expect(last.draft.name == .jobFinished && last.draft.bindings.map(\.target) == ["webhook:cms"])
        #expect(last.draft.requestID == group.id.text)
        try await scene.close()
    }

    @Test func `jobs and events are there after the database was lost`() async throws {
        let scene = try await Scene(on: .embedded)
        try await scene.put("a")
        try await scene.plan([nil, 0])
        let leased = try await scene.one()
        let dump = try await (
            scene.store.events(after: 0, limit: 10), scene.store.jobGroups(before: nil, limit: 10),
            scene.store.jobs(of: leased.group.id)
        )
        let again = try await #require(scene.opened.embedded).reopened(losingDatabase: true)
        #expect(try await again.store.events(after: 0, limit: 10) == dump.0)
        #expect(try await again.store.jobGroups(before: nil, limit: 10) == dump.1)
        #expect(try await again.store.jobs(of: leased.group.id) == dump.2)
        _ = try await again.store.completeJob(JobCompletion(job: leased.job.id, token: leased.job.token))
        await again.close()
    }

    @Test(arguments: StoreKind.allCases) func `what ended long ago is forgotten, what runs is kept`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.put("b")
        try await scene.plan()
        _ = try await scene.complete(try await scene.one())
        let soon = Timestamp(milliseconds: Timestamp.now().milliseconds + 60_000)
        #expect(try await scene.store.forgetHistory(before: soon))
        #expect(try await scene.store.forgetHistory(before: soon) == false)
        #expect(try await scene.store.events(after: 0, limit: 10).isEmpty)
        #expect(try await scene.store.jobGroups(before: nil, limit: 10).map(\.state) == [.running])
        #expect(try await scene.claim(10).count == 1)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `an event noted again has a new place and its own jobs, and none of a bucket that is gone`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan()
        let first = try #require(try await scene.store.events(after: 0, limit: 10).first)
        var gone = first
        gone.bucket = BucketID(999_999)
        #expect(try await scene.store.noteEvents([first, gone]) == 1)
        let noted = try await scene.store.events(after: first.position, limit: 10)
        #expect(noted.map(\.sequence) == [first.sequence] && noted.map(\.draft) == [first.draft])
        try await scene.plan()
        #expect(try await scene.claim(10).count == 2)
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases) func `hooks keep their former revisions, and go with their bucket`(
        kind: StoreKind
    ) async throws {
        let scene = try await Scene(on: kind)
        #expect(try await scene.store.hooks(of: scene.bucket) == nil)
        let first = try await scene.store.setHooks([1], of: scene.bucket, ifRevision: nil)
        #expect(try await scene.store.setHooks([1], of: scene.bucket, ifRevision: nil) == first)
        let second = try await scene.store.setHooks([2], of: scene.bucket, ifRevision: nil)
        let present = try #require(try await scene.store.hooks(of: scene.bucket))
        #expect(present.revision == second && second > first && present.document == [2])
        #expect(try await scene.store.hooks(of: scene.bucket, revision: first) == [1])
        await #expect(throws: MetadataError.superseded) {
            _ = try await scene.store.setHooks([3], of: scene.bucket, ifRevision: first)
        }
        let third = try await scene.store.setHooks([3], of: scene.bucket, ifRevision: second)
        #expect(try await scene.store.hooks(of: scene.bucket, revision: third) == [3])
        try await scene.store.deleteBucket(scene.bucket)
        #expect(try await scene.store.hooks(of: scene.bucket) == nil)
        await #expect(throws: MetadataError.noSuchBucket) {
            _ = try await scene.store.setHooks([3], of: scene.bucket, ifRevision: nil)
        }
        try await scene.close()
    }
}

extension Embedded {
    /// The same store once more; without its database the log alone tells what it holds.
    func reopened(losingDatabase: Bool) async throws -> Embedded {
        await close()
        if losingDatabase {
            for suffix in ["", "-wal", "-shm"] { unsafe unlink(folder.path + "/store/meta/main.db" + suffix) }
        }
        return try Embedded(folder: folder)
    }
}
