import Bytes
import JSON
import Metadata
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Hooks

/// The engines of several gateways over one database of MongoDB.
@Suite struct SharedEngineTests {
    private struct Scene: Sendable {
        let stores: [MongoStore]
        let engines: [JobEngine]
        let bucket: Bucket
        static let pool = Pool()

        init(
            _ hook: String = #""on": "object.created", "steps": {"a": {"probe": true}}"#,
            lease: Duration = .seconds(30), count: Int = 2
        ) async throws {
            let database = "hooks-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
            var configuration = MongoStoreConfiguration(uri: try MongoServer.shared.uri(database: database))
            configuration.bucketLease = .milliseconds(60)
            configuration.relayInterval = .milliseconds(50)
            var stores: [MongoStore] = []
            for _ in 0..<count { stores.append(try await MongoStore.open(configuration, pool: Self.pool)) }
            let name = try #require(BucketName("photos".utf8))
            let made = try await stores[0].createBucket(named: name, owner: "alice", at: .now())
            try await stores[0].setVersioning(.enabled, of: made.id)
            bucket = try #require(try await stores[0].bucket(named: name))
            var settings = JobEngineConfiguration()
            settings.leasePeriod = lease
            settings.tick = .milliseconds(20)
            var engines: [JobEngine] = []
            for store in stores {
                store.startRelay()
                let engine = JobEngine(
                    store: store, hooks: HookDirectory(store), pool: Self.pool, configuration: settings)
                engine.observe { Issue.record("\($0)") }
                try await engine.start()
                engines.append(engine)
            }
            (self.stores, self.engines) = (stores, engines)
            try await set(hook)
        }

        func set(_ members: String, through number: Int = 0) async throws {
            let text = Array(#"{"hooks": [{"name": "h", \#(members)}]}"#.utf8)
            _ = try await engines[number].setHooks(
                try HookConfiguration(parsing: text), document: text, of: bucket.id)
        }

        func put(_ key: String, through number: Int = 0) async throws {
            let rules = try #require(try await engines[number].hooks.rules(of: bucket.id))
            let object = FilteredObject(
                key: Array(key.utf8), size: 1, contentType: nil, tags: [], userMetadata: [], customer: nil)
            var draft = EventDraft(
                name: .createdPut, bucketName: bucket.name, principal: "alice", customer: nil, revision: rules.revision)
            draft.hooks = rules.matches(.createdPut, of: object, in: bucket.id, from: nil)
            _ = try await stores[number].publish(
                NewVersion(
                    bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: "alice", size: 1,
                    etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: ObjectAttributes(), checksum: nil,
                    tags: [], content: .empty, event: draft))
            engines[number].notice()
        }

        func one(through number: Int, confirmedWithin: Duration? = nil) async throws -> LeasedJob {
            try #require(
                try await engines[number].claim(
                    worker: "w", queues: [], countMax: 1, wait: .seconds(30), confirmedWithin: confirmedWithin
                ).first)
        }

        func close() async {
            for engine in engines { await engine.stop() }
            for store in stores { store.close() }
        }
    }

    @Test func `a worker that waits at one gateway gets the job of an object that came to the other`() async throws {
        let scene = try await Scene()
        async let waiting = scene.one(through: 1)
        try await Task.sleep(for: .milliseconds(50))
        try await scene.put("a")
        let job = try await waiting
        #expect(job.group.event.key.text == "a")
        let ending = try await scene.engines[1].complete(JobCompletion(job: job.job.id, token: job.job.token))
        #expect(ending.group.state == .completed)
        await scene.close()
    }

    @Test func `a lease of one gateway is renewed and ended through the other, and ends for both`() async throws {
        let scene = try await Scene()
        try await scene.put("a")
        let job = try await scene.one(through: 0)
        let (id, token) = (job.job.id, job.job.token)
        #expect(try await scene.engines[1].leased(id, token: token) == job)
        #expect(try await scene.engines[1].leased(id, token: [1]) == nil)
        #expect(try await scene.engines[1].renew(id, token: token, progress: JobProgress(stage: "s", fraction: 0.5)))
        #expect(scene.engines[1].progress(of: id)?.fraction == 0.5)
        #expect(try await scene.engines[0].renew(id, token: token, progress: nil))
        _ = try await scene.engines[1].fail(id, token: token, reason: "bad", isPermanent: true)
        #expect(try await !scene.engines[0].renew(id, token: token, progress: nil))
        #expect(scene.engines[0].leaseCount(of: "w") == 0)
        #expect(try await scene.stores[0].deadJobs(after: nil, limit: 10).map(\.id) == [id])
        await scene.close()
    }

