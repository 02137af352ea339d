import Bytes
import Digests
import Files
import Glibc
import LoadClient
import Metadata
import Search
import Synchronization
import Threads

/// `search`: fills a store with made-up assets through its own commits, has them indexed, and times a mix of queries. Prints
/// one line of JSON: a report for each kind of query, and what filling took.
///
/// `--folder` has the store and its index; with `--uri` the index only, and the store is a database in MongoDB. Filled the first time only.
enum SearchLoad {
    static func run(_ arguments: Arguments) throws {
        let load = Load(
            folder: try arguments.text("folder", default: ""), uri: try arguments.text("uri", default: ""),
            count: try arguments.number("count", default: 1_000_000),
            queries: try arguments.number("queries", default: 100),
            connections: try arguments.number("connections", default: 1))
        let outcome: Lock<Result<String, any Error>?> = Lock(nil)
        let pool = Pool()
        pool.run {
            do {
                let text = try await load.run(pool)
                outcome.withLock { $0 = .success(text) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        while true {
            if let result = outcome.withLock({ $0 }) { return print(try result.get()) }
            usleep(10_000)
        }
    }

    private struct Load: Sendable {
        let folder: String
        /// Empty for the embedded store.
        let uri: String
        let count: Int
        let queries: Int
        let connections: Int

        func run(_ pool: Pool) async throws -> String {
            if folder.isEmpty { throw ClientError("--folder is missing") }
            if !uri.isEmpty { return try await runShared(pool) }
            let data = try DataFolder.open(folder)
            var configuration = SQLiteStoreConfiguration()
            // Two years of assets.
            let step = max(1, 63_072_000_000 / Int64(max(1, count)))
            let clock = Atomic<Int64>(1_704_067_200_000)
            configuration.clock = { Timestamp(milliseconds: clock.add(step * 32, ordering: .relaxed).newValue) }
            let store = try SQLiteStore.open(data, pool: pool, configuration: configuration, barrier: { _ in })
            var members = try await run(store, SearchIndex(store), pool)
            members.append("\"index_bytes\": \(try data.disk.open(data.metadata + "/search.db", .read).size())")
            await store.close()
            data.close()
            return "{\(members.joined(separator: ", "))}"
        }

        private func runShared(_ pool: Pool) async throws -> String {
            let store = try await MongoStore.open(MongoStoreConfiguration(uri: uri), pool: pool)
            store.startRelay()
            let data = try DataFolder.open(folder, hasLog: false)
            var members = try await run(store, SearchIndex(store, in: data), pool)
            members.append("\"index_bytes\": \(try data.disk.open(data.metadata + "/search.db", .read).size())")
            store.close()
            data.close()
            return "{\(members.joined(separator: ", "))}"
        }

        private func run(
            _ store: any MetadataStore, _ index: any AssetSearch, _ pool: Pool
        ) async throws -> [String] {
            let started = Monotonic.nanoseconds
            guard let bucket = BucketName(SampleAssets.bucket.utf8) else { throw ClientError("no bucket name") }
            let present = try await store.bucket(named: bucket) != nil
            if !present { try await fill(bucket, store, pool) }
            let filled = Loads.elapsed(since: started)
            let indexing = Monotonic.nanoseconds
            index.start()
            await index.settle()
            let indexed = Loads.elapsed(since: indexing)
            var members = ["\"fill_seconds\": \(present ? 0 : filled)", "\"index_seconds\": \(indexed)"]
            members.append("\"build_count\": \(index.status().buildCount)")
            members += try await measure(index, store, pool)
            await index.stop()
            return members
        }

        // MARK: Filling

        private func fill(_ name: BucketName, _ store: any MetadataStore, _ pool: Pool) async throws {
            for customer in 0..<SampleAssets.customerCount {
                try await store.addUser(SampleAssets.user(customer))
            }
            let bucket = try await store.createBucket(named: name, owner: "c0", at: .now())
            try await store.setAssets(true, of: bucket.id)
            let next = Atomic<Int>(0)
            let failure: Lock<(any Error)?> = Lock(nil)
            let running = Atomic<Int>(256)
            let shared = Shared(next: next, running: running)
            for _ in 0..<256 {
                pool.run {
                    do {
                        while true {
                            let number = shared.next.add(1, ordering: .relaxed).oldValue
                            guard number < count, failure.withLock({ $0 == nil }) else { break }
                            let sample = SampleAssets(number)
                            guard let new = sample.version(in: bucket.id) else { break }
                            let version = try await store.publish(new)
                            guard number % 5 == 0 else { continue }
                            guard let asset = try await store.asset(of: version.key, in: bucket.id) else { continue }
                            try await store.setAssetDetails(sample.details, of: asset.id)
                        }
                    } catch {
                        failure.withLock { $0 = error }
                    }
                    shared.running.subtract(1, ordering: .acquiringAndReleasing)
                }
            }
            while shared.running.load(ordering: .acquiring) > 0 { await pool.sleep(for: .milliseconds(10)) }
            if let failure = failure.withLock({ $0 }) { throw failure }
        }

        // MARK: Asking

        /// What the process has spent on its processors: without the time that others had them.
        private static var processTime_ns: UInt64 {
            var time = timespec()
            // SAFETY: the call fills the struct lent to it.
            unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }

        private func measure(
            _ index: any AssetSearch, _ store: any MetadataStore, _ pool: Pool
        ) async throws -> [String] {
            var members: [String] = []
            var all = Timings()
            var allWork = Timings()
            var matches = 0
            for kind in SampleQueries.Kind.allCases {
                var timings = Timings()
                var work = Timings()
                for number in 0..<queries + 5 {
                    let request = try SampleQueries.request(kind, number)
                    let working = Self.processTime_ns
                    let start = Monotonic.nanoseconds
                    let answer = try await index.search(request)
                    _ = try await store.assets(answer.hits.compactMap { AssetID(bytes: $0.id) })
                    let time = Monotonic.nanoseconds - start
                    let worked = Self.processTime_ns - working
                    // The first ones fill the caches of connections.
                    if number >= 5 {
                        timings.add(time)
                        all.add(time)
                        work.add(worked)
                        allWork.add(worked)
                    }
                    matches += answer.matchCount
                }
                members.append("\"\(kind.rawValue)\": \(timings.report(seconds: 1, bytesEach: 0))")
                members.append("\"\(kind.rawValue)_work\": \(work.report(seconds: 1, bytesEach: 0))")
            }
            members.append("\"all\": \(all.report(seconds: 1, bytesEach: 0))")
            members.append("\"all_work\": \(allWork.report(seconds: 1, bytesEach: 0))")
            members.append("\"matches_each\": \(matches / max(1, all.count))")
            return members
        }
    }

    private final class Shared: Sendable {
        let next: Atomic<Int>
        let running: Atomic<Int>

        init(next: consuming Atomic<Int>, running: consuming Atomic<Int>) {
            self.next = next
            self.running = running
        }
    }
}
