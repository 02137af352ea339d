public import Bytes
public import Files
public import RedoLog
import SQLite
public import Threads

/// The embedded store: one SQLite file, written by one committer and read by query-only connections.
///
/// One process owns the folder; the caller holds a lock that says so.
public final class SQLiteStore: MetadataStore {
    let readers: ReaderPool
    let committer: Committer
    let cache: VersionCache
    let writer: BatchWriter
    let folder: DataFolder
    let configuration: SQLiteStoreConfiguration
    let pool: Pool
    let catalog: Lock<Catalog>
    /// The segments of the log, where blobs lie that are not in files.
    public let segments: SegmentFiles
    /// The highest id of a blob that any change named before this opening.
    public let lastBlob: BlobID
    /// Segments that cannot be walked, of which what can be read has been moved.
    let evacuated: Lock<Set<UInt64>> = Lock([])

    private init(
        folder: DataFolder, readers: ReaderPool, writer: BatchWriter, catalog: Lock<Catalog>, cache: VersionCache,
        segments: SegmentFiles, lastBlob: BlobID, pool: Pool, configuration: SQLiteStoreConfiguration
    ) {
        (self.readers, self.writer, self.catalog, self.cache) = (readers, writer, catalog, cache)
        (self.folder, self.segments, self.lastBlob) = (folder, segments, lastBlob)
        (self.pool, self.configuration) = (pool, configuration)
        committer = Committer(writer: writer, pool: pool, configuration: configuration)
    }

    /// Opens or makes `meta/main.db` in the folder, applies what the log holds beyond it, and begins a new segment. Blocks for
    /// the disk.
    ///
    /// `barrier` is called on the committing thread before the commit of each batch that names blobs in files, with those
    /// blobs; it returns when their bytes and names are durable. If it throws, nothing of the batch is committed.
    public static func open(
        _ folder: DataFolder, pool: Pool, configuration: SQLiteStoreConfiguration = SQLiteStoreConfiguration(),
        barrier: @escaping @Sendable ([BlobID]) throws -> Void
    ) throws(MetadataError) -> SQLiteStore {
        let file = folder.metadata + "/main.db"
        let segments = SegmentFiles(disk: folder.disk, directory: folder.segments, storeID: folder.id)
        let ballast = Ballast(disk: folder.disk, path: folder.ballast, bytes: configuration.ballastBytes)
        let opened: (connection: Connection, state: ViewState, log: LogWriter)
        do throws(MetadataError) {
            opened = try recover(folder, file, segments, configuration)
        } catch {
            guard error == .diskFull else { throw error }
            ballast.giveUp()
            opened = try recover(folder, file, segments, configuration)
        }
        let (connection, state, log) = opened
        let rows = Rows(connection: connection)
        let catalog = Lock(try Catalog(reading: rows))
        let cache = VersionCache(entryCountMax: configuration.cachedVersionCountMax)
        let writer = BatchWriter(
            connection: connection, log: log, state: state, configuration: configuration, catalog: catalog,
            cache: cache, ballast: ballast, openWriteAheadLog: { try folder.disk.open(file + "-wal", .read) },
            barrier: barrier)
        return SQLiteStore(
            folder: folder, readers: ReaderPool(path: file, configuration: configuration), writer: writer,
            catalog: catalog,
            cache: cache, segments: segments, lastBlob: state.lastBlob, pool: pool, configuration: configuration)
    }

    /// The database at the end of the log, and a log that goes on in a new segment.
    private static func recover(
        _ folder: DataFolder, _ file: String, _ segments: SegmentFiles, _ configuration: SQLiteStoreConfiguration
    ) throws(MetadataError) -> (Connection, ViewState, LogWriter) {
        let connection = try openPrepared(folder, file, configuration)
        let rows = Rows(connection: connection)
        try keepFormerFormat(folder, rows)
        let state = try Replay(connection: connection, files: segments).run(from: try rows.viewState())
        do {
            return (
                connection, state,
                try LogWriter.begin(after: state.applied, files: segments, configuration: configuration.log)
            )
        } catch {
            throw MetadataError(error)
        }
    }

