import SQLite
import TestSupport
import Testing

@testable import Metadata

@Suite struct SchemaTests {
    private func refusal(after script: String) throws -> MetadataError? {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try connection.run(script: script)
        do {
            try Schema.prepare(connection)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a newer schema is refused by its number`() throws {
        guard case .broken(let reason) = try refusal(after: "PRAGMA user_version = 99") else {
            Issue.record("accepted")
            return
        }
        #expect(reason.contains("schema 99") && reason.contains("schema \(Schema.version)"))
    }

    @Test func `a database of another program is refused`() throws {
        #expect(try refusal(after: "CREATE TABLE t (x)") == .broken("main.db is a database of another program"))
    }

    @Test func `an empty file is made ready, once`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try Schema.prepare(connection)
        #expect(try Rows(connection: connection).viewState().sequence == 0)
    }

    @Test func `a listing reads nothing but its index`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        let plan = try connection.with(
            """
            EXPLAIN QUERY PLAN SELECT key, seq, version, modified, owner, size, etag, etag_parts, checksum, storage
            FROM versions INDEXED BY versions_listing
            WHERE bucket = ?1 AND key >= ?2 AND latest = 1 AND marker = 0 ORDER BY key
            """
        ) { (row) throws in
            var lines: [String] = []
            while try row.step() { lines.append(row.text(3)) }
            return lines
        }
        #expect(plan == ["SEARCH versions USING COVERING INDEX versions_listing (bucket=? AND key>?)"])
    }
}
