import CPageChecks
import CSQLite

/// One connection to a database file, with the statements prepared on it. Pages of files that this program made carry check
/// values (`PageChecks`): one that does not check is an error of the call that needs it.
///
/// May move between threads, but is used by one at a time: the library's own locks are off. Statements are finished before
/// `with` returns, so no read transaction outlives it unless `begin` opened one.
// @unchecked: whoever holds the connection sees to it that one thread uses it at a time.
@safe public final class Connection: @unchecked Sendable {
    public enum Mode: Sendable {
        /// Makes the file when it is missing.
        case readWrite
        /// Refuses to change anything, and never checkpoints.
        case queryOnly
    }

    // Owned: opened by `open`, closed in deinit.
    private let handle: OpaquePointer
    /// By the address of the text, which is static: no hashing of SQL on the hot path.
    private var statements: [UInt: Statement] = [:]
    /// Pages in the write-ahead log after this connection's last commit.
    public private(set) var walPageCount = 0

    private init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit {
        statements.removeAll()
        // SAFETY: nobody holds the connection any more; v2 waits for a statement that somebody kept.
        unsafe sqlite3_close_v2(handle)
    }

    /// `path` is a file name, never a URI.
    public static func open(_ path: String, mode: Mode) throws(SQLiteError) -> Connection {
        try PageChecks.register()
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE
        if mode == .readWrite { flags |= SQLITE_OPEN_CREATE }
        var handle: OpaquePointer?
        let code = unsafe sqlite3_open_v2(path, &handle, flags, CPAGECHECKS_NAME)
        guard let opened = unsafe handle, code == SQLITE_OK else {
            let error = unsafe SQLiteError(code, on: handle)
            // SAFETY: a failed open may leave a handle that must be closed; nil is allowed.
            unsafe sqlite3_close_v2(handle)
            throw SQLiteError(code: code, message: "\(path): \(error.message)")
        }
        let connection = unsafe Connection(owning: opened)
        if mode == .readWrite {
            let code = unsafe cpagechecks_make_room(opened)
            if code != SQLITE_OK { throw connection.lastError(code) }
        }
        // The library falls back to reading where it may not write, and every later write would fail.
        if unsafe sqlite3_db_readonly(opened, "main") == 1 {
            throw SQLiteError(code: SQLITE_CANTOPEN, message: "\(path): cannot be opened for writing")
        }
        try connection.execute("PRAGMA wal_autocheckpoint = 0")
        // SAFETY: the hook is called by commits on this connection only, which `connection` outlives.
        unsafe sqlite3_wal_hook(
            opened,
            { context, _, _, pages in
                if let context = unsafe context {
                    unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walPageCount = Int(pages)
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(connection).toOpaque())
        if mode == .queryOnly {
            let code = unsafe csqlite_no_checkpoint_on_close(opened)
            if code != SQLITE_OK { throw SQLiteError(code: code, message: "NO_CKPT_ON_CLOSE") }
            try connection.execute("PRAGMA query_only = ON")
        }
        return connection
    }

    // MARK: Statements

    /// Lends the statement of this text, prepared once; resets it and clears its parameters afterwards.
    public func with<Result, Failure: Error>(
        _ sql: StaticString, _ body: (Statement) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let statement = statement(of: sql)
        defer { statement.finish() }
        return try body(statement)
    }

    private func statement(of sql: StaticString) -> Statement {
        // SAFETY: the address is a name here and never read through.
        let name = unsafe sql.hasPointerRepresentation ? UInt(bitPattern: sql.utf8Start) : 0
        if let known = statements[name], !known.isLent {
            known.isLent = true
            return known
        }
        // SAFETY: the handle is open as long as self, and `statements` goes before it.
        let prepared = unsafe Statement.prepare(sql, on: handle)
        if statements[name] == nil, prepared.isPrepared {
            statements[name] = prepared
            prepared.isLent = true
        }
        return prepared
    }

    /// Runs one statement to its end and drops its rows.
    public func execute(_ sql: StaticString) throws(SQLiteError) {
        try with(sql) { (statement) throws(SQLiteError) in
            while try statement.step() {}
        }
    }

    /// Runs several statements, prepared for this once: schemas and settings made of numbers.
    public func run(script: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(handle, script, nil, nil, nil)
        if code != SQLITE_OK { throw lastError(code) }
    }

    // MARK: Transactions

    /// Takes the write lock at once, so that nothing later in the transaction can fail for want of it.
    public func begin() throws(SQLiteError) { try execute("BEGIN IMMEDIATE") }
    /// Reads of one snapshot follow, until `rollback`.
    public func beginReading() throws(SQLiteError) { try execute("BEGIN DEFERRED") }
    public func commit() throws(SQLiteError) { try execute("COMMIT") }

    /// Ends the transaction if one is open: after some errors the library has rolled back by itself.
    public func rollback() throws(SQLiteError) {
        if isInTransaction { try execute("ROLLBACK") }
    }

    public var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    /// Opens a transaction within the open one. They do not nest further.
    public func savepoint() throws(SQLiteError) { try execute("SAVEPOINT request") }
    public func release() throws(SQLiteError) { try execute("RELEASE request") }
    public func rollbackToSavepoint() throws(SQLiteError) {
        try execute("ROLLBACK TO request")
        try execute("RELEASE request")
    }

    // MARK: The log

    /// How long a call waits for other connections before it answers SQLITE_BUSY.
    public func setBusyTimeout(_ milliseconds: Int32) { unsafe sqlite3_busy_timeout(handle, milliseconds) }

    public enum Checkpoint: Sendable {
        /// Copies what no reader is in the way of.
        case passive
        /// Waits for readers as long as the busy timeout says, copies all, and cuts the log to no bytes.
        case truncating
    }

    /// Copies the write-ahead log into the database. False where others were in the way: nothing is lost, and a later call
    /// may succeed. Nothing else checkpoints: the library's automatic checkpoint hides the failure of a sync, after which
    /// a later sync may falsely succeed.
    public func checkpoint(_ kind: Checkpoint) throws(SQLiteError) -> Bool {
        let mode = kind == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        if code & 0xFF == SQLITE_BUSY || code & 0xFF == SQLITE_LOCKED { return false }
        if code != SQLITE_OK { throw lastError(code) }
        if kind == .truncating { walPageCount = 0 }
        return true
    }

    // MARK: Copies

    /// Whether the pages of the file carry check values: those of a former program do not, nor those of a database in memory.
    public var hasPageChecks: Bool {
        var state = cpagechecks_state()
        // SAFETY: `state` is written during the call only.
        return unsafe cpagechecks_get(handle, &state) == SQLITE_OK && state.has_checks != 0
    }

    /// Writes what this database holds into a new file, whose pages carry check values. Nothing is synced.
    public func rewrite(into path: String) throws(SQLiteError) {
        try with("VACUUM INTO ?1") { (statement) throws(SQLiteError) in
            statement.bind(path, at: 1)
            while try statement.step() {}
        }
    }

    /// Replaces the content of `target` by that of this database, as of one moment. Writers of other connections go on meanwhile.
    /// Nothing is synced.
    public func copy(to target: Connection) throws(SQLiteError) {
        // Pages are copied as they are, those of a former program without room for check values. In memory there are none.
        _ = unsafe cpagechecks_set(target.handle, hasPageChecks ? 1 : 0)
        // SAFETY: both handles are open for the length of the call; the backup is finished on every way out.
        guard let backup = unsafe sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw unsafe target.lastError(sqlite3_errcode(target.handle))
        }
        let stepped = unsafe sqlite3_backup_step(backup, -1)
        let finished = unsafe sqlite3_backup_finish(backup)
        if stepped != SQLITE_DONE { throw target.lastError(stepped) }
        if finished != SQLITE_OK { throw target.lastError(finished) }
    }

    /// What is wrong with the file, in the library's words; nil where it is whole. Reads all of it.
    public func firstFault() throws(SQLiteError) -> String? {
        try with("PRAGMA quick_check(1)") { (row) throws(SQLiteError) in
            guard try row.step() else { return "no answer" }
            let text = row.text(0)
            return text.utf8.elementsEqual("ok".utf8) ? nil : text
        }
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    public var changes: Int64 { unsafe sqlite3_changes64(handle) }

    private func lastError(_ code: Int32) -> SQLiteError { unsafe SQLiteError(code, on: handle) }
}