    /// A database of the present schema, whose pages carry check values.
    private static func openPrepared(
        _ folder: DataFolder, _ file: String, _ configuration: SQLiteStoreConfiguration
    ) throws(MetadataError) -> Connection {
        let upgrade = PageUpgrade(folder: folder, file: file)
        if let current = try openUnlessFormer(file, upgrade, configuration) { return current }
        try upgrade.replace()
        let connection = try openWriter(file, configuration)
        try Schema.prepare(connection)
        return connection
    }

    /// Nil where `upgrade` has written what takes the place of the database; that is closed then.
    private static func openUnlessFormer(
        _ file: String, _ upgrade: PageUpgrade, _ configuration: SQLiteStoreConfiguration
    ) throws(MetadataError) -> Connection? {
        let connection = try openWriter(file, configuration)
        try Schema.prepare(connection)
        let isFormer: Bool
        do { isFormer = try PageUpgrade.isNeeded(by: connection) } catch { throw MetadataError(error) }
        if !isFormer {
            // The byte that says so is not among those that are compared where it says no.
            guard connection.hasPageChecks else { throw .damaged("damaged page 1 of \(file)") }
            return connection
        }
        try upgrade.write(from: connection)
        return nil
    }

    /// What a store of the first format holds is in no log: a base keeps it before anything else happens.
    private static func keepFormerFormat(_ folder: DataFolder, _ rows: Rows) throws(MetadataError) {
        let applied = try rows.viewState().applied
        guard applied.lsn > 0, applied.segment == 0 else { return }
        _ = try Bases(folder: folder).make(from: rows.connection)
    }

