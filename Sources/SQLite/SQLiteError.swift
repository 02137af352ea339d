import CSQLite

/// A call of the library that failed.
public struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The extended result code (sqlite.org/rescode.html).
    public let code: Int32
    /// The library's own words; for the log.
    public let message: String

    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// The result code without its extension.
    public var primaryCode: Int32 { code & 0xFF }

    /// The system failed to read, write or sync a file. What was written may or may not be there.
    public var isInputOutput: Bool { primaryCode == SQLITE_IOERR && !isDamage }
    /// What is stored is not what was written: a page that does not check, or tables that contradict themselves.
    public var isDamage: Bool {
        code == Self.damagedPage || primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB
    }

    /// `SQLITE_IOERR_DATA`, a macro that is not imported.
    static let damagedPage = SQLITE_IOERR | (32 << 8)
    public var isDiskFull: Bool { primaryCode == SQLITE_FULL }
    /// Another connection or statement is in the way, or memory is short: the same call may succeed later.
    public var isTransient: Bool {
        primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED || primaryCode == SQLITE_NOMEM
    }

    public var description: String { code == Self.damagedPage ? message : "SQLite \(code): \(message)" }
}
