import Files
import SQLite
import Search
import Synchronization
import Threads

/// Takes the changes of assets into `search.db`, batch by batch.
// @unchecked: one task at a time has it, but for `distrust`.
final class Follower: @unchecked Sendable {
    private let feed: any AssetFeed
    private let folder: DataFolder
    private let pool: Pool
    private let path: String
    private let columnsSizeMax: Int
    /// Of the file that is open.
    private(set) var columns: DocumentColumns
    private var writer: SearchWriter?
    private(set) var progress = SearchWriter.Progress()
    /// All changes that were there at the last look are in.
    private var isLevel = false
    /// When the file was told last how far the changes are.
    private var noted = ContinuousClock.now
    /// What a crash of the machine would leave.
    private var durable: Int64?
    private var forgotten: Int64 = 0
    private let isDistrusted = Atomic(false)
    /// The file failed, and is opened again.
    private var isBroken = false

    /// Pages of the write-ahead log above which it is copied into the file.
    private static let checkpointPageCount = 4_000
    /// Pages above which a checkpoint waits for readers.
    private static let pageCountMax = 32_000
    /// Changes that are forgotten at once.
    private static let forgetCountMin: Int64 = 1_000
    /// The file is told so often of a place that was reached without a change.
    private static let noteInterval = Duration.seconds(10)

    init(_ feed: any AssetFeed, folder: DataFolder, pool: Pool, columnsSizeMax: Int) {
        (self.feed, self.folder, self.pool, self.columnsSizeMax) = (feed, folder, pool, columnsSizeMax)
        path = folder.metadata + "/search.db"
        columns = DocumentColumns(sizeMax: columnsSizeMax)
    }

    /// The file is made anew at the next step. On any thread.
    func distrust() { isDistrusted.store(true, ordering: .relaxed) }

    /// Where the store failed the file stays open.
    func closeIfBroken() {
        if isBroken { close() }
        isBroken = false
    }

    func close() {
        if let connection = writer?.connection { _ = try? connection.checkpoint(.truncating) }
        writer = nil
    }

    /// Opens the file, or makes it anew where it is missing, broken, another version's or another store's, or has missed
    /// changes that are forgotten.
    /// Whether it was made anew.
    func open() async throws(MetadataError) -> Bool {
        let isDistrusted = isDistrusted.exchange(false, ordering: .relaxed)
        if writer != nil, !isDistrusted { return false }
        writer = nil
        isLevel = false
        columns = DocumentColumns(sizeMax: columnsSizeMax)
        do {
            let store = try await feed.storeID()
            if !isDistrusted, let opened = try pool.blocking({ try openPresent(store) }),
                try await feed.reaches(backTo: opened.progress.position ?? opened.progress.buildPosition ?? 0)
            {
                (writer, progress) = (opened.writer, opened.progress)
                try pool.blocking { () throws(SQLiteError) in try load(opened.writer.connection) }
                return false
            }
            let beginning = try await feed.beginning()
            writer = try pool.blocking { try makeFile(store) }
            progress = SearchWriter.Progress(position: nil, built: nil, buildPosition: beginning)
            return true
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> MetadataError {
        switch error {
        case let error as MetadataError: error
        case let error as SQLiteError: MetadataError(error)
        default: .unavailable("search.db: \(error)")
        }
    }

    private func makeFile(_ store: [UInt8]) throws -> SearchWriter {
        for suffix in ["", "-wal", "-shm"] { try folder.disk.remove(path + suffix) }
        let connection = try connect()
        try SearchSchema.make(connection, store: store)
        return SearchWriter(connection)
    }

    private func openPresent(_ store: [UInt8]) throws -> (writer: SearchWriter, progress: SearchWriter.Progress)? {
        guard try folder.disk.names(in: folder.metadata).contains("search.db") else { return nil }
        do throws(SQLiteError) {
            let connection = try connect()
            guard try SearchSchema.fits(connection, store: store) else { return nil }
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

    /// Takes in one batch. True where more is waiting.
    func follow() async throws(MetadataError) -> Bool {
        do {
            guard let position = progress.position else { return try await build() }
            if isLevel, feed.isQuiet(behind: position) { return false }
            guard let changes = try await feed.changes(behind: position) else {
                distrust()
                return true
            }
            var next = progress
            next.position = changes.place
            if changes.ids.isEmpty, noted.duration(to: .now) < Self.noteInterval {
                // The file lags behind: what it does not know of is asked for again.
                progress = next
            } else {
                try take(changes.ids.isEmpty ? [] : try await feed.documents(of: changes.ids), next)
            }
            isLevel = changes.isLast
            return !isLevel
        } catch {
            if let error = error as? SQLiteError { note(error) }
            throw Self.failure(error)
        }
    }

    private func note(_ error: SQLiteError) {
        isBroken = true
        if error.isDamage { distrust() }
    }

    /// The next assets in order of their ids. Those that change meanwhile are taken in again afterwards.
    private func build() async throws -> Bool {
        let (documents, last) = try await feed.documents(after: progress.built)
        var next = progress
        if let last { next.built = last } else { next = SearchWriter.Progress(position: progress.buildPosition ?? 0) }
        try take(documents, next)
        return true
    }

    private func take(_ documents: [SearchWriter.Change], _ next: SearchWriter.Progress) throws(SQLiteError) {
        let written = try pool.blocking { () throws(SQLiteError) in try writer?.apply(documents, next) }
        if let written { columns.apply(written) }
        progress = next
        noted = .now
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
            note(error)
            throw MetadataError(error)
        }
        guard let durable, durable - forgotten >= Self.forgetCountMin else { return nil }
        forgotten = durable
        return durable
    }
}
