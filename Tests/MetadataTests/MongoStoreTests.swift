import Metadata
import Mongo
import TestMongo
import Testing
import Threads

/// A `MongoStore` on a database of its own, dropped with `drop`.
struct Shared {
    let server: MongoServer
    let database: String
    let store: MongoStore
    var subject: Subject { Subject(store: store) }

    static let pool = Pool()

    init(
        server: MongoServer? = nil, database: String? = nil, change: (inout MongoStoreConfiguration) -> Void = { _ in }
    )
        async throws
    {
        self.server = try server ?? MongoServer.shared
        self.database = database ?? "ogw-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        var configuration = MongoStoreConfiguration(uri: self.server.uri(database: self.database))
        configuration.bucketLease = .milliseconds(60)
        configuration.relayInterval = .milliseconds(20)
        change(&configuration)
        store = try await MongoStore.open(configuration, pool: Self.pool)
    }

    func drop() throws {
        store.close()
        _ = try plain().run(["dropDatabase": 1])
    }

    /// The store's database without the store.
    func plain() throws -> MongoDatabase {
        let uri = try MongoURI.parse(server.uri(database: database), serverSelection_ms: 5_000, socket_ms: 10_000)
        return MongoDatabase(try MongoClients.open(uri, countMax: 2), name: database, majorityWait: .seconds(5))
    }
}

@Suite struct MongoStoreTests {
    // Cases share a database: making one takes longer than most of them.
    private static let moved = "contract-moved-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    private static let unmoved = "contract-unmoved-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)

    @Test("The contract, while the store moves what writes left", arguments: ContractCase.all)
    func contract(_ behaviour: ContractCase) async throws {
        let shared = try await Shared(database: Self.moved)
        shared.store.startRelay()
        try await behaviour.body(shared.subject)
        shared.store.close()
    }

    @Test("The contract, with all that is left to be moved still in the heads", arguments: ContractCase.all)
    func contractUnmoved(_ behaviour: ContractCase) async throws {
        let shared = try await Shared(database: Self.unmoved)
        try await behaviour.body(shared.subject)
        shared.store.close()
    }
}
