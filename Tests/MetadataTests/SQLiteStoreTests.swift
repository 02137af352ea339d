import Bytes
import Metadata
import TestSupport
import Testing
import Threads

/// A `SQLiteStore` in a folder of its own.
struct Embedded {
    let folder: TemporaryFolder
    let store: SQLiteStore
    var subject: Subject { Subject(store: store) }

    static let pool = Pool()

    init(
        folder: TemporaryFolder? = nil, configuration: SQLiteStoreConfiguration = SQLiteStoreConfiguration(),
        barrier: @escaping @Sendable ([BlobID]) throws -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        store = try SQLiteStore.open(
            path: self.folder.path + "/meta", pool: Self.pool, configuration: configuration, barrier: barrier)
    }
}

@Suite struct SQLiteStoreTests {
    @Test("The contract", arguments: ContractCase.all)
    func contract(_ behaviour: ContractCase) async throws {
        let embedded = try Embedded()
        try await behaviour.body(embedded.subject)
        await embedded.store.close()
    }
}
