import Bytes
import Files
import Glibc
import Metadata
import TestSupport
import Testing
import Threads

/// A `SQLiteStore` in a folder of its own.
struct Embedded {
    let folder: TemporaryFolder
    let data: DataFolder
    let store: SQLiteStore
    var subject: Subject { Subject(store: store) }

    static let pool = Pool()

    init(
        folder: TemporaryFolder? = nil, configuration: SQLiteStoreConfiguration = SQLiteStoreConfiguration(),
        barrier: @escaping @Sendable ([BlobID]) throws -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        data = try DataFolder.open(self.folder.path + "/store")
        store = try SQLiteStore.open(data, pool: Self.pool, configuration: configuration, barrier: barrier)
    }

    func close() async {
        await store.close()
        data.close()
    }
}

@Suite struct SQLiteStoreTests {
    @Test("The contract", arguments: ContractCase.all)
    func contract(_ behaviour: ContractCase) async throws {
        let embedded = try Embedded()
        try await behaviour.body(embedded.subject)
        await embedded.close()
    }

    @Test func `what queues up during a commit is one batch with one call of the barrier`() async throws {
        let calls: Lock<[[BlobID]]> = Lock([])
        let opened: Lock<SQLiteStore?> = Lock(nil)
        let embedded = try Embedded { blobs in
            calls.withLock { $0.append(blobs) }
            if blobs == [BlobID(1)] { Self.wait { opened.withLock { $0?.statistics.queueDepth ?? 0 } >= 99 } }
        }
        opened.withLock { $0 = embedded.store }
        let subject = embedded.subject
        let bucket = try await subject.bucket()
        let before = embedded.store.statistics
        async let first = subject.put("first", in: bucket, blob: 1)
        while calls.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 2...100 {
                group.addTask { try await subject.put("k\(index)", in: bucket, blob: UInt64(index)) }
            }
            try await group.waitForAll()
        }
        _ = try await first
        let after = embedded.store.statistics
        #expect(after.batches - before.batches == 2 && after.commits - before.commits == 100)
        #expect(after.largestBatch == 99 && after.queueDepth == 0)
        #expect(calls.withLock { $0.map { Set($0) } } == [[BlobID(1)], Set((2...100).map { BlobID($0) })])
        opened.withLock { $0 = nil }
    }

    @Test func `a batch is no longer than the setting and a full queue refuses`() async throws {
        let opened: Lock<SQLiteStore?> = Lock(nil)
        let hasBegun = Lock(false)
        var configuration = SQLiteStoreConfiguration()
        configuration.batchLengthMax = 4
        configuration.queueLengthMax = 10
        let embedded = try Embedded(configuration: configuration) { blobs in
            hasBegun.withLock { $0 = true }
            if blobs == [BlobID(1)] { Self.wait { opened.withLock { $0?.statistics.queueDepth ?? 0 } >= 10 } }
        }
        opened.withLock { $0 = embedded.store }
        let subject = embedded.subject
        let bucket = try await subject.bucket()
        async let first = subject.put("first", in: bucket, blob: 1)
        while !hasBegun.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
        await withTaskGroup(of: Void.self) { group in
            for index in 2...11 {
                group.addTask { _ = try? await subject.put("k", in: bucket, blob: UInt64(index)) }
            }
        }
        _ = try await first
        #expect(embedded.store.statistics.largestBatch == 4)
        #expect(embedded.store.statistics.refusals == 0)
        opened.withLock { $0 = nil }
    }

    @Test func `a thousand deletes at once share four commits`() async throws {
        let opened: Lock<SQLiteStore?> = Lock(nil)
        let hasBegun = Lock(false)
        let embedded = try Embedded { blobs in
            hasBegun.withLock { $0 = true }
            if blobs == [BlobID(1)] { Self.wait { opened.withLock { $0?.statistics.queueDepth ?? 0 } >= 1000 } }
        }
        opened.withLock { $0 = embedded.store }
        let subject = embedded.subject
        let bucket = try await subject.bucket()
        let before = embedded.store.statistics
        // A commit that lasts until all of them wait.
        async let first = subject.put("first", in: bucket, blob: 1)
        while !hasBegun.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
        let requests = (0..<1000).map {
            DeleteRequest(bucket: bucket, key: .of("k\($0)"), version: nil, owner: "alice")
        }
        let results = await embedded.store.delete(requests)
        _ = try await first
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        let after = embedded.store.statistics
        #expect(after.batches - before.batches == 1 + 4 && after.largestBatch == 256)
        #expect(after.commits - before.commits == 1001)
        opened.withLock { $0 = nil }
    }

    @Test func `a failed barrier undoes the batch, and the store goes on`() async throws {
        struct Refused: Error {}
        let told: Lock<[String]> = Lock([])
        var configuration = SQLiteStoreConfiguration()
        configuration.onFatal = { reason in told.withLock { $0.append(reason) } }
        let folder: TemporaryFolder
        let bucket: BucketID
        do {
            let embedded = try Embedded(configuration: configuration) { blobs in
                if blobs.contains(BlobID(13)) { throw Refused() }
            }
            folder = embedded.folder
            bucket = try await embedded.subject.bucket()
            try await embedded.subject.put("kept", in: bucket, blob: 1)
            for _ in 0..<2 {
                await #expect {
                    try await embedded.subject.put("lost", in: bucket, blob: 13)
                } throws: { error in
                    switch error as? MetadataError {
                    case .unavailable, .broken: true
                    default: false
                    }
                }
            }
            #expect(told.withLock { $0.count } == 0)
            #expect(try await embedded.subject.get("kept", in: bucket) != nil)
            try await embedded.subject.put("later", in: bucket, blob: 14)
            await embedded.close()
        }
        let reopened = try Embedded(folder: folder)
        #expect(try await reopened.subject.list(bucket).keys == ["kept", "later"])
    }

    @Test func `a refused request of a batch takes none of its neighbours along`() async throws {
        let embedded = try Embedded()
        let subject = embedded.subject
        let bucket = try await subject.bucket()
        var ifAbsent = WriteConditions()
        ifAbsent.ifNoneMatch = .any
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask { [ifAbsent] in
                    _ = try? await subject.put("k\(index / 2)", in: bucket, conditions: ifAbsent)
                }
            }
        }
        #expect(try await subject.list(bucket).keys.count == 100)
        #expect(embedded.store.statistics.refusals == 100)
    }

    @Test func `reopening finds buckets, users and numbers where they were`() async throws {
        let folder = try TemporaryFolder()
        let user = User(
            name: "alice", accessKey: [65, 66, 67], sealedSecret: [], policy: .admin, customer: nil, isDisabled: false,
            created: .fixed)
        let name = Subject.name()
        var bucket: Bucket
        var made: ObjectVersion
        do {
            let embedded = try Embedded(folder: folder)
            try await embedded.store.addUser(user)
            bucket = try await embedded.store.createBucket(named: name, owner: "alice", at: .fixed)
            try await embedded.store.configure(bucket.id, .tags, with: [1, 2])
            bucket = try #require(try await embedded.store.bucket(named: name))
            made = try await embedded.subject.put("k", in: bucket.id)
            try await embedded.subject.delete("k", in: bucket.id)
            await embedded.close()
        }
        let reopened = try Embedded(folder: folder)
        #expect(try await reopened.store.user(accessKey: user.accessKey) == user)
        #expect(try await reopened.store.bucket(named: name) == bucket && bucket.configuration[.tags] == [1, 2])
        #expect(try await reopened.subject.get("k", in: bucket.id) == nil)
        let next = try await reopened.subject.put("k", in: bucket.id)
        #expect(next.sequence > made.sequence)
    }

    @Test func `the result of a Complete is forgotten after 48 hours`() async throws {
        let now = Lock(Timestamp.fixed)
        var configuration = SQLiteStoreConfiguration()
        configuration.clock = { now.withLock { $0 } }
        let embedded = try Embedded(configuration: configuration)
        let subject = embedded.subject
        let bucket = try await subject.bucket()
        let upload = try await subject.beginUpload("k", in: bucket)
        let part = try await subject.putPart(1, of: upload)
        let made = try await subject.complete(upload, [part])
        now.withLock { $0.milliseconds += 48 * 3_600_000 }
        #expect(try await subject.complete(upload, [part]) == made)
        now.withLock { $0.milliseconds += 1 }
        await #expect(throws: MetadataError.noSuchUpload) { _ = try await subject.complete(upload, [part]) }
        now.withLock { $0.milliseconds -= 1 }
        try await subject.put("other", in: bucket)
        #expect(try await subject.complete(upload, [part]) == made)
        now.withLock { $0.milliseconds += 3_600_000 }
        try await subject.put("other", in: bucket)
        now.withLock { $0 = .fixed }
        await #expect(throws: MetadataError.noSuchUpload) { _ = try await subject.complete(upload, [part]) }
    }

    @Test func `more buckets or users than the limit are refused`() async throws {
        var configuration = SQLiteStoreConfiguration()
        configuration.bucketCountMax = 1
        configuration.userCountMax = 0
        let embedded = try Embedded(configuration: configuration)
        _ = try await embedded.subject.bucket()
        await #expect(throws: MetadataError.limitExceeded("1 buckets")) { _ = try await embedded.subject.bucket() }
        await #expect(throws: MetadataError.limitExceeded("0 users")) {
            try await embedded.store.addUser(
                User(
                    name: "a", accessKey: [], sealedSecret: [], policy: .admin, customer: nil, isDisabled: false,
                    created: .fixed))
        }
    }

    @Test func `a closed store refuses reads and writes`() async throws {
        let embedded = try Embedded()
        let bucket = try await embedded.subject.bucket()
        await embedded.close()
        await #expect(throws: MetadataError.overloaded("the store is closed")) {
            try await embedded.subject.put("k", in: bucket)
        }
        await #expect(throws: MetadataError.unavailable("the store is closed")) {
            _ = try await embedded.subject.get("k", in: bucket)
        }
    }

    /// On a thread of the store's pool. Until `isTrue`, or a minute has gone by, after which the test's expectations fail.
    static func wait(until isTrue: () -> Bool) {
        for _ in 0..<60_000 where !isTrue() { usleep(1000) }
    }
}