    @Test func `a job whose worker is not heard of by any gateway is tried again, and the crash counts once`()
        async throws
    {
        let scene = try await Scene(
            #""on": "object.created", "steps": {"a": {"probe": true, "retry": {"backoff": {"kind": "constant", "base": "10ms"}}}}"#,
            lease: .milliseconds(500))
        // Past the time in which a gateway that has just started takes nobody for dead.
        try await Task.sleep(for: .milliseconds(6_000))
        try await scene.put("a")
        let first = try await scene.one(through: 0)
        let second = try await scene.one(through: 1)
        #expect(second.job.id == first.job.id && second.job.attempt == 2 && second.job.crashCount == 1)
        #expect(try await !scene.engines[0].renew(first.job.id, token: first.job.token, progress: nil))
        await scene.close()
    }

    @Test func `a unique hook's events through two gateways leave one run that waits, and what runs is not disturbed`()
        async throws
    {
        let scene = try await Scene(#""on": "object.created", "unique": true, "steps": {"a": {"probe": true}}"#)
        try await scene.put("a")
        let running = try await scene.one(through: 1)
        for number in 0..<10 { try await scene.put("a", through: number % 2) }
        let key = try #require(ObjectKey("a".utf8))
        let newest = try #require(try await scene.stores[0].version(of: key, in: scene.bucket.id, version: nil))
        while try await scene.stores[0].plannedEvents() < scene.stores[0].lastEvent() {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await scene.stores[0].jobGroups(before: nil, limit: 100).count == 2)
        let next = try await scene.one(through: 0)
        #expect(next.group.event.versionID == newest.versionID)
        for job in [running, next] {
            let ending = try await scene.engines[1].complete(JobCompletion(job: job.job.id, token: job.job.token))
            #expect(ending.group.state == .completed && ending.group.event.versionID == job.group.event.versionID)
        }
        await scene.close()
    }

    @Test func `a job that no worker confirmed costs no try`() async throws {
        let scene = try await Scene(lease: .milliseconds(500))
        try await scene.put("a")
        let first = try await scene.one(through: 0, confirmedWithin: .milliseconds(50))
        let second = try await scene.one(through: 1)
        #expect(second.job.id == first.job.id && second.job.attempt == 1 && second.job.crashCount == 0)
        await scene.close()
    }

    @Test func `hooks that are set at one gateway count at the other when that returns`() async throws {
        let scene = try await Scene()
        #expect(
            try await scene.engines[1].hooks.rules(of: scene.bucket.id)?.configuration.hooks.first?.queue == "default")
        try await scene.set(#""on": "object.created", "queue": "slow", "steps": {"a": {"probe": true}}"#)
        #expect(try await scene.engines[1].hooks.rules(of: scene.bucket.id)?.configuration.hooks.first?.queue == "slow")
        try await scene.put("a", through: 1)
        #expect(try await scene.one(through: 0).job.queue == "slow")
        await scene.close()
    }

    @Test func `no more jobs of a hook run through all gateways than it allows`() async throws {
        let scene = try await Scene(#""on": "object.created", "concurrency": 2, "steps": {"a": {"probe": true}}"#)
        // Both know of the limit before the first claim.
        try await scene.engines[1].prepareChanged()
        for index in 0..<4 { try await scene.put("k\(index)") }
        let held = [try await scene.one(through: 0), try await scene.one(through: 1)]
        for engine in scene.engines {
            let more = try await engine.claim(worker: "w", queues: [], countMax: 5, wait: .milliseconds(50))
            #expect(more.isEmpty)
        }
        _ = try await scene.engines[0].complete(JobCompletion(job: held[0].job.id, token: held[0].job.token))
        #expect(try await scene.one(through: 1).job.id != held[0].job.id)
        await scene.close()
    }

    @Test func `jobs of many objects through three gateways run once each`() async throws {
        let scene = try await Scene(count: 3)
        let ran = Lock<[JobID]>([])
        let workers = Lock(6)
        for worker in 0..<6 {
            Scene.pool.run {
                let engine = scene.engines[worker % 3]
                while ran.withLock({ $0.count }) < 90 {
                    guard
                        let jobs = try? await engine.claim(
                            worker: "w\(worker)", queues: ["default"], countMax: 4, wait: .seconds(5))
                    else { continue }
                    for job in jobs {
                        do {
                            _ = try await engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
                        } catch { Issue.record("\(error)") }
                        ran.withLock { $0.append(job.group.id) }
                    }
                }
                workers.withLock { $0 -= 1 }
            }
        }
        for index in 0..<90 { try await scene.put("k\(index)", through: index % 3) }
        let deadline = ContinuousClock.now + .seconds(60)
        while workers.withLock({ $0 }) > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        let runs = ran.withLock { $0 }
        #expect(runs.count == 90 && Set(runs).count == 90)
        #expect(try await scene.stores[0].jobGroups(before: nil, limit: 200).allSatisfy { $0.state == .completed })
        await scene.close()
    }
}