    private static func openWriter(
        _ file: String, _ configuration: SQLiteStoreConfiguration
    ) throws(MetadataError) -> Connection {
        do {
            let connection = try Connection.open(file, mode: .readWrite)
            let wait = configuration.readerWait.components
            let wait_ms =
                wait.seconds.multipliedReportingOverflow(by: 1000).partialValue
                &+ wait.attoseconds / 1_000_000_000_000_000
            connection.setBusyTimeout(Int32(clamping: wait_ms))
            try connection.run(
                script: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = NORMAL;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA mmap_size = 0;
                    PRAGMA cache_size = -\(max(0, configuration.writerCacheSize_kib));
                    PRAGMA journal_size_limit = \(max(0, configuration.walSizeMax));
                    """)
            // Where a file beside the database could not be opened for writing, the library would find out at the first commit.
            try connection.begin()
            try connection.rollback()
            return connection
        } catch {
            throw MetadataError(error)
        }
    }

    /// Answers what waits, empties the write-ahead log and refuses everything after.
    public func close() async {
        readers.close()
        await committer.close()
    }

    public var statistics: CommitStatistics { committer.statistics }

    func read<Result>(_ body: (Rows) throws(MetadataError) -> Result) throws(MetadataError) -> Result {
        try pool.blocking { () throws(MetadataError) in try readers.read(body) }
    }

    // MARK: Reads

    public func bucket(named name: BucketName) async throws(MetadataError) -> Bucket? {
        catalog.withLock { $0.bucket(named: name) }
    }

    public func buckets(after: BucketName?, prefix: [UInt8], limit: Int) async throws(MetadataError) -> [Bucket] {
        try read { (rows) throws(MetadataError) in try rows.buckets(after: after, prefix: prefix, limit: limit) }
    }

    public func version(
        of key: ObjectKey, in bucket: BucketID, version: VersionID?
    ) async throws(MetadataError) -> ObjectVersion? {
        let (known, ticket) = cache.find(key, in: bucket)
        if let known, version == nil || version == known.versionID { return known }
        let found = try read { (rows) throws(MetadataError) in try rows.version(of: key, in: bucket, version) }
        if let found, found.isLatest { cache.remember(found, in: bucket, ticket) }
        return found
    }

    public func blob(_ id: BlobID) async throws(MetadataError) -> StoredBlob? {
        try read { (rows) throws(MetadataError) in try rows.blob(id) }
    }

    public func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage {
        try read { (rows) throws(MetadataError) in try rows.listObjects(query) }
    }

    public func listVersions(_ query: ListVersionsQuery) async throws(MetadataError) -> ListVersionsPage {
        try read { (rows) throws(MetadataError) in try rows.listVersions(query) }
    }

    public func upload(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) -> Upload? {
        try read { (rows) throws(MetadataError) in try rows.upload(id, of: key, in: bucket) }
    }

    public func listUploads(_ query: ListUploadsQuery) async throws(MetadataError) -> ListUploadsPage {
        try read { (rows) throws(MetadataError) in try rows.listUploads(query) }
    }

    public func parts(
        of upload: UploadID, after: Int, limit: Int
    ) async throws(MetadataError) -> [UploadedPart] {
        try read { (rows) throws(MetadataError) in try rows.parts(of: upload, after: after, limit: limit) }
    }

    public func user(accessKey: [UInt8]) async throws(MetadataError) -> User? {
        catalog.withLock { $0.user(accessKey: accessKey) }
    }

    public func users() async throws(MetadataError) -> [User] {
        try read { (rows) throws(MetadataError) in try rows.users() }
    }

    public func garbage(limit: Int) async throws(MetadataError) -> [BlobID] {
        try read { (rows) throws(MetadataError) in try rows.garbage(limit: limit) }
    }

    // MARK: Writes

    public func createBucket(
        named name: BucketName, owner: String, at now: Timestamp
    ) async throws(MetadataError) -> Bucket {
        guard case .bucket(let bucket) = try await committer.submit(.createBucket(name, owner: owner, at: now)) else {
            throw Self.wrongAnswer
        }
        return bucket
    }

    public func deleteBucket(_ id: BucketID) async throws(MetadataError) {
        _ = try await committer.submit(.deleteBucket(id))
    }

    public func setVersioning(_ state: VersioningState, of bucket: BucketID) async throws(MetadataError) {
        _ = try await committer.submit(.setVersioning(state, bucket))
    }

    public func configure(
        _ bucket: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?
    ) async throws(MetadataError) {
        _ = try await committer.submit(.configure(bucket, kind, document))
    }

    public func publish(_ new: NewVersion) async throws(MetadataError) -> ObjectVersion {
        guard case .version(let version) = try await committer.submit(.publish(new)) else { throw Self.wrongAnswer }
        return version
    }

    public func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        guard case .deleted(let result) = try await committer.submit(.delete(request)) else { throw Self.wrongAnswer }
        return result
    }

    public func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>] {
        await committer.submit(requests.map { .delete($0) }).map { result in
            switch result {
            case .success(.deleted(let result)): .success(result)
            case .success: .failure(Self.wrongAnswer)
            case .failure(let error): .failure(error)
            }
        }
    }

    public func setTags(
        _ tags: [Tag], of key: ObjectKey, in bucket: BucketID, version: VersionID?, event: EventDraft?
    ) async throws(MetadataError) -> VersionID {
        guard case .versionID(let id) = try await committer.submit(.setTags(tags, key, bucket, version, event)) else {
            throw Self.wrongAnswer
        }
        return id
    }

    public func createUpload(_ upload: Upload) async throws(MetadataError) {
        _ = try await committer.submit(.createUpload(upload))
    }

    public func putPart(
        _ part: UploadedPart, blob: NewBlob?, of upload: UploadID, key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        _ = try await committer.submit(.putPart(part, blob, upload, key, bucket))
    }

    public func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion {
        guard case .version(let version) = try await committer.submit(.completeUpload(request)) else {
            throw Self.wrongAnswer
        }
        return version
    }

    public func abortUpload(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        _ = try await committer.submit(.abortUpload(id, key, bucket))
    }

    public func addUser(_ user: User) async throws(MetadataError) {
        _ = try await committer.submit(.addUser(user))
    }

    public func updateUser(_ user: User) async throws(MetadataError) {
        _ = try await committer.submit(.updateUser(user))
    }

    public func forgetGarbage(_ blobs: [BlobID]) async throws(MetadataError) {
        _ = try await committer.submit(.forgetGarbage(blobs))
    }

    private static var wrongAnswer: MetadataError { .broken("the committer answered another question") }
}
