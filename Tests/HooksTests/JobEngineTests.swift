import Bytes
import Files
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import Hooks

@Suite struct JobEngineTests {
    /// An engine over a store in a folder of its own, with one bucket.
    private struct Scene {
        let folder: TemporaryFolder
        let data: DataFolder
        let store: SQLiteStore
        let engine: JobEngine
        let bucket: Bucket
        static let pool = Pool()

        init(
            _ hook: String = #""steps": {"a": {"probe": true}}"#, folder: TemporaryFolder? = nil,
            lease: Duration = .seconds(30)
        ) async throws {
            let isNew = folder == nil
            self.folder = try folder ?? TemporaryFolder()
            data = try DataFolder.open(self.folder.path + "/store")
            store = try SQLiteStore.open(data, pool: Self.pool) { _ in }
            let name = try #require(BucketName("photos".utf8))
            if isNew {
                bucket = try await store.createBucket(named: name, owner: "alice", at: .now())
                try await store.setVersioning(.enabled, of: bucket.id)
            } else {
                bucket = try #require(try await store.bucket(named: name))
            }
            var configuration = JobEngineConfiguration()
            configuration.leasePeriod = lease
            configuration.tick = .milliseconds(20)
            engine = JobEngine(
                store: store, hooks: HookDirectory(store), pool: Self.pool, configuration: configuration)
            engine.observe { Issue.record("\($0)") }
            try await engine.start()
            if isNew { try await set(hook) }
        }

