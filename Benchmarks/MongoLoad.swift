import Buckets
import Bytes
import Digests
import Files
import Glibc
import LoadClient
import Metadata
import Mongo
import Synchronization
import Threads

/// The settings of a load on MongoDB, and each of its ways of writing.
struct MongoLoad: Sendable {
    let threads: Int
    let keys: Int
    let pool: Pool
    let store: MongoStore
    private let seconds: Int
    private let database: MongoDatabase
    /// Nil without a folder.
    private let objects: ObjectStore?
    /// About what a version's document holds.
    private let content = Content.bytes(300)
    private let body: [UInt8]

    init(_ arguments: Arguments, isFilled: Bool = false) throws {
        threads = try arguments.number("threads", default: 16)
        seconds = try arguments.number("seconds", default: 3)
        keys = try arguments.number("keys", default: 1_000_000)
        body = Content.bytes(try arguments.number("size", default: 4_096))
        let text = try arguments.text("uri")
        let uri = try MongoURI.parse(text, serverSelection_ms: 5_000, socket_ms: 30_000)
        guard let name = uri.database else { throw ClientError("--uri names no database") }
        database = MongoDatabase(
            try MongoClients.open(uri, countMax: threads), name: name, majorityWait: .seconds(10))
        if !isFilled { _ = try database.run(["dropDatabase": 1]) }
        var configuration = MongoStoreConfiguration(uri: text)
        configuration.clientCountMax = threads + 4
        configuration.bucketLease = .milliseconds(100)
        let pool = try Pool.start()
        self.pool = pool
        let settings = configuration
        guard arguments.names.contains("folder") else {
            objects = nil
            store = try Self.wait(on: pool) { try await MongoStore.open(settings, pool: pool) }
            return
        }
        let folder = try DataFolder.open(try arguments.text("folder"), hasLog: false)
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.inlineBytesMax = try arguments.number("inline", default: MongoStore.contentBytesMax)
        let blobs = try LocalBlobs.open(folder, configuration: blobsConfiguration)
        let store = try Self.wait(on: pool) {
            // Blobs of the loads without files have high numbers.
            try await MongoStore.open(
                settings, pool: pool, barrier: { try blobs.makeDurable($0.filter { $0.value < 1 << 61 }) })
        }
        self.store = store
        objects = ObjectStore(metadata: store, blobs: blobs, segments: nil, pool: pool)
    }

    func prepare() throws {
        // A collection that is made within the time of a transaction ends it.
        for collection in ["t_heads", "t_versions", "t_events", "t_jobs"] as [StaticString] {
            try database.insert([["_id": 0]], into: collection)
        }
        let bucket = try bucket()
        try Self.wait(on: pool) { try await store.setVersioning(.enabled, of: bucket) }
        store.startRelay()
    }

    func close(keepsDatabase: Bool = false) {
        store.close()
        if !keepsDatabase { _ = try? database.run(["dropDatabase": 1]) }
    }

    /// The bucket of all loads.
    func bucket() throws -> BucketID {
        guard let name = BucketName("bench".utf8) else { throw ClientError("no bucket") }
        return try Self.wait(on: pool) {
            if let found = try await store.bucket(named: name) { return found.id }
            return try await store.createBucket(named: name, owner: "bench", at: .now()).id
        }
    }

    func run(_ kind: String) throws -> Timings {
        let words = kind.split(separator: "-")
        let (isHot, isAgain) = (words.first == "hot", words.first == "again")
        let name = String(words.last ?? "")
        // Ids of one run are not those of the next.
        let run = UInt64.random(in: 0...UInt64.max)
        @Sendable func key(_ worker: Int, _ step: Int) -> String {
            if isHot { return "hot" }
            let number = (worker &* 7_919 &+ step &* 104_729) % keys
            // New keys are new in every round; others are written over and over.
            return isAgain ? "key-\(number % 2_000)" : "key-\(run)-\(number)"
        }
        switch name {
        case "insert":
            return try onThreads { worker, step in
                try database.insert(
                    [["_id": .text("\(run)-\(worker)-\(step)"), "d": .binary(content)]], into: "inserts")
            }
        case "transaction": return try onThreads { try transact(key($0, $1), "\(run)-\($0)-\($1)") }
        case "head":
            let bucket = try bucket()
            return try onPool { worker, step in _ = try await store.publish(version(key(worker, step), in: bucket)) }
        case "put":
            guard let objects else { throw ClientError("put wants --folder") }
            let bucket = try bucket()
            return try onPool { try await put(key($0, $1), in: bucket, objects) }
        default: throw ClientError("\(kind): expected insert, put, head or transaction, or again- or hot- before it")
        }
    }

    private func onThreads(_ body: @escaping @Sendable (Int, Int) throws -> Void) throws -> Timings {
        let end = Monotonic.nanoseconds + UInt64(seconds) * 1_000_000_000
        return Timings.joined(
            try ClientThreads.run(threads) { worker in
                var timings = Timings()
                var step = 0
                while Monotonic.nanoseconds < end {
                    step += 1
                    try timings.measure { try body(worker, step) }
                }
                return timings
            })
    }

