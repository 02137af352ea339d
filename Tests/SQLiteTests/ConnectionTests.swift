import SQLite
import TestSupport
import Testing

@Suite struct ConnectionTests {
    private func open(_ folder: TemporaryFolder, script: String = "CREATE TABLE t (a, b)") throws -> Connection {
        let connection = try Connection.open(folder.path + "/t.db", mode: .readWrite)
        try connection.run(script: "PRAGMA journal_mode = WAL;" + script)
        return connection
    }

    private func count(_ connection: Connection) throws -> Int64 {
        try connection.with("SELECT count(*) FROM t") { (row) throws in try row.step() ? row.int64(0) : -1 }
    }

    @Test func `values come back as they were bound`() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        let bytes = [UInt8](0...255)
        try connection.with("INSERT INTO t VALUES (?1, ?2), (?3, ?4), (?5, ?6)") { (statement) throws in
            statement.bind(Int64.min, at: 1)
            statement.bind(bytes, at: 2)
            statement.bind([UInt8](), at: 3)
            statement.bindNull(at: 4)
            statement.bind("å\u{0}b", at: 5)
            statement.bind("", at: 6)
            #expect(try !statement.step())
        }
        try connection.with("SELECT a, b FROM t ORDER BY rowid") { (row) throws in
            #expect(try row.step())
            #expect(row.int64(0) == Int64.min)
            #expect(row.bytes(1) == bytes)
            #expect(row.withBytes(1) { $0.count } == 256)
            #expect(try row.step())
            #expect(!row.isNull(0) && row.optionalBytes(0) == [])
            #expect(row.isNull(1) && row.optionalInt64(1) == nil && row.withBytes(1) { $0.isEmpty })
            #expect(try row.step())
            #expect(row.text(0) == "å\u{0}b")
            #expect(row.optionalText(1) == "")
            #expect(try !row.step())
        }
    }

    @Test func `a statement that cannot be prepared or bound says so when it runs`() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        #expect(throws: SQLiteError.self) { try connection.execute("SELECT * FROM nowhere") }
        for _ in 0..<2 {
            #expect(throws: SQLiteError.self) {
                try connection.with("SELECT ?1") { (statement) throws in
                    statement.bind(1, at: 2)
                    _ = try statement.step()
                }
            }
        }
        try connection.with("SELECT ?1") { (statement) throws in
            statement.bind(1, at: 1)
            #expect(try statement.step())
        }
    }

    @Test func `the same text may be used within itself, and its parameters do not last`() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        func number(_ value: Int64, _ depth: Int) throws -> [Int64] {
            try connection.with("SELECT ?1") { (row) throws in
                row.bind(value, at: 1)
                guard try row.step() else { return [] }
                return depth == 0 ? [row.int64(0)] : try number(value + 1, depth - 1) + [row.int64(0)]
            }
        }
        #expect(try number(1, 2) == [3, 2, 1])
        #expect(try connection.with("SELECT ?1") { (row) throws in try row.step() && row.isNull(0) })
    }

    @Test func `a savepoint undoes its own rows and a rollback all`() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.begin()
        #expect(connection.isInTransaction)
        try connection.savepoint()
        try connection.execute("INSERT INTO t VALUES (1, 1)")
        try connection.release()
        try connection.savepoint()
        try connection.execute("INSERT INTO t VALUES (2, 2)")
        try connection.rollbackToSavepoint()
        #expect(try count(connection) == 1)
        try connection.commit()
        try connection.begin()
        try connection.execute("DELETE FROM t")
        try connection.rollback()
        try connection.rollback()
        #expect(!connection.isInTransaction)
        #expect(try count(connection) == 1)
    }

    @Test func `a query-only connection sees commits and changes nothing`() throws {
        let folder = try TemporaryFolder()
        let writer = try open(folder)
        let reader = try Connection.open(folder.path + "/t.db", mode: .queryOnly)
        #expect(try count(reader) == 0)
        try writer.begin()
        try writer.execute("INSERT INTO t VALUES (1, 1)")
        #expect(try count(reader) == 0)
        try writer.commit()
        #expect(try count(reader) == 1)
        #expect(throws: SQLiteError.self) { try reader.execute("DELETE FROM t") }
    }

    @Test func `the log grows with commits and is cut when no reader is in the way`() throws {
        let folder = try TemporaryFolder()
        let writer = try open(folder)
        let reader = try Connection.open(folder.path + "/t.db", mode: .queryOnly)
        try writer.execute("INSERT INTO t VALUES (1, 1)")
        let pages = writer.walPageCount
        #expect(pages > 0)
        try reader.with("SELECT * FROM t") { (row) throws in
            #expect(try row.step())
            try writer.execute("INSERT INTO t VALUES (2, 2)")
            #expect(writer.walPageCount > pages)
            #expect(try !writer.checkpoint(.truncating))
            #expect(try writer.checkpoint(.passive))
        }
        #expect(try writer.checkpoint(.truncating))
        #expect(writer.walPageCount == 0)
        #expect(try count(reader) == 2)
    }

    @Test func `a folder or a foreign file is refused with its name`() throws {
        let folder = try TemporaryFolder()
        #expect {
            _ = try Connection.open(folder.path + "/none/t.db", mode: .readWrite)
        } throws: { error in
            (error as? SQLiteError)?.message.contains("/none/t.db") == true
        }
        #expect(throws: SQLiteError.self) { _ = try Connection.open(folder.path + "/none.db", mode: .queryOnly) }
    }
}