        func set(_ members: String) async throws {
            let text = Array(#"{"hooks": [{"name": "h", "on": "object.created", \#(members)}]}"#.utf8)
            _ = try await engine.setHooks(try HookConfiguration(parsing: text), document: text, of: bucket.id)
        }

        func put(_ key: String) async throws {
            let rules = try #require(try await engine.hooks.rules(of: bucket.id))
            let object = FilteredObject(
                key: Array(key.utf8), size: 1, contentType: nil, tags: [], userMetadata: [], customer: nil)
            var draft = EventDraft(
                name: .createdPut, bucketName: bucket.name, principal: "alice", customer: nil, revision: rules.revision)
            draft.hooks = rules.matches(.createdPut, of: object, in: bucket.id, from: nil)
            _ = try await store.publish(
                NewVersion(
                    bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: "alice", size: 1,
                    etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: ObjectAttributes(), checksum: nil,
                    tags: [], content: .empty, event: draft))
            engine.notice()
        }

        func claim(_ count: Int = 1, wait: Duration = .seconds(30)) async throws -> [LeasedJob] {
            try await engine.claim(worker: "w", queues: ["default"], countMax: count, wait: wait)
        }

        func one() async throws -> LeasedJob { try #require(try await claim().first) }

        func close() async {
            await engine.stop()
            await store.close()
            data.close()
        }
    }

    @Test func `a worker that waits gets the job of an object that comes`() async throws {
        let scene = try await Scene()
        async let waiting = scene.claim()
        try await Task.sleep(for: .milliseconds(50))
        try await scene.put("a")
        let job = try #require(try await waiting.first)
        #expect(job.group.event.key.text == "a" && job.group.steps.map(\.kind) == ["probe"])
        let ending = try await scene.engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
        #expect(ending.group.state == .completed)
        await scene.close()
    }

    @Test func `who waits in vain goes with nothing when its time is over, and when the engine stops`() async throws {
        let scene = try await Scene()
        #expect(try await scene.claim(wait: .milliseconds(30)).isEmpty)
        async let waiting = scene.claim()
        try await Task.sleep(for: .milliseconds(50))
        await scene.engine.stop()
        #expect(try await waiting.isEmpty)
        await scene.close()
    }

    @Test(.timeLimit(.minutes(10)))
    func `each of many objects gives one job, which one of many workers gets`() async throws {
        let scene = try await Scene()
        let seen = Lock<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    while seen.withLock({ $0.count }) < 200 {
                        for job in try await scene.claim(3, wait: .milliseconds(200)) {
                            seen.withLock { $0.append(job.group.event.key.text) }
                            _ = try await scene.engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
                        }
                    }
                }
            }
            for index in 0..<200 { try await scene.put("k\(index)") }
            try await group.waitForAll()
        }
        #expect(try await scene.claim(wait: .zero).isEmpty)
        #expect(Set(seen.withLock { $0 }).count == 200 && seen.withLock { $0.count } == 200)
        await scene.close()
    }

    @Test func `a worker that is not heard of again loses its job, which dies after three such ends`() async throws {
        let scene = try await Scene(
            #""steps": {"a": {"probe": true, "retry": {"backoff": {"kind": "constant", "base": "1ms"}}}}"#,
            lease: .milliseconds(100))
        try await scene.put("a")
        for attempt in 1...3 {
            let job = try await scene.one()
            #expect(job.job.attempt == attempt)
        }
        var dead: [Job] = []
        while dead.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
            dead = try await scene.store.deadJobs(after: nil, limit: 10)
        }
        #expect(dead[0].crashCount == 3 && dead[0].reason.contains("not heard of again"))
        #expect(try await scene.claim(wait: .milliseconds(100)).isEmpty)
        _ = try await scene.engine.retry(dead[0].id)
        #expect(try await scene.one().job.attempt == 1)
        await scene.close()
    }

    @Test func `a heartbeat is taken from the holder only, and tells how far the job is`() async throws {
        let scene = try await Scene()
        try await scene.put("a")
        let job = try await scene.one()
        let progress = JobProgress(stage: "decode", fraction: 0.5)
        #expect(try await scene.engine.renew(job.job.id, token: job.job.token, progress: progress))
        #expect(
            try await !scene.engine.renew(job.job.id, token: [1], progress: JobProgress(stage: "other", fraction: 1)))
        #expect(try await scene.engine.renew(job.job.id, token: job.job.token, progress: nil))
        #expect(scene.engine.progress(of: job.job.id) == progress)
        _ = try await scene.engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
        #expect(try await !scene.engine.renew(job.job.id, token: job.job.token, progress: nil))
        await scene.close()
    }

    @Test func `a gateway that was away costs a job no try`() async throws {
        let scene = try await Scene()
        try await scene.put("a")
        let job = try await scene.one()
        await scene.close()
        // Not heard of since the start either: it is given back.
        let again = try await Scene(folder: scene.folder, lease: .milliseconds(100))
        while try await again.store.job(job.job.id)?.state != .available {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await again.store.job(job.job.id)?.attempt == 0)
        await again.close()
        let third = try await Scene(folder: scene.folder)
        let next = try await third.one()
        #expect(next.job.id == job.job.id && next.job.attempt == 1 && next.job.crashCount == 0)
        await third.close()
        // Heard of: it goes on.
        let fourth = try await Scene(folder: scene.folder)
        #expect(try await fourth.engine.renew(next.job.id, token: next.job.token, progress: nil))
        let ending = try await fourth.engine.complete(JobCompletion(job: next.job.id, token: next.job.token))
        #expect(ending.group.state == .completed)
        await fourth.close()
    }

    @Test func `a failure waits as the hook says, and a permanent one is dead at once`() async throws {
        let scene = try await Scene(
            #""steps": {"a": {"probe": true, "retry": {"attempts": 2, "backoff": {"kind": "constant", "base": "50ms"}}}}"#
        )
        try await scene.put("a")
        let first = try await scene.one()
        _ = try await scene.engine.fail(first.job.id, token: first.job.token, reason: "busy", isPermanent: false)
        let second = try await scene.one()
        #expect(second.job.attempt == 2)
        let ending = try await scene.engine.fail(
            second.job.id, token: second.job.token, reason: "busy still", isPermanent: false)
        #expect(ending.group.state == .failed)
        try await scene.put("b")
        let poison = try await scene.one()
        let end = try await scene.engine.fail(
            poison.job.id, token: poison.job.token, reason: "undecodable", isPermanent: true)
        #expect(end.group.steps[0].reason == "undecodable")
        #expect(
            try await scene.store.deadJobs(after: nil, limit: 10).map(\.reason).sorted() == [
                "busy still", "undecodable",
            ])
        await scene.close()
    }

    @Test func `a job whose wait is over counts as ready, so that somebody is started for it`() async throws {
        let scene = try await Scene(#""steps": {"a": {"addon": "x"}}"#)
        try await scene.put("a")
        let job = try await scene.one().job
        try await scene.engine.park(job.id, token: job.token, until: Timestamp(milliseconds: .max), ticket: [1])
        #expect(try await scene.engine.readyCount(limit: 10) == 0)
        _ = try await scene.engine.answer(job.id, [1])
        #expect(try await scene.engine.readyCount(limit: 10) == 1)
        let again = try await scene.one().job
        try await scene.engine.park(again.id, token: again.token, until: .now(), ticket: [1])
        _ = try await scene.engine.fail(
            try await scene.one().job.id, token: try #require(try await scene.store.job(job.id)).token, reason: "no",
            isPermanent: false, startsAnew: true)
        #expect(try await scene.engine.readyCount(limit: 10) == 0)
        await scene.close()
        let second = try await Scene(
            #""steps": {"a": {"addon": "x", "retry": {"backoff": {"kind": "constant", "base": "1ms"}}}}"#)
        try await second.put("a")
        let due = try await second.one().job
        _ = try await second.engine.fail(due.id, token: due.token, reason: "no", isPermanent: false)
        while try await second.engine.readyCount(limit: 10) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await second.store.job(due.id)?.state == .waiting)
        await second.close()
    }

    @Test func `a job that waits for an answer is no worker's, and keeps how far it is`() async throws {
        let scene = try await Scene(#""concurrency": 1, "steps": {"a": {"addon": "x"}}"#)
        for key in ["a", "b"] { try await scene.put(key) }
        let first = try await scene.one().job
        #expect(
            try await scene.engine.renew(
                first.id, token: first.token, progress: JobProgress(stage: "s", fraction: 0.25)))
        try await scene.engine.park(
            first.id, token: first.token, until: Timestamp(milliseconds: .max), ticket: [1])
        #expect(scene.engine.progress(of: first.id)?.fraction == 0.25)
        #expect(try await !scene.engine.renew(first.id, token: first.token, progress: nil))
        let second = try await scene.one().job
        #expect(second.id != first.id && scene.engine.leaseCount(of: "w") == 1)
        #expect(try await scene.engine.note(JobProgress(stage: "t", fraction: 0.5), of: first.id))
        #expect(scene.engine.progress(of: first.id) == JobProgress(stage: "t", fraction: 0.5))
        _ = try await scene.engine.complete(JobCompletion(job: second.id, token: second.token))
        #expect(try await scene.engine.note(JobProgress(stage: "t", fraction: 0.5), of: second.id) == false)
        _ = try await scene.engine.cancel(group: first.group)
        #expect(scene.engine.progress(of: first.id) == nil)
        #expect(try await scene.engine.answer(first.id, [1]) == .over)
        await scene.close()
    }

    @Test func `no more jobs of a hook run than its concurrency, and it goes on when one ends`() async throws {
        let scene = try await Scene(#""concurrency": 2, "steps": {"a": {"probe": true}}"#)
        for index in 0..<5 { try await scene.put("k\(index)") }
        var held: [LeasedJob] = []
        while held.count < 2 { held += try await scene.claim(10) }
        #expect(held.count == 2)
        #expect(try await scene.claim(10, wait: .milliseconds(100)).isEmpty)
        async let next = scene.claim(10)
        try await Task.sleep(for: .milliseconds(50))
        _ = try await scene.engine.complete(JobCompletion(job: held[0].job.id, token: held[0].job.token))
        #expect(try await next.count == 1)
        await scene.close()
    }

    @Test func `a run goes on by the hooks that it began with`() async throws {
        let scene = try await Scene(#""steps": {"a": {"probe": true, "timeout": "7s"}}"#)
        try await scene.put("a")
        let job = try await scene.one()
        try await scene.set(#""steps": {"b": {"probe": true}}"#)
        #expect(try await scene.engine.work(of: job)?.step.timeout == .seconds(7))
        try await scene.put("b")
        #expect(try await scene.one().group.steps.map(\.name) == ["b"])
        await scene.close()
    }

    @Test func `hooks that cannot be read hold up no other bucket's jobs`() async throws {
        let scene = try await Scene()
        let reported = Lock<[String]>([])
        scene.engine.observe { problem in
            if case .unreadableHooks(_, _, let reason) = problem { reported.withLock { $0.append(reason) } }
        }
        let name = try #require(BucketName("broken".utf8))
        let broken = try await scene.store.createBucket(named: name, owner: "alice", at: .now())
        let revision = try await scene.store.setHooks(Array("[]".utf8), of: broken.id)
        var draft = EventDraft(
            name: .createdPut, bucketName: broken.name, principal: "alice", customer: nil, revision: revision)
        draft.hooks = [EventHook(name: "h")]
        let event = ObjectEvent(
            position: 0, moment: .now(), bucket: broken.id, key: try #require(ObjectKey("x".utf8)), versionID: nil,
            sequence: 1, size: 1, etag: nil, draft: draft)
        #expect(try await scene.store.noteEvents([event]) == 1)
        try await scene.put("a")
        #expect(try await scene.one().group.event.key.text == "a")
        #expect(reported.withLock { $0 }.count == 1)
        // Nor the next start.
        let next = JobEngine(store: scene.store, hooks: HookDirectory(scene.store), pool: Scene.pool)
        try await next.start()
        await next.stop()
        await scene.close()
    }

    @Test func `a hook of the clock has a job at each of its moments, and none once it is taken away`() async throws {
        let scene = try await Scene()
        let text = Array(
            #"{"hooks": [{"name": "yearly", "schedule": "0 0 1 1 *", "steps": {"a": {"deliver": "https://example.com/"}}}]}"#
                .utf8)
        _ = try await scene.engine.setHooks(
            try HookConfiguration(parsing: text), document: text, of: scene.bucket.id)
        await scene.engine.runSchedules(at: .now())
        let later = Timestamp(seconds: Timestamp.now().seconds + 370 * 86_400)
        for _ in 0..<2 { await scene.engine.runSchedules(at: later) }
        let job = try await scene.one()
        #expect(job.group.event.draft.name == .scheduled && job.group.hook == "yearly")
        #expect(try await scene.claim(wait: .milliseconds(50)).isEmpty)
        let ending = try await scene.engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
        #expect(ending.group.state == .completed)
        _ = try await scene.engine.setHooks(nil, document: [], of: scene.bucket.id)
        await scene.engine.runSchedules(at: Timestamp(seconds: later.seconds + 370 * 86_400))
        #expect(try await scene.store.events(after: 0, limit: 10).count == 1)
        await scene.close()
    }

    @Test func `what was set is not undone by a look at what was there before`() async throws {
        let scene = try await Scene()
        let hooks = scene.engine.hooks
        let former = try #require(try await hooks.rules(of: scene.bucket.id))
        _ = try await hooks.set(nil, document: [], of: scene.bucket.id)
        hooks.remember(HookDirectory.Present(revision: former.revision, rules: former), of: scene.bucket.id)
        #expect(try await hooks.rules(of: scene.bucket.id) == nil)
        await scene.close()
    }

    @Test func `a chain of hooks that is too long is dead from its beginning, with the reason`() async throws {
        let scene = try await Scene()
        let rules = try #require(try await scene.engine.hooks.rules(of: scene.bucket.id))
        var draft = EventDraft(
            name: .createdPut, bucketName: scene.bucket.name, principal: "alice", customer: nil,
            revision: rules.revision)
        draft.hooks = [EventHook(name: "h", isTooDeep: true)]
        _ = try await scene.store.publish(
            NewVersion(
                bucket: scene.bucket.id, key: try #require(ObjectKey("deep".utf8)), owner: "alice", size: 1,
                etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: ObjectAttributes(), checksum: nil,
                tags: [],
                content: .empty, event: draft))
        scene.engine.notice()
        var dead: [Job] = []
        while dead.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
            dead = try await scene.store.deadJobs(after: nil, limit: 10)
        }
        #expect(dead[0].reason.contains("depth 8"))
        #expect(try await scene.claim(wait: .milliseconds(50)).isEmpty)
        await scene.close()
    }

    @Test func `a claim that names no queue takes jobs of all of them`() async throws {
        let scene = try await Scene(#""queue": "films", "steps": {"a": {"probe": true}}"#)
        try await scene.put("a")
        let jobs = try await scene.engine.claim(worker: "w", queues: [], countMax: 1, wait: .seconds(30))
        #expect(jobs.map(\.job.queue) == ["films"])
        // Of a queue that no hook names any more.
        try await scene.put("b")
        try await scene.set(#""queue": "pictures", "steps": {"a": {"probe": true}}"#)
        let others = try await scene.engine.claim(worker: "w", queues: [], countMax: 1, wait: .seconds(30))
        #expect(others.map(\.job.queue) == ["films"])
        await scene.close()
    }

    @Test func `the jobs of a worker that is known to have ended are ready again at once`() async throws {
        let scene = try await Scene(
            #""steps": {"a": {"probe": true, "retry": {"backoff": {"kind": "constant", "base": "1ms"}}}}"#)
        for key in ["a", "b"] { try await scene.put(key) }
        func claim(_ worker: String) async throws -> LeasedJob {
            let jobs = try await scene.engine.claim(worker: worker, queues: [], countMax: 1, wait: .seconds(30))
            return try #require(jobs.first)
        }
        let (killed, other) = (try await claim("serve/1"), try await claim("local/1"))
        await scene.engine.workersEnded(isCrash: true) { $0.hasPrefix("serve/") }
        #expect(try await !scene.engine.renew(killed.job.id, token: killed.job.token, progress: nil))
        #expect(try await scene.engine.renew(other.job.id, token: other.job.token, progress: nil))
        let again = try await claim("serve/2")
        #expect(again.job.id == killed.job.id && again.job.attempt == 2 && again.job.crashCount == 1)
        await scene.engine.workersEnded(isCrash: false) { $0.hasPrefix("serve/") }
        let third = try await claim("serve/3")
        #expect(third.job.id == killed.job.id && third.job.attempt == 2 && third.job.crashCount == 1)
        #expect(scene.engine.leaseCount(of: "serve/3") == 1 && scene.engine.leaseCount(of: "serve/1") == 0)
        await scene.close()
    }
}
