import Files
import SQLite
import Search
import Synchronization

/// Takes the changes of assets into `search.db`, batch by batch.
// @unchecked: one thread at a time has it, but for `distrust`.
final class Follower: @unchecked Sendable {
    private let store: SQLiteStore
    private let path: String
    private let columnsSizeMax: Int
    /// Of the file that is open.
    private(set) var columns: DocumentColumns
    private var writer: SearchWriter?
    private(set) var progress = SearchWriter.Progress()
    /// All changes that were listed at the last look are in.
    private var isLevel = false
    /// What a crash of the machine would leave.
    private var durable: Int64?
    private var forgotten: Int64 = 0
    private let isDistrusted = Atomic(false)

    /// Changes that one transaction takes in, and assets while all are.
    private static let batchLengthMax = 1_000
    private static let buildLengthMax = 4_000
    /// Pages of the write-ahead log above which it is copied into the file.
    private static let checkpointPageCount = 4_000
    /// Pages above which a checkpoint waits for readers.
    private static let pageCountMax = 32_000
    /// Changes that are forgotten at once.
    private static let forgetCountMin: Int64 = 1_000

    init(store: SQLiteStore, path: String, columnsSizeMax: Int) {
        (self.store, self.path, self.columnsSizeMax) = (store, path, columnsSizeMax)
        columns = DocumentColumns(sizeMax: columnsSizeMax)
    }

    /// The file is made anew at the next step. On any thread.
    func distrust() { isDistrusted.store(true, ordering: .relaxed) }

    func close() {
        if let connection = writer?.connection { _ = try? connection.checkpoint(.truncating) }
        writer = nil
    }

