import Bytes
public import Files
import SQLite
public import Search
import Synchronization
import Threads

/// The index of assets in `meta/search.db`: follows the committed changes of the store, behind the writes, and answers
/// queries. The file is never the truth: where it is missing, broken, or another version's, it is made anew from the store.
public final class SearchIndex: AssetSearch {
    private let feed: any AssetFeed
    private let pool: Pool
    private let path: String
    private let interval: Duration
    private let state: Lock<State>
    private let follower: Follower
    private let isStopped = Atomic(false)

    private struct State {
        var readers: ReaderPool
        /// Of the file that the readers read.
        var columns: DocumentColumns
        var position: Int64 = 0
        /// Also before the first look at the file.
        var isBuilding = true
        var buildCount: UInt64 = 0
        var buildBegan: ContinuousClock.Instant?
        var failure: String?
        /// Told when building begins or ends, and of failures.
        var observer: (@Sendable (SearchStatus) -> Void)?
        /// `run` has not ended.
        var isRunning = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    /// `interval` is the longest time between two looks for changes; `memoryMax` is how many bytes of what answers are ordered by
    /// are kept in memory, about 110 a document.
    public convenience init(
        _ store: SQLiteStore, interval: Duration = .milliseconds(150), memoryMax: Int = 256 << 20
    ) {
        self.init(
            EmbeddedAssetFeed(store: store), folder: store.folder, pool: store.pool, interval: interval,
            memoryMax: memoryMax)
    }

    /// The same over a store that other gateways share: each has an index of its own, in its folder.
    public convenience init(
        _ store: MongoStore, in folder: DataFolder, interval: Duration = .milliseconds(250), memoryMax: Int = 256 << 20
    ) {
        self.init(SharedAssetFeed(store), folder: folder, pool: store.pool, interval: interval, memoryMax: memoryMax)
    }

    private init(
        _ feed: any AssetFeed, folder: DataFolder, pool: Pool, interval: Duration, memoryMax: Int
    ) {
        (self.feed, self.pool, self.interval) = (feed, pool, interval)
        path = folder.metadata + "/search.db"
        follower = Follower(feed, folder: folder, pool: pool, columnsSizeMax: memoryMax)
        state = Lock(State(readers: Self.readers(path), columns: follower.columns))
    }

    private static func readers(_ path: String) -> ReaderPool {
        var configuration = SQLiteStoreConfiguration()
        configuration.idleReaderCountMax = 2
        configuration.readerCacheSize_kib = 32_768
        return ReaderPool(path: path, configuration: configuration)
    }

    /// Follows from now on.
    public func start() {
        state.withLock { $0.isRunning = true }
        pool.run { await self.run() }
    }

    /// Returns when nothing is written any more.
    public func stop() async {
        isStopped.store(true, ordering: .relaxed)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                if state.isRunning { state.closers.append(continuation) }
                return !state.isRunning
            }
            if isIdle { continuation.resume() }
        }
        state.withLock { $0.readers }.close()
        pool.blocking { follower.close() }
    }

    /// `observer` is told when the index begins to be made anew, when it is, and of failures; on a thread of the pool.
    public func observe(_ observer: @escaping @Sendable (SearchStatus) -> Void) {
        state.withLock { $0.observer = observer }
    }

    /// Answers lack assets that are to come.
    public var isBuilding: Bool { state.withLock { $0.isBuilding } }

    public func settle() async {
        var end: Int64?
        while !isStopped.load(ordering: .relaxed) {
            if end == nil { end = await feed.end() }
            if let end, state.withLock({ $0.failure == nil && !$0.isBuilding && $0.position >= end }) { return }
            await pool.sleep(for: .milliseconds(2))
        }
    }

    /// Blocks for the disk or the network.
    public func status() -> SearchStatus {
        let (position, isBuilding, count, began, failure) = state.withLock {
            ($0.position, $0.isBuilding, $0.buildCount, $0.buildBegan, $0.failure)
        }
        let lag = if isBuilding, let began { began.duration(to: .now) } else { feed.lag(behind: position) }
        return SearchStatus(lag: lag, isBuilding: isBuilding, buildCount: count, failure: failure)
    }

    /// Throws `unavailable` where the index cannot be read now.
    public func search(_ request: SearchRequest) async throws(MetadataError) -> SearchAnswer {
        let (readers, columns) = state.withLock { ($0.readers, $0.columns) }
        return try pool.blocking { () throws(MetadataError) in
            try readers.read { (rows) throws(MetadataError) in
                do throws(SQLiteError) { return try SearchReader(rows.connection, columns).answer(request) } catch {
                    // What is broken is made anew by whoever writes.
                    if error.isDamage { follower.distrust() }
                    throw .unavailable("search.db: \(error)")
                }
            }
        }
    }

    // MARK: Following

    private func run() async {
        while !isStopped.load(ordering: .relaxed) {
            let began = ContinuousClock.now
            let step = await takeStep()
            if case .forget(let place) = step { await feed.forget(through: place) }
            if case .more = step { continue }
            // After a failure it tries again, not too often.
            let pause = state.withLock { $0.failure } == nil ? interval : max(interval, .seconds(1))
            await pool.sleep(for: pause)
            // A pool that stops lets nobody sleep.
            if began.duration(to: .now) < pause / 2 { break }
        }
        let closers = state.withLock { state in
            state.isRunning = false
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    private func tell() {
        let observer = state.withLock { $0.observer }
        observer?(status())
    }

    private enum Step {
        case more, rest
        case forget(through: Int64)
    }

    private func takeStep() async -> Step {
        do throws(MetadataError) {
            if try await follower.open() {
                state.withLock { state in
                    // Whoever reads still has the former file, and is the last to.
                    state.readers.close()
                    state.readers = Self.readers(path)
                    state.columns = follower.columns
                    state.buildCount += 1
                    state.buildBegan = .now
                    state.isBuilding = true
                }
                tell()
            }
            let hasMore = try await follower.follow()
            let durable = try pool.blocking { () throws(MetadataError) in try follower.checkpoint() }
            let isBuilt = state.withLock { state in
                defer { state.isBuilding = follower.progress.position == nil }
                let wasBuilding = state.isBuilding && state.buildBegan != nil
                if follower.progress.position != nil { state.buildBegan = nil }
                state.position = follower.progress.position ?? 0
                state.columns = follower.columns
                state.failure = nil
                return wasBuilding && follower.progress.position != nil
            }
            if isBuilt { tell() }
            if hasMore { return .more }
            return durable.map { .forget(through: $0) } ?? .rest
        } catch {
            pool.blocking { follower.closeIfBroken() }
            let isNew = state.withLock { state in
                defer { state.failure = "\(error)" }
                return state.failure == nil
            }
            if isNew { tell() }
            return .rest
        }
    }
}