    /// As many tasks as threads elsewhere.
    private func onPool(_ body: @escaping @Sendable (Int, Int) async throws -> Void) throws -> Timings {
        let end = Monotonic.nanoseconds + UInt64(seconds) * 1_000_000_000
        let all: Lock<[Result<Timings, any Error>]> = Lock([])
        for worker in 0..<threads {
            pool.run {
                var timings = Timings()
                var failure: (any Error)?
                var step = 0
                while failure == nil, Monotonic.nanoseconds < end {
                    step += 1
                    let before = Monotonic.nanoseconds
                    do { try await body(worker, step) } catch { failure = error }
                    timings.add(Monotonic.nanoseconds - before)
                }
                let result: Result<Timings, any Error> = if let failure { .failure(failure) } else { .success(timings) }
                all.withLock { $0.append(result) }
            }
        }
        while all.withLock({ $0.count }) < threads { usleep(1_000) }
        return Timings.joined(try all.withLock { $0 }.map { try $0.get() })
    }

    private func put(_ name: String, in bucket: BucketID, _ objects: ObjectStore) async throws {
        let staged = try await objects.stage(Self.source(body), digests: [.md5], sizeMax: 1 << 20)
        var new = try version(name, in: bucket)
        new.etag = ETag(md5: staged.digests[.md5] ?? [])
        _ = try await objects.publish(staged, as: new)
    }

    private static func source(_ bytes: [UInt8]) -> ByteSource {
        let isRead = Lock(false)
        return ByteSource { consume in
            if isRead.withLock({ $0 }) { return false }
            isRead.withLock { $0 = true }
            try consume(bytes.span)
            return true
        }
    }

    private func version(_ key: String, in bucket: BucketID) throws -> NewVersion {
        guard let key = ObjectKey(key.utf8) else { throw ClientError("no key") }
        var attributes = ObjectAttributes()
        attributes.contentType = [UInt8]("application/octet-stream".utf8)
        // Far above those that are given.
        let blob = BlobID(UInt64.random(in: (1 << 61)...(1 << 62)))
        return NewVersion(
            bucket: bucket, key: key, owner: "bench", size: 4_096, etag: ETag(md5: [UInt8](content.prefix(16))),
            attributes: attributes, checksum: nil, tags: [], content: .blob(blob),
            blob: NewBlob(id: blob, size: 4_096, crc32c: 1, bytes: nil))
    }

    /// What the head document and its outbox do in one update, as a transaction.
    private func transact(_ key: String, _ name: String) throws {
        let id = BSONValue.text(name)
        func insert(_ collection: BSONValue) -> BSONDocument {
            ["insert": collection, "documents": [["_id": id, "d": .binary(content)]]]
        }
        let head: BSONDocument = [
            "update": "t_heads",
            "updates": [
                ["q": ["_id": .text(key)], "u": ["$set": ["d": .binary(content)], "$inc": ["seq": 1]], "upsert": true]
            ],
        ]
        while true {
            do throws(MongoError) {
                return try database.transact([head, insert("t_versions"), insert("t_events"), insert("t_jobs")])
            } catch {
                guard error == .writeConflict else { throw error }
            }
        }
    }

    /// Makes `keys` keys in folders of 1,000: one is published, and the others are inserted as copies of its head.
    func fill() throws {
        let bucket = try bucket()
        let model = try Self.wait(on: pool) {
            _ = try await store.publish(version("model", in: bucket))
            return try database.findOne(["_id.k": "model"], in: "heads")
        }
        guard let model, let latest = model["latest"]?.document else { throw ClientError("no head") }
        let next = Atomic<Int>(0)
        _ = try ClientThreads.run(threads) { _ in
            while true {
                let folder = next.add(1, ordering: .relaxed).oldValue
                if folder >= max(1, keys / 1_000) { return }
                let heads = (0..<1_000).map { index -> BSONDocument in
                    let key = BSONValue.text("folder-\(1_000_000 + folder)/file-\(1_000_000 + index)")
                    return [
                        "_id": ["b": .int64(bucket.value), "k": key], "seq": .int64(1), "latest": .raw(latest),
                        "live": true,
                    ]
                }
                try database.insert(heads, into: "heads")
            }
        }
        try Self.wait(on: pool) {
            guard let key = ObjectKey("model".utf8) else { return }
            let id = try await store.version(of: key, in: bucket, version: nil)?.versionID
            _ = try await store.delete(DeleteRequest(bucket: bucket, key: key, version: id, owner: "bench"))
        }
    }

    /// Runs `body` on the pool and waits for it on this thread.
    static func wait<Value: Sendable>(
        on pool: Pool, _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome: Lock<Result<Value, any Error>?> = Lock(nil)
        pool.run {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
        }
        while true {
            if let result = outcome.withLock({ $0 }) { return try result.get() }
            usleep(200)
        }
    }
}
