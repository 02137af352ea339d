import Files
import Metadata
public import Threads

/// What `OpenStore.rebuild` found.
public struct RebuildReport: Sendable {
    /// The number of the last record of the base that the database was made from; nil where the log alone gave it back.
    public var base: UInt64?
    /// The number of the last record of the log.
    public var lastRecord: UInt64
    public var buckets: Int
    public var versions: Int
}

extension OpenStore {
    /// Makes the database anew from its newest base and the log. The former one goes to `quarantine/`. The folder must be no
    /// running server's. Blocks for the disk.
    public static func rebuild(_ path: String, pool: Pool) async throws(StartError) -> RebuildReport {
        guard exists(in: path) else { throw StartError("OGW_DATA is \"\(path)\": wanted the folder of a store.") }
        let folder = try open(folder: path)
        defer { folder.close() }
        do {
            let base = try SQLiteStore.restoreFromBase(folder)
            let store = try SQLiteStore.open(folder, pool: pool, barrier: { _ in })
            let counts = try await store.counts()
            await store.close()
            return RebuildReport(
                base: base, lastRecord: counts.lastRecord, buckets: counts.buckets, versions: counts.versions)
        } catch {
            throw StartError("The database of \(path) cannot be made from its base and log: \(error).")
        }
    }
}