    /// Opens the file, or makes it anew where it is missing, broken, another version's or another store's, or has missed
    /// changes that are forgotten.
    /// Whether it was made anew.
    func open(_ disk: any Disk) throws(MetadataError) -> Bool {
        let isDistrusted = isDistrusted.exchange(false, ordering: .relaxed)
        if writer != nil, !isDistrusted { return false }
        writer = nil
        isLevel = false
        columns = DocumentColumns(sizeMax: columnsSizeMax)
        do {
            if !isDistrusted, let opened = try openPresent(disk), try hasAllAfter(opened.progress) {
                (writer, progress) = (opened.writer, opened.progress)
                try load(opened.writer.connection)
                return false
            }
            for suffix in ["", "-wal", "-shm"] { try disk.remove(path + suffix) }
            let connection = try connect()
            try SearchSchema.make(connection, store: store.folder.id)
            writer = SearchWriter(connection)
            let last = try store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed()?.last }
            progress = SearchWriter.Progress(position: nil, built: nil, buildPosition: last ?? 0)
            return true
        } catch let error as MetadataError {
            throw error
        } catch let error as SQLiteError {
            throw MetadataError(error)
        } catch {
            throw .unavailable("search.db: \(error)")
        }
    }

    private func openPresent(
        _ disk: any Disk
    ) throws -> (writer: SearchWriter, progress: SearchWriter.Progress)? {
        guard try disk.names(in: store.folder.metadata).contains("search.db") else { return nil }
        do throws(SQLiteError) {
            let connection = try connect()
            guard try SearchSchema.fits(connection, store: store.folder.id) else { return nil }
            let writer = SearchWriter(connection)
            let progress = try writer.progress()
            // A file that was never begun to be filled is begun again.
            return progress.position == nil && progress.buildPosition == nil ? nil : (writer, progress)
        } catch {
            // A table that is missing is an error of the statement.
            if error.isDamage || error.primaryCode == 1 { return nil }
            throw error
        }
    }

    private func load(_ connection: Connection) throws(SQLiteError) {
        try connection.with("SELECT * FROM documents ORDER BY id DESC") { (row) throws(SQLiteError) in
            try columns.load { () throws(SQLiteError) in
                try row.step() ? (row.int64(0), DocumentRecord.make(of: row)) : nil
            }
        }
    }

    private func connect() throws(SQLiteError) -> Connection {
        let connection = try Connection.open(path, mode: .readWrite)
        connection.setBusyTimeout(1_000)
        try connection.run(
            script: """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = NORMAL;
                PRAGMA temp_store = MEMORY;
                PRAGMA mmap_size = 0;
                PRAGMA cache_size = -32768;
                PRAGMA journal_size_limit = 67108864;
                """)
        return connection
    }

    /// Whether the changes after what is taken in are all listed yet, and none that is taken in lies in the future, as when
    /// the store came back from a copy.
    private func hasAllAfter(_ progress: SearchWriter.Progress) throws(MetadataError) -> Bool {
        let position = progress.position ?? progress.buildPosition ?? 0
        let listed = try store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() }
        guard let listed else { return position == 0 }
        return listed.first <= position && position <= listed.last
    }

    /// Takes in one batch. `known` is the last change that the store's memory tells of. True where more is waiting.
    func follow(through known: Int64) throws(MetadataError) -> Bool {
        do {
            guard let position = progress.position else { return try build() }
            if isLevel, known <= position { return false }
            let changes = try store.readers.read { (rows) throws(MetadataError) in
                try rows.assetChanges(after: position, limit: Self.batchLengthMax)
            }
            guard let last = changes.last else {
                isLevel = true
                return false
            }
            let ids = Set(changes.map(\.id))
            let documents = try store.readers.read { (rows) throws(MetadataError) in
                var found: [SearchWriter.Change] = []
                for id in ids { found.append((id, try document(of: try rows.asset(id), rows))) }
                return found
            }
            var next = progress
            next.position = last.number
            try take(documents, next)
            isLevel = changes.count < Self.batchLengthMax
            return !isLevel
        } catch let error as MetadataError {
            throw error
        } catch let error as SQLiteError {
            if error.isDamage { distrust() }
            throw MetadataError(error)
        } catch {
            throw .unavailable("search.db: \(error)")
        }
    }

    /// The next assets in order of their ids. Those that change meanwhile are taken in again afterwards.
    private func build() throws -> Bool {
        let built = progress.built
        let (documents, last, count) = try store.readers.read { (rows) throws(MetadataError) in
            var found: [SearchWriter.Change] = []
            let assets = try rows.assets(after: built, limit: Self.buildLengthMax)
            for asset in assets { found.append((asset.id, try document(of: asset, rows))) }
            return (found, assets.last?.id, assets.count)
        }
        var next = progress
        if count < Self.buildLengthMax {
            next = SearchWriter.Progress(position: progress.buildPosition ?? 0)
        } else {
            next.built = last
        }
        try take(documents, next)
        return true
    }

    /// What is deleted is not found.
    private func document(of asset: Asset?, _ rows: Rows) throws(MetadataError) -> SearchDocument? {
        guard let asset, asset.deleted == nil else { return nil }
        return try rows.document(of: asset, versionsMax: 0)?.searchDocument
    }

    private func take(_ documents: [SearchWriter.Change], _ next: SearchWriter.Progress) throws(SQLiteError) {
        if let written = try writer?.apply(documents, next) { columns.apply(written) }
        progress = next
    }

    /// Copies the write-ahead log into the file when it has grown. Returns up to where changes can be forgotten, where that
    /// is worth it.
    func checkpoint() throws(MetadataError) -> Int64? {
        guard let connection = writer?.connection else { return nil }
        do {
            if connection.walPageCount >= Self.checkpointPageCount {
                let kind: Connection.Checkpoint =
                    connection.walPageCount >= Self.pageCountMax ? .truncating : .passive
                if try connection.checkpoint(kind) { durable = progress.position }
            }
        } catch {
            if error.isDamage { distrust() }
            throw MetadataError(error)
        }
        guard let durable, durable - forgotten >= Self.forgetCountMin else { return nil }
        forgotten = durable
        return durable
    }
}
