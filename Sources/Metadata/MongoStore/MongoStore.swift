import Mongo
import Synchronization
public import Threads

/// The store on MongoDB, which any number of gateways share.
///
/// Every change of a key is one update of one document, its head, whose filter holds the conditions: `Heads.swift` says what a head
/// is. What else a change brings travels in the head's outbox, until `Relay` moves it to the collections `versions` and `garbage`.
/// Reads merge the two. All writes are acknowledged by a majority; reads see what a majority has (`MongoDatabase`).
public final class MongoStore: EventStore {
    let database: MongoDatabase
    let pool: Pool
    let configuration: MongoStoreConfiguration
    let buckets: BucketCache
    let customers: CustomerCache
    /// Heads that are being relieved of their outboxes by this store.
    let relieved = Lock<Set<HeadKey>>([])
    let writer = HeadWriter()
    let contents = ContentWriter()
    let firstHeads = FirstHeadLuck()
    /// Events of this gateway may not have their positions yet.
    let hasNews = Atomic<Bool>(false)
    let isGathering = Lock(false)
    /// When waiting jobs were last looked at.
    let dueLooks = Lock(LastTime())
    /// Names this gateway among others. Random.
    let gateway = HeadChange.newWrite()
    /// What this gateway was told when it reported.
    let reported = Lock(ReportedOrders())
    /// Whom the connection string logs in.
    private let login: String?
    private let barrier: @Sendable ([BlobID]) throws -> Void
    private let isPrepared = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)

    private init(
        database: MongoDatabase, login: String?, pool: Pool, configuration: MongoStoreConfiguration,
        barrier: @escaping @Sendable ([BlobID]) throws -> Void
    ) {
        (self.database, self.login, self.pool, self.configuration) = (database, login, pool, configuration)
        self.barrier = barrier
        buckets = BucketCache(timeToLive: configuration.bucketLease / 2)
        customers = CustomerCache(timeToLive: configuration.bucketLease / 2)
    }

    /// Opens the store, and prepares the database where the server can be reached; where it cannot, each operation is `unavailable`
    /// until it can. Throws `broken`, with what to do, where the server is not one that the store can use.
    ///
    /// `barrier` is called, on a thread that may block, before a write that names new blobs, with those; it returns when their bytes and
    /// names are durable. If it throws, nothing is written.
    public static func open(
        _ configuration: MongoStoreConfiguration, pool: Pool,
        barrier: @escaping @Sendable ([BlobID]) throws -> Void = { _ in }
    ) async throws(MetadataError) -> MongoStore {
        let database: MongoDatabase
        let uri: MongoURI
        do throws(MongoError) {
            uri = try MongoURI.parse(configuration.uri, serverSelection_ms: 1_000, socket_ms: 15_000)
            let clients = try MongoClients.open(uri, countMax: configuration.clientCountMax)
            database = MongoDatabase(
                clients, name: uri.database ?? configuration.database, majorityWait: configuration.majorityWait)
        } catch {
            // Its words may repeat a password.
            throw .broken("the connection string of MongoDB cannot be used")
        }
        let store = MongoStore(
            database: database, login: uri.user, pool: pool, configuration: configuration, barrier: barrier)
        do {
            try store.prepareOnce()
        } catch .unavailable {
            // It may come later.
            if let error = pool.blocking({ MongoSchema.diagnosis(of: uri) }) { throw MetadataError(error) }
        }
        return store
    }

    /// Throws `unavailable` where the server cannot be reached now or the set has no primary.
    public func reach() throws(MetadataError) {
        _ = try attempt { (database) throws(MongoError) in try database.run(["ping": 1]) }
    }

    /// Moves what heads hold to where it belongs, from now on, until `close`.
    public func startRelay() {
        pool.run { [weak self] in await self?.makeAssetRows() }
        pool.run { [weak self, pool, configuration] in
            var janitorCame = Monotonic.nanoseconds
            while let self, !self.isOver {
                // Where it fails, a later round goes on.
                try? await self.relayAll()
                try? await self.sequenceEvents()
                if Monotonic.nanoseconds &- janitorCame >= configuration.janitorInterval.nanosecondsClamped {
                    try? await self.endAbandonedAborts()
                    janitorCame = Monotonic.nanoseconds
                }
                await pool.sleep(for: configuration.relayInterval)
            }
        }
    }

    /// Operations under way go on; what heads hold is moved by whoever relays next.
    public func close() { isClosed.store(true, ordering: .releasing) }

    var isOver: Bool { isClosed.load(ordering: .acquiring) }

    /// Throws `unavailable` while the server cannot be reached.
    private func prepareOnce() throws(MetadataError) {
        if isPrepared.load(ordering: .acquiring) { return }
        do {
            try pool.blocking { () throws(MongoError) in
                try MongoSchema.prepare(database, forMigration: configuration.isForMigration)
            }
        } catch {
            throw refusal(error)
        }
        isPrepared.store(true, ordering: .releasing)
    }

    /// What a server that cannot be used comes to, with what to do. The connection string itself may hold a password.
    private func refusal(_ error: MongoError) -> MetadataError {
        switch (error, login) {
        case (.notAllowed, nil):
            .broken("the server wants a login: write mongodb://USER:PASSWORD@HOST/... with a user of its own")
        case (.notAllowed(let reason), .some(let user)):
            .broken(
                "the user \(user) may not use the database \(database.name): give it the role readWrite there (\(reason))"
            )
        case (.loginRequired, .some(let user)):
            .broken("the server refuses the user \(user) or its password: correct them, or name its authSource")
        default: MetadataError(error)
        }
    }

    /// Makes blobs durable before a change names them.
    func makeDurable(_ blobs: [BlobID]) throws(MetadataError) {
        if blobs.isEmpty { return }
        do {
            try pool.blocking { try barrier(blobs) }
        } catch {
            throw .broken("barrier: \(error)")
        }
    }

    /// Runs `body`, and again while it fails for the moment, until the patience ends. Only for what may be done twice.
    @discardableResult
    func perform<Result>(
        _ body: (MongoDatabase) throws(MongoError) -> Result
    ) async throws(MetadataError) -> Result {
        var retry = Retry(patience: configuration.patience)
        while true {
            do throws(MetadataError) {
                return try attempt(body)
            } catch {
                guard case .unavailable = error, await retry.wait(on: pool) else { throw error }
            }
        }
    }

    /// Runs `body` once.
    func attempt<Result>(_ body: (MongoDatabase) throws(MongoError) -> Result) throws(MetadataError) -> Result {
        try prepareOnce()
        do {
            return try pool.blocking { () throws(MongoError) in try body(database) }
        } catch {
            throw MetadataError(error)
        }
    }

    /// Runs `body` once, and tells what became of it in the library's own terms.
    func attemptWrite<Result>(
        _ body: (MongoDatabase) throws(MongoError) -> Result
    ) throws(MetadataError) -> Swift.Result<Result, MongoError> {
        try prepareOnce()
        return pool.blocking {
            do throws(MongoError) { return .success(try body(database)) } catch { return .failure(error) }
        }
    }
}

/// Waits longer and longer between attempts, from 2 to 250 ms, until the patience ends.
struct Retry {
    private let end: UInt64
    private var pause: UInt64 = 2_000_000

    init(patience: Duration) { end = Monotonic.nanoseconds &+ patience.nanosecondsClamped }

    /// False where the patience ended, without having waited.
    mutating func wait(on pool: Pool) async -> Bool {
        guard Monotonic.nanoseconds < end else { return false }
        // Up to half as much again, so that those who met part.
        let nanoseconds = pause + UInt64.random(in: 0...(pause / 2))
        await pool.sleep(for: .nanoseconds(Int64(nanoseconds)))
        pause = min(pause * 2, 250_000_000)
        return true
    }
}

extension MetadataError {
    /// The one table from what MongoDB says to what the store says.
    init(_ error: MongoError) {
        switch error {
        case .notCarriedOut, .unknownOutcome, .writeConflict: self = .unavailable(error.description)
        case .unusable(let reason): self = .broken(reason)
        case .refused, .duplicateKey, .documentTooLarge, .loginRequired, .notAllowed, .invalidURI, .invalidDocument:
            self = .broken(error.description)
        }
    }
}
