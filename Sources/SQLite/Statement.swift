import CSQLite

/// One prepared statement of a connection, lent by `Connection.with` for the length of a closure.
///
/// Parameters count from 1, columns from 0. A parameter that could not be bound, and text that could not be prepared, are
/// reported by the next `step`. On the thread that uses the connection only.
@safe public final class Statement {
    // Owned: prepared by `prepare`, finalized in deinit. Nil when preparing failed.
    private let handle: OpaquePointer?
    private var failure: SQLiteError?
    /// Set while lent, so that a nested use of the same text gets a statement of its own.
    var isLent = false
    var isPrepared: Bool { unsafe handle != nil }

    private init(handle: OpaquePointer?, failure: SQLiteError?) {
        unsafe self.handle = handle
        self.failure = failure
    }

    deinit {
        // SAFETY: the handle came from sqlite3_prepare_v3 and is not used after this; nil is allowed.
        unsafe sqlite3_finalize(handle)
    }

    /// `connection` is open and outlives the statement.
    static func prepare(_ sql: StaticString, on connection: OpaquePointer) -> Statement {
        guard sql.hasPointerRepresentation else {
            return unsafe Statement(
                handle: nil, failure: SQLiteError(code: SQLITE_MISUSE, message: "statement of one character"))
        }
        var handle: OpaquePointer?
        // SAFETY: a static string lives for ever; the length is its own.
        let code = sql.withUTF8Buffer { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe sqlite3_prepare_v3(
                    connection, text.baseAddress, Int32(clamping: text.count), UInt32(SQLITE_PREPARE_PERSISTENT),
                    &handle,
                    nil)
            }
        }
        if code == SQLITE_OK { return unsafe Statement(handle: handle, failure: nil) }
        return unsafe Statement(handle: nil, failure: SQLiteError(code, on: connection))
    }

    // MARK: Parameters

    public func bind(_ value: Int64, at index: Int32) {
        // SAFETY: a nil handle makes the library answer SQLITE_MISUSE.
        note(unsafe sqlite3_bind_int64(handle, index, value))
    }

    public func bind(_ value: Int64?, at index: Int32) {
        if let value { bind(value, at: index) } else { bindNull(at: index) }
    }

    public func bind(_ value: Bool, at index: Int32) { bind(value ? 1 : 0, at: index) }

    /// Copies the bytes. An empty array is an empty blob, not null.
    public func bind(_ bytes: [UInt8], at index: Int32) {
        // SAFETY: the library copies within the call; the count is the array's. A nil address would bind null.
        let code = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard !buffer.isEmpty else { return unsafe sqlite3_bind_zeroblob(handle, index, 0) }
            guard let count = Int32(exactly: buffer.count) else { return SQLITE_TOOBIG }
            return unsafe csqlite_bind_blob_copy(handle, index, buffer.baseAddress, count)
        }
        note(code)
    }

    public func bind(_ bytes: [UInt8]?, at index: Int32) {
        if let bytes { bind(bytes, at: index) } else { bindNull(at: index) }
    }

    /// Copies the text.
    public func bind(_ text: String, at index: Int32) {
        var text = text
        // SAFETY: the library copies within the call; the count is the buffer's.
        let code = text.withUTF8 { utf8 in
            guard let count = Int32(exactly: utf8.count) else { return SQLITE_TOOBIG }
            return unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else {
                    return unsafe csqlite_bind_text_copy(handle, index, "", 0)
                }
                return unsafe csqlite_bind_text_copy(handle, index, start, count)
            }
        }
        note(code)
    }

    public func bind(_ text: String?, at index: Int32) {
        if let text { bind(text, at: index) } else { bindNull(at: index) }
    }

    public func bindNull(at index: Int32) {
        note(unsafe sqlite3_bind_null(handle, index))
    }

    // MARK: Running

    /// True when a row stands ready, false at the end.
    public func step() throws(SQLiteError) -> Bool {
        if let failure { throw failure }
        // SAFETY: without a failure the handle is a live statement.
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw unsafe SQLiteError(code, on: sqlite3_db_handle(handle))
        }
    }

    /// Makes the statement ready to run again from its start; parameters keep their values.
    public func restart() {
        unsafe sqlite3_reset(handle)
    }

    func finish() {
        isLent = false
        // Clearing the parameters of no statement is not allowed; a text that was not prepared keeps its failure.
        guard isPrepared else { return }
        failure = nil
        // SAFETY: a live statement. The error that reset repeats was thrown by `step`.
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    // MARK: Columns of the row that stands ready

    /// 0 for null.
    public func int64(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    public func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

    public func optionalInt64(_ column: Int32) -> Int64? { isNull(column) ? nil : int64(column) }

    /// Lends the bytes of a blob or text; empty for null.
    public func withBytes<Result, Failure: Error>(
        _ column: Int32, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the library keeps the bytes until the next step or reset, both of which need this object, and asks that
        // the blob be taken before its length. Nil comes with length 0 only.
        let start = unsafe sqlite3_column_blob(handle, column)
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return try body(unsafe UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self).span)
    }

    /// A copy; empty for null.
    public func bytes(_ column: Int32) -> [UInt8] {
        // SAFETY: as in `withBytes`; copied before anything else happens.
        guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    public func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// Empty for null; what is not UTF-8 is replaced.
    public func text(_ column: Int32) -> String {
        // SAFETY: as in `bytes`.
        guard let start = unsafe sqlite3_column_text(handle, column) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    public func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    private func note(_ code: Int32) {
        if code != SQLITE_OK, failure == nil {
            failure = SQLiteError(code: code, message: "binding a parameter")
        }
    }
}
