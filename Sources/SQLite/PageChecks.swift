import CPageChecks
import CSQLite

/// The check values that pages of databases carry: 8 bytes at the end of each page, CRC-64/NVME over the bytes before, begun
/// with the page's number.
public enum PageChecks {
    /// In bytes. All databases of this program have pages of this size.
    public static let pageSize = Int(CPAGECHECKS_PAGE_SIZE)

    /// Whether `page`, of `pageSize` bytes, is page `number` of a database, counted from 1, as it was written.
    public static func isWhole(_ page: Span<UInt8>, number: Int64) -> Bool {
        guard page.count == pageSize else { return false }
        // SAFETY: the page has the length that is read, during the call only.
        return unsafe page.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe cpagechecks_is_whole(start, number) != 0
        }
    }

    /// Whether the pages of a database that begins with `header` carry check values; those that a former program made do not.
    public static func areIn(header: Span<UInt8>) -> Bool {
        header.count > 20 && header[20] == UInt8(CPAGECHECKS_RESERVED)
    }

    /// The page that no database uses, where its locks lie; counted from 1.
    public static let lockPage = Int64(0x4000_0000 / CPAGECHECKS_PAGE_SIZE + 1)
}

/// The library counts its memory under one lock for all connections, which readers on many threads would wait for at each
/// allocation; a refusal costs speed only. Evaluated once, before the first connection.
private let registration: Int32 = {
    _ = csqlite_no_memory_statistics()
    return cpagechecks_register()
}()

extension PageChecks {
    /// Makes the file system of check values known to the library.
    static func register() throws(SQLiteError) {
        if registration != SQLITE_OK {
            throw SQLiteError(code: registration, message: "the library does not take the file system of check values")
        }
    }
}

extension SQLiteError {
    /// The failure of a call on this connection, which is open; nil where there is none.
    init(_ code: Int32, on connection: OpaquePointer?) {
        // SAFETY: the library answers for nil too; its text is copied at once.
        var message = unsafe String(cString: connection == nil ? sqlite3_errstr(code) : sqlite3_errmsg(connection))
        var state = cpagechecks_state()
        // SAFETY: `state` is written during the call only; the name is copied at once.
        if code == Self.damagedPage, unsafe connection != nil, unsafe cpagechecks_get(connection, &state) == SQLITE_OK {
            let name = unsafe sqlite3_db_filename(connection, "main")
            let path = unsafe name.map { unsafe String(cString: $0) } ?? ""
            message = "damaged page \(state.damaged_page) of \(path)\(state.is_in_log != 0 ? "-wal" : "")"
        }
        self.init(code: code, message: message)
    }
}
