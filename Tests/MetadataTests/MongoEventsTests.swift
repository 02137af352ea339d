import Metadata
import Mongo
import TestMongo
import Testing
import Threads

/// Events and jobs of several gateways on one database.
@Suite struct MongoEventsTests {
    /// Two gateways with a versioned bucket, whose objects set off a hook of one step.
    struct Scene: Sendable {
        let one: Shared
        let two: Shared
        let bucket: BucketID

        init(server: MongoServer? = nil, relays: Bool = true, patience: Duration = .seconds(10)) async throws {
            one = try await Shared(server: server) { $0.patience = patience }
            two = try await Shared(server: server, database: one.database) { $0.patience = patience }
            bucket = try await one.subject.bucket(.enabled)
            if relays { for shared in [one, two] { shared.store.startRelay() } }
        }

        func store(_ number: Int) -> MongoStore { number.isMultiple(of: 2) ? one.store : two.store }

        func new(_ key: String, event: EventDraft? = nil) -> NewVersion {
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: 10, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(Blobs.next())),
                event: event)
        }

        @discardableResult
        func put(_ key: String, through number: Int = 0) async throws -> ObjectVersion {
            var draft = EventDraft.test
            draft.hooks = [EventHook(name: "h")]
            return try await store(number).publish(new(key, event: draft))
        }

        /// Plans what is there through one gateway. Returns the groups, where it was the quicker one.
        func plan(through number: Int = 0) async throws -> [JobGroup] {
            let store = store(number)
            let former = try await store.plannedEvents()
            let events = try await store.events(after: former, limit: 50)
            guard let last = events.last else { return [] }
            let groups = events.filter { !$0.draft.hooks.isEmpty }.map { event in
                JobGroup(
                    id: JobID(at: .fixed), event: event, hook: "h", queue: "default", lane: [1], rank: 0,
                    steps: [.init(name: "s", kind: "probe", after: nil, proceeds: false)], notify: ["webhook:x"],
                    created: .fixed)
            }
            return try await store.planJobs(after: former, through: last.position, groups) != nil ? groups : []
        }

        func claim(_ count: Int = 1, through number: Int = 0, for period: Duration = .seconds(30)) async throws
            -> [LeasedJob]
        {
            var claim = JobClaim(worker: "w\(number)", queues: ["default"], countMax: count)
            claim.leasePeriod = period
            return try await store(number).claimJobs(claim)
        }

        func close() throws {
            two.store.close()
            try one.drop()
        }
    }

    @Test func `events of two gateways get one order, each once, those of a key in the order of its changes`()
        async throws
    {
        let scene = try await Scene()
        let isOver = Lock(false)
        // A reader that goes by the other gateway, while writers go on.
        let read: Lock<[ObjectEvent]> = Lock([])
        let readers = Lock(2)
        for reader in 0..<2 {
            Shared.pool.run {
                var (after, seen): (Int64, [ObjectEvent]) = (0, [])
                while true {
                    let wasOver = isOver.withLock { $0 }
                    guard let page = try? await scene.store(reader).events(after: after, limit: 7) else { break }
                    seen += page
                    after = page.last?.position ?? after
                    if wasOver, page.isEmpty { break }
                }
                let all = seen
                if reader == 1 { read.withLock { $0 = all } }
                readers.withLock { $0 -= 1 }
            }
        }
        let made = try await MongoRaceTests.race(200) { index in
            try await scene.put("k\(index % 5)", through: index)
        }
        // What the other gateway wrote is moved within a moment.
        try await Task.sleep(for: .milliseconds(500))
        isOver.withLock { $0 = true }
        while readers.withLock({ $0 }) > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let events = read.withLock { $0 }
        #expect(Set(events.map(\.versionID)) == Set(made.map(\.versionID)) && events.count == 200)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.position < $1.position })
        for (key, own) in Dictionary(grouping: events, by: \.key) {
            #expect(own.map(\.sequence) == own.map(\.sequence).sorted(), "\(key.text)")
        }
        #expect(try await scene.one.store.events(after: 0, limit: 1_000) == events)
        try scene.close()
    }

    @Test func `a batch whose gateway died before it ended it is ended by the next, and nothing comes twice`()
        async throws
    {
        let scene = try await Scene(relays: false)
        try await scene.put("a")
        try await scene.put("b")
        let events = try await scene.one.store.events(after: 0, limit: 10)
        let plain = try scene.one.plain()
        let head = try #require(
            try plain.findOne(["_id": ["b": .int64(scene.bucket.value), "k": "a"]], in: "heads"))
        // As after the insert of the batch, with the event still in its head.
        let entry = try #require(
            try plain.findOne([:], in: "events")?["e"]?.array?.compactMap(\.document).first)
        try plain.update(
            [
                MongoDatabase.Update(
                    ["_id": ["b": .int64(scene.bucket.value), "k": "a"]],
                    .document(["$set": ["events": [.raw(entry)], "told": .date(1)]]))
            ], in: "heads")
        let place: BSONValue = [
            "c": "h", "i": .raw(try #require(head["_id"]?.document)), "s": .int64(entry["s"]?.integer ?? 0), "n": 1,
        ]
        try plain.update(
            [MongoDatabase.Update(["e.0": ["$exists": true]], .document(["$set": ["open": true, "from": [place]]]))],
            in: "events")
        try await scene.put("c", through: 1)
        let found = try await scene.two.store.events(after: 0, limit: 10)
        #expect(found.map(\.key.text).sorted() == ["a", "b", "c"] && Array(found.prefix(2)) == events)
        #expect(try plain.findOne(["told": ["$exists": true]], in: "heads") == nil)
        try scene.close()
    }

    @Test func `the last event is the last that any gateway had committed, though that one is gone`() async throws {
        let scene = try await Scene(relays: false)
        try await scene.put("a", through: 1)
        scene.two.store.close()
        #expect(try await scene.one.store.lastEvent() > 0)
        #expect(try await scene.one.store.events(after: 0, limit: 10).map(\.key.text) == ["a"])
        try scene.one.drop()
    }

    @Test func `a key that goes takes no event with it`() async throws {
        let scene = try await Scene()
        let bucket = try await scene.one.subject.bucket()
        var draft = EventDraft.test
        draft.name = .removedDelete
        for key in 0..<20 {
            _ = try await scene.one.subject.put("k\(key)", in: bucket)
            _ = try await scene.two.store.delete(
                DeleteRequest(bucket: bucket, key: .of("k\(key)"), version: nil, owner: "alice", event: draft))
        }
        #expect(try await scene.two.store.events(after: 0, limit: 100).count == 20)
        // All of them may go in the end.
        let plain = try scene.one.plain()
        let deadline = ContinuousClock.now + .seconds(30)
        func goneCount() throws -> Int {
            try plain.find(
                MongoDatabase.Query(["_id.b": .int64(bucket.value), "gone": ["$exists": true]], limit: 100),
                in: "heads"
            ).documents.count
        }
        while try goneCount() < 20, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try goneCount() == 20)
        try scene.close()
    }

    @Test func `a key takes more changes than a head holds events`() async throws {
        let scene = try await Scene(relays: false)
        _ = try await MongoRaceTests.race(300) { index in try await scene.put("hot", through: index) }
        for number in 0..<2 { _ = try await scene.store(number).events(after: 0, limit: 1) }
        let events = try await scene.one.store.events(after: 0, limit: 1_000)
        #expect(events.count == 300 && events.map(\.sequence) == events.map(\.sequence).sorted())
        try scene.close()
    }

    @Test func `jobs that two gateways plan and claim at once are made once and run once`() async throws {
        let scene = try await Scene()
        _ = try await MongoRaceTests.race(60) { index in try await scene.put("k\(index)", through: index) }
        let planned = Lock(0)
        let ran: Lock<[JobID]> = Lock([])
        _ = try await MongoRaceTests.race(8) { worker in
            let deadline = ContinuousClock.now + .seconds(60)
            while ran.withLock({ $0.count }) < 60, ContinuousClock.now < deadline {
                let groups = try await scene.plan(through: worker)
                planned.withLock { $0 += groups.count }
                for leased in try await scene.claim(3, through: worker) {
                    // The lease is the store's: another gateway may take the end.
                    let file = scene.new("derived/\(leased.group.event.key.text)")
                    let ending = try await scene.store(worker + 1).completeJob(
                        JobCompletion(
                            job: leased.job.id, token: leased.job.token, files: [(name: "f", version: file)]))
                    #expect(!ending.isRepeated && ending.group.state == .completed)
                    ran.withLock { $0.append(leased.group.id) }
                }
            }
        }
        let runs = ran.withLock { $0 }
        #expect(Set(runs).count == 60 && runs.count == 60)
        let groups = try await scene.one.store.jobGroups(before: nil, limit: 1_000)
        #expect(
            groups.count == 60 && planned.withLock { $0 } == 60
                && Set(groups.map(\.event.position)).count == groups.count)
        for key in 0..<60 {
            let versions = try await scene.one.subject.listVersions(scene.bucket, prefix: "derived/k\(key)")
            #expect(versions.versions.filter { $0.key.text == "derived/k\(key)" }.count == 1)
        }
        try scene.close()
    }

    @Test func `a source is removed or a job is completed, and its file is there only with its end`() async throws {
        let scene = try await Scene()
        for round in 0..<20 {
            let version = try await scene.put("a\(round)")
            while try await scene.plan().isEmpty {}
            let leased = try #require(
                try await scene.claim(100).first { $0.group.event.versionID == version.versionID })
            let file = scene.new("derived-\(round)")
            let outcomes = try await MongoRaceTests.race(2) { index in
                if index == 0 {
                    _ = try await scene.two.store.delete(
                        DeleteRequest(
                            bucket: scene.bucket, key: version.key, version: version.versionID, owner: "alice"))
                    return false
                }
                do {
                    _ = try await scene.one.store.completeJob(
                        JobCompletion(
                            job: leased.job.id, token: leased.job.token, files: [(name: "f", version: file)]))
                    return true
                } catch MetadataError.sourceGone { return false }
            }
            let isThere = try await scene.two.subject.get("derived-\(round)", in: scene.bucket) != nil
            #expect(isThere == outcomes.contains(true))
            let job = try #require(try await scene.two.store.job(leased.job.id))
            #expect(job.state == (isThere ? .completed : .leased))
        }
        try scene.close()
    }

    @Test func `a lease ends by the store's clock, unless any gateway renews it`() async throws {
        let scene = try await Scene()
        try await scene.put("a")
        _ = try await scene.plan()
        let leased = try #require(try await scene.claim(for: .milliseconds(300)).first)
        let (id, token) = (leased.job.id, leased.job.token)
        #expect(try await scene.two.store.endedLeases(limit: 10).isEmpty)
        #expect(try await scene.two.store.renewLease(of: id, token: token, for: .seconds(3600)))
        #expect(try await !scene.two.store.renewLease(of: id, token: [1], for: .seconds(3600)))
        try await Task.sleep(for: .milliseconds(400))
        #expect(try await scene.one.store.endedLeases(limit: 10).isEmpty)
        #expect(try await scene.one.store.renewLease(of: id, token: token, for: .milliseconds(1)))
        try await Task.sleep(for: .milliseconds(50))
        let ended = try await scene.two.store.endedLeases(limit: 10)
        #expect(ended.map(\.leased.job.id) == [id] && ended.first?.isDoubtful == false)
        _ = try await scene.two.store.endTry(
            JobFailure(job: id, token: token, next: .giveBack, reason: "nobody was heard"))
        #expect(try await !scene.one.store.renewLease(of: id, token: token, for: .seconds(1)))
        var doubtful = JobClaim(worker: "w", queues: ["default"], countMax: 1)
        (doubtful.leasePeriod, doubtful.isConfirmed) = (.milliseconds(1), false)
        _ = try await scene.one.store.claimJobs(doubtful)
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await scene.one.store.endedLeases(limit: 10).map(\.isDoubtful) == [true])
        try scene.close()
    }

    @Test func `a duty is one gateway's until its time is over or it lets go`() async throws {
        let scene = try await Scene(relays: false)
        let (one, two) = (scene.one.store, scene.two.store)
        #expect(try await one.takeDuty("x", for: .seconds(3600)))
        #expect(try await one.takeDuty("x", for: .seconds(3600)))
        #expect(try await !two.takeDuty("x", for: .seconds(3600)))
        #expect(try await two.takeDuty("y", for: .seconds(3600)))
        try await two.endDuty("x")
        #expect(try await !two.takeDuty("x", for: .seconds(3600)))
        try await one.endDuty("x")
        #expect(try await two.takeDuty("x", for: .milliseconds(1)))
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await one.takeDuty("x", for: .seconds(3600)))
        try scene.close()
    }

    /// How a command fails, and what is then made once all the same.
    @Test(arguments: ["insert", "update", "findAndModify", "commitTransaction", "find"])
    func `whatever answer is lost, an event is told once and a job runs once`(command: String) async throws {
        let server = try MongoServer.start()
        let failures: [BSONDocument] = [
            ["closeConnection": true], ["errorCode": 10_107], ["errorCode": 189],
            ["writeConcernError": ["code": 91, "errmsg": "stops"]],
        ]
        for failure in failures {
            // On a busy machine one attempt may take seconds.
            let scene = try await Scene(server: server, relays: false, patience: .seconds(60))
            func fail() throws {
                switch command {
                case "insert": try server.fail("insert", times: 2, failure)
                case "update": try server.fail("update", times: 2, failure)
                case "findAndModify": try server.fail("findAndModify", times: 2, failure)
                case "commitTransaction": try server.fail("commitTransaction", times: 2, failure)
                default: try server.fail("find", times: 2, failure)
                }
            }
            try fail()
            let version = try await scene.put("a")
            try fail()
            let events = try await scene.one.store.events(after: 0, limit: 10)
            #expect(events.map(\.versionID) == [version.versionID])
            try fail()
            let groups = try await scene.plan()
            #expect(groups.count == 1)
            try fail()
            let leased = try await scene.claim(10)
            #expect(leased.map(\.group.id) == groups.map(\.id))
            try fail()
            let job = try #require(leased.first).job
            let ending = try await scene.one.store.completeJob(
                JobCompletion(job: job.id, token: job.token, files: [(name: "f", version: scene.new("derived"))]))
            #expect(!ending.isRepeated && ending.group.state == .completed)
            try server.fail("ping", times: 0, failure)
            let derived = try await scene.one.subject.listVersions(scene.bucket, prefix: "derived").versions
            #expect(derived.count == 1)
            let all = try await scene.one.store.events(after: 0, limit: 10)
            #expect(all.map(\.draft.name) == [.createdPut, .jobFinished])
            try scene.close()
        }
        server.stop()
    }
}
