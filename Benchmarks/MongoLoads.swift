import Bytes
import Glibc
import LoadClient
import Metadata
import Mongo
import Threads

/// What a change of a key costs in MongoDB, in three ways, beside a bare insert by the same driver.
enum MongoLoads {
    /// `--uri` with a database, which is dropped; `--kind`:
    /// - `insert`: one document by a majority, the least that a durable write costs;
    /// - `head`: `MongoStore.publish` in a versioned bucket, the relay running;
    /// - `transaction`: the head, the former version, an event and a job in one transaction, again until it succeeds.
    ///
    /// `--threads` at once, for `--seconds`, on `--keys` keys (1 is one hot key).
    static func run(_ arguments: Arguments) throws {
        let kind = try arguments.text("kind")
        let load = try Load(arguments)
        let report: String
        switch kind {
        case "insert":
            report = try load.measure { worker, step in
                try load.database.insert(
                    [["_id": .text("\(worker)-\(step)"), "d": .binary(load.content)]], into: "inserts")
            }
        case "transaction":
            // A collection that is made within the time of a transaction ends it.
            for collection in ["heads", "versions", "events", "jobs"] as [StaticString] {
                try load.database.insert([["_id": 0]], into: collection)
            }
            report = try load.measure { try load.transact($0, $1) }
        case "head": report = try load.measureStore()
        default: throw ClientError("--kind \(kind): expected insert, head or transaction")
        }
        print(report)
        _ = try load.database.run(["dropDatabase": 1])
    }

    /// Fills a bucket with `--keys` in folders of 1,000, and times pages of 1,000 keys and of 1,000 common prefixes.
    static func list(_ arguments: Arguments) throws {
        let load = try Load(arguments)
        let keys = load.keys
        let pool = try Pool.start(threads: load.threads)
        try wait(on: pool) {
            let store = try await MongoStore.open(load.configuration, pool: pool)
            let bucket = try await store.createBucket(named: load.bucketName, owner: "bench", at: .now()).id
            let next = Lock(0)
            let running = Lock(load.threads)
            for _ in 0..<load.threads {
                pool.run {
                    while let index = next.withLock({ next in next < keys ? (next, next += 1).0 : nil }) {
                        let key = "folder-\(1_000_000 + index / 1_000)/file-\(1_000_000 + index % 1_000)"
                        do { _ = try await store.publish(load.version(key, in: bucket)) } catch {
                            print("fill: \(error)")
                        }
                    }
                    running.withLock { $0 -= 1 }
                }
            }
            while running.withLock({ $0 }) > 0 { await pool.sleep(for: .milliseconds(20)) }
            for (name, delimiter) in [("keys", nil as [UInt8]?), ("prefixes", [UInt8]("/".utf8))] {
                var timings = Timings()
                let start = Monotonic.nanoseconds
                for round in 0..<20 {
                    let folder = keys / 1_000 * round / 20
                    let query = ListQuery(
                        bucket: bucket, prefix: [], delimiter: delimiter,
                        after: delimiter == nil ? [UInt8]("folder-\(1_000_000 + folder)/".utf8) : nil, limit: 1_000)
                    let before = Monotonic.nanoseconds
                    let page = try await store.listObjects(query)
                    timings.add(Monotonic.nanoseconds - before)
                    if round == 0 { print("\(name): \(page.objects.count + page.commonPrefixes.count) entries") }
                }
                print(timings.report(seconds: Loads.elapsed(since: start), bytesEach: 0))
            }
            store.close()
        }
        _ = try load.database.run(["dropDatabase": 1])
    }

    /// Runs `body` on the pool and waits for it on this thread.
    fileprivate static func wait(on pool: Pool, _ body: @escaping @Sendable () async throws -> Void) throws {
        let outcome: Lock<Result<Void, any Error>?> = Lock(nil)
        pool.run {
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
        }
        while true {
            if let result = outcome.withLock({ $0 }) { return try result.get() }
            usleep(1_000)
        }
    }
}

/// The settings of a load and what it writes.
private struct Load: Sendable {
    let threads: Int
    let seconds: Int
    let keys: Int
    let database: MongoDatabase
    let configuration: MongoStoreConfiguration
    let bucketName: BucketName
    /// About what a version's document holds.
    let content = Content.bytes(300)

