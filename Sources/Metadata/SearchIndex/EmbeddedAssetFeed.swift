import Bytes
import Files
import Search
import Threads

/// The assets of the embedded store: its commits list the changes in a table of their own.
struct EmbeddedAssetFeed: AssetFeed {
    let store: SQLiteStore

    /// Changes that are taken in together, and assets while all are.
    private static let batchLengthMax = 1_000
    private static let buildLengthMax = 4_000

    func storeID() -> [UInt8] { store.folder.id }

    private func read<Value>(_ body: (Rows) throws(MetadataError) -> Value) throws(MetadataError) -> Value {
        try store.pool.blocking { () throws(MetadataError) in try store.readers.read(body) }
    }

    func beginning() async throws(MetadataError) -> Int64 {
        try read { (rows) throws(MetadataError) in try rows.assetChangesListed()?.last } ?? 0
    }

    func reaches(backTo place: Int64) async throws(MetadataError) -> Bool {
        let listed = try read { (rows) throws(MetadataError) in try rows.assetChangesListed() }
        guard let listed else { return place == 0 }
        return listed.first <= place && place <= listed.last
    }

    /// By what the store's memory tells.
    func isQuiet(behind place: Int64) -> Bool { store.catalog.withLock(\.lastAssetChange) <= place }

    func changes(behind place: Int64) async throws(MetadataError) -> AssetChanges? {
        let changes = try read { (rows) throws(MetadataError) in
            try rows.assetChanges(after: place, limit: Self.batchLengthMax)
        }
        return AssetChanges(
            ids: Set(changes.map(\.id)), place: changes.last?.number ?? place,
            isLast: changes.count < Self.batchLengthMax)
    }

    func documents(of ids: Set<AssetID>) async throws(MetadataError) -> [SearchWriter.Change] {
        try read { (rows) throws(MetadataError) in
            var found: [SearchWriter.Change] = []
            for id in ids { found.append((id, try Self.document(of: try rows.asset(id), rows))) }
            return found
        }
    }

    func documents(
        after id: AssetID?
    ) async throws(MetadataError) -> (documents: [SearchWriter.Change], last: AssetID?) {
        try read { (rows) throws(MetadataError) in
            var found: [SearchWriter.Change] = []
            let assets = try rows.assets(after: id, limit: Self.buildLengthMax)
            for asset in assets { found.append((asset.id, try Self.document(of: asset, rows))) }
            return (found, assets.count < Self.buildLengthMax ? nil : assets.last?.id)
        }
    }

    private static func document(of asset: Asset?, _ rows: Rows) throws(MetadataError) -> SearchDocument? {
        guard let asset, asset.deleted == nil else { return nil }
        return try rows.document(of: asset, versionsMax: 0)?.searchDocument
    }

    func forget(through place: Int64) async {
        _ = try? await store.committer.submit(.forgetAssetChanges(through: place))
    }

    func end() async -> Int64? { store.catalog.withLock(\.lastAssetChange) }

    func lag(behind place: Int64) -> Duration {
        let oldest = try? store.readers.read { (rows) throws(MetadataError) in
            try rows.assetChanges(after: place, limit: 1).first
        }
        guard let oldest else { return .zero }
        return .milliseconds(max(0, store.configuration.clock().milliseconds - oldest.moment.milliseconds))
    }
}
