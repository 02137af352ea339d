import SQLite
import Threads

/// Query-only connections, each lent to one thread at a time. As many are open as threads read at once, which the pool's
/// own limit bounds.
final class ReaderPool: Sendable {
    private let path: String
    private let idleCountMax: Int
    private let cacheSize_kib: Int
    /// Nil once closed.
    private let idle: Lock<[Connection]?>

    init(path: String, configuration: SQLiteStoreConfiguration) {
        self.path = path
        idleCountMax = configuration.idleReaderCountMax
        cacheSize_kib = max(0, configuration.readerCacheSize_kib)
        idle = Lock([])
    }

    /// Runs `body` over one snapshot of the database: a row that another statement of it moves is seen in one of its places.
    /// Blocks for the disk.
    func read<Result>(_ body: (Rows) throws(MetadataError) -> Result) throws(MetadataError) -> Result {
        let reader = try take()
        defer { giveBack(reader) }
        do { try reader.beginReading() } catch { throw MetadataError(error) }
        // A rollback of a reader cannot lose anything, and ends the snapshot.
        defer { try? reader.rollback() }
        return try body(Rows(connection: reader))
    }

    func close() { idle.withLock { $0 = nil } }

    private func take() throws(MetadataError) -> Connection {
        let (isOpen, ready) = idle.withLock { idle in (idle != nil, idle?.popLast()) }
        if let ready { return ready }
        guard isOpen else { throw .unavailable("the store is closed") }
        do {
            let reader = try Connection.open(path, mode: .queryOnly)
            try reader.run(script: "PRAGMA cache_size = -\(cacheSize_kib)")
            return reader
        } catch { throw MetadataError(error) }
    }

    private func giveBack(_ reader: Connection) {
        idle.withLock { idle in
            if let count = idle?.count, count < idleCountMax { idle?.append(reader) }
        }
    }
}
