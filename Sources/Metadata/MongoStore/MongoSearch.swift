import Bytes
import Mongo
public import Search
import Synchronization
import Threads

/// The index of assets in MongoDB: the rows of `assets`, which the store's relay makes from heads, and which any number of gateways
/// share. Where a database has none yet, or those of another version, they are made from all heads.
public final class MongoSearch: AssetSearch {
    private let store: MongoStore
    private let state = Lock(State())
    private let isStopped = Atomic(false)
    /// Of the rows.
    private static let version: Int64 = 1
    private static let batchLength = 200

    private struct State {
        /// Also before the first look at the rows.
        var isBuilding = true
        var buildCount: UInt64 = 0
        var buildBegan: ContinuousClock.Instant?
        var failure: String?
        var observer: (@Sendable (SearchStatus) -> Void)?
        /// `run` has not ended.
        var isRunning = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    public init(_ store: MongoStore) { self.store = store }

    public func start() {
        state.withLock { $0.isRunning = true }
        store.pool.run { await self.run() }
    }

    public func stop() async {
        isStopped.store(true, ordering: .relaxed)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                if state.isRunning { state.closers.append(continuation) }
                return !state.isRunning
            }
            if isIdle { continuation.resume() }
        }
    }

    public func observe(_ observer: @escaping @Sendable (SearchStatus) -> Void) {
        state.withLock { $0.observer = observer }
    }

    public var isBuilding: Bool { state.withLock { $0.isBuilding } }

    public var isCurrent: Bool {
        guard !isBuilding else { return false }
        let due = try? store.attempt { (database) throws(MongoError) in
            try database.find(Self.oldestDue, in: MongoSchema.heads).documents
        }
        return due?.isEmpty == true
    }

    public func status() -> SearchStatus {
        let (isBuilding, count, began, failure) = state.withLock {
            ($0.isBuilding, $0.buildCount, $0.buildBegan, $0.failure)
        }
        var status = SearchStatus(lag: .zero, isBuilding: isBuilding, buildCount: count, failure: failure)
        if isBuilding, let began {
            status.lag = began.duration(to: .now)
        } else if let lag_ms = try? store.attempt({ (database) throws(MongoError) in try Self.lag_ms(database) }) {
            status.lag = .milliseconds(lag_ms)
        }
        return status
    }

    private static let oldestDue = MongoDatabase.Query(
        ["due": ["$exists": true]], projection: ["due": 1], sort: ["due": 1], hint: "due", limit: 1)

    /// How long the oldest change has waited to be moved from its head, by the server's clock.
    private static func lag_ms(_ database: MongoDatabase) throws(MongoError) -> Int64 {
        guard let due = try database.find(oldestDue, in: MongoSchema.heads).documents.first?["due"]?.date else {
            return 0
        }
        let now = try database.run(["hello": 1])["localTime"]?.date ?? due
        return max(0, now - due)
    }

    public func search(_ request: SearchRequest) async throws(MetadataError) -> SearchAnswer {
        do throws(MetadataError) {
            return try store.attempt { (database) throws(MongoError) in
                try MongoSearchReader(database, request).answer()
            }
        } catch {
            throw .unavailable("assets: \(error)")
        }
    }

    // MARK: Making the rows anew

    private func run() async {
        while !isStopped.load(ordering: .relaxed) {
            do throws(MetadataError) {
                if try await isMade() { break }
                if try await make() { break }
            } catch {
                let isNew = state.withLock { state in
                    defer { state.failure = "\(error)" }
                    return state.failure == nil
                }
                if isNew { tell() }
                await store.pool.sleep(for: .seconds(1))
            }
        }
        let closers = state.withLock { state in
            if !isStopped.load(ordering: .relaxed) { (state.isBuilding, state.failure) = (false, nil) }
            state.isRunning = false
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    private static let mark: BSONDocument = ["_id": "index"]

    private func isMade() async throws(MetadataError) -> Bool {
        let mark = try await store.perform { (database) throws(MongoError) in
            try database.findOne(Self.mark, in: MongoSchema.assets)
        }
        return mark?["version"]?.integer == Self.version
    }

    /// False where it was stopped. What changes meanwhile is moved from its head as ever.
    private func make() async throws(MetadataError) -> Bool {
        state.withLock { ($0.buildBegan, $0.buildCount) = (.now, $0.buildCount + 1) }
        tell()
        var last: AssetID?
        while !isStopped.load(ordering: .relaxed) {
            let heads = try await store.headsOfAssets(after: last, limit: Self.batchLength)
            try await store.project(heads, again: true)
            last = try heads.last?.asset()?.id
            if last != nil { continue }
            try await store.perform { (database) throws(MongoError) in
                try database.update(
                    [
                        MongoDatabase.Update(
                            Self.mark, .document(["_id": "index", "version": .int64(Self.version)]), upsert: true)
                    ], ignoringDuplicates: true, in: MongoSchema.assets)
            }
            state.withLock { ($0.isBuilding, $0.buildBegan) = (false, nil) }
            tell()
            return true
        }
        return false
    }

    private func tell() {
        let observer = state.withLock { $0.observer }
        observer?(status())
    }
}