    init(_ arguments: Arguments) throws {
        threads = try arguments.number("threads", default: 16)
        seconds = try arguments.number("seconds", default: 5)
        keys = try arguments.number("keys", default: 1_000_000)
        let uri = try MongoURI.parse(try arguments.text("uri"), serverSelection_ms: 5_000, socket_ms: 30_000)
        guard let name = uri.database else { throw ClientError("--uri names no database") }
        database = MongoDatabase(
            try MongoClients.open(uri, countMax: threads), name: name, majorityWait: .seconds(10))
        _ = try database.run(["dropDatabase": 1])
        var configuration = MongoStoreConfiguration(uri: try arguments.text("uri"))
        configuration.clientCountMax = threads + 2
        self.configuration = configuration
        guard let bucket = BucketName("bench".utf8) else { throw ClientError("no bucket") }
        bucketName = bucket
    }

    func measure(_ body: @escaping @Sendable (Int, Int) throws -> Void) throws -> String {
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        let all = try ClientThreads.run(threads) { worker in
            var timings = Timings()
            var step = 0
            while Monotonic.nanoseconds < end {
                step += 1
                try timings.measure { try body(worker, step) }
            }
            return timings
        }
        return Timings.joined(all).report(seconds: Loads.elapsed(since: start), bytesEach: 0)
    }

    /// What the head document and its outbox do in one update, as a transaction.
    func transact(_ worker: Int, _ step: Int) throws {
        let key = BSONValue.text("key-\((worker * 7_919 + step * 104_729) % keys)")
        let id = BSONValue.text("\(worker)-\(step)")
        func insert(_ collection: BSONValue) -> BSONDocument {
            ["insert": collection, "documents": [["_id": id, "d": .binary(content)]]]
        }
        let head: BSONDocument = [
            "update": "heads",
            "updates": [
                ["q": ["_id": key], "u": ["$set": ["d": .binary(content)], "$inc": ["seq": 1]], "upsert": true]
            ],
        ]
        while true {
            do throws(MongoError) {
                return try database.transact([head, insert("versions"), insert("events"), insert("jobs")])
            } catch {
                guard error == .writeConflict else { throw error }
            }
        }
    }

    func version(_ key: String, in bucket: BucketID) throws -> NewVersion {
        guard let key = ObjectKey(key.utf8) else { throw ClientError("no key") }
        var attributes = ObjectAttributes()
        attributes.contentType = [UInt8]("application/octet-stream".utf8)
        let blob = BlobID(UInt64.random(in: 1...(1 << 62)))
        return NewVersion(
            bucket: bucket, key: key, owner: "bench", size: 4_096, etag: ETag(md5: [UInt8](content.prefix(16))),
            attributes: attributes, checksum: nil, tags: [], content: .blob(blob),
            blob: NewBlob(id: blob, size: 4_096, crc32c: 1, bytes: nil))
    }

    func measureStore() throws -> String {
        let pool = try Pool.start(threads: threads)
        let start: Lock<UInt64> = Lock(0)
        let all: Lock<[Timings]> = Lock([])
        try MongoLoads.wait(on: pool) {
            let store = try await MongoStore.open(configuration, pool: pool)
            let bucket = try await store.createBucket(named: bucketName, owner: "bench", at: .now()).id
            try await store.setVersioning(.enabled, of: bucket)
            store.startRelay()
            let began = Monotonic.nanoseconds
            start.withLock { $0 = began }
            let end = began + UInt64(seconds) * 1_000_000_000
            for worker in 0..<threads {
                pool.run {
                    var timings = Timings()
                    var step = 0
                    while Monotonic.nanoseconds < end {
                        step += 1
                        let key = "key-\((worker * 7_919 + step * 104_729) % keys)"
                        let before = Monotonic.nanoseconds
                        do {
                            _ = try await store.publish(version(key, in: bucket))
                            timings.add(Monotonic.nanoseconds - before)
                        } catch {
                            print("publish: \(error)")
                        }
                    }
                    let done = timings
                    all.withLock { $0.append(done) }
                }
            }
            while all.withLock({ $0.count }) < threads { await pool.sleep(for: .milliseconds(5)) }
            store.close()
        }
        return Timings.joined(all.withLock { $0 }).report(
            seconds: Loads.elapsed(since: start.withLock { $0 }), bytesEach: 0)
    }
}
