import RedoLog
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

    @Test func `the second schema keeps its counts of live bytes`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try connection.run(
            script: """
                ALTER TABLE view_state DROP COLUMN uncounted_segment;
                ALTER TABLE view_state DROP COLUMN uncounted;
                DROP TABLE assets;
                DROP TABLE hooks;
                DROP TABLE events;
                DROP TABLE job_state;
                DROP TABLE job_groups;
                DROP TABLE jobs;
                DROP TABLE targets;
                DROP TABLE asset_changes;
                ALTER TABLE buckets DROP COLUMN assets;
                ALTER TABLE buckets DROP COLUMN configuration;
                INSERT INTO segments VALUES (1, 100);
                UPDATE view_state SET lsn = 9, segment = 1;
                PRAGMA user_version = 2;
                """)
        try Schema.prepare(connection)
        let rows = Rows(connection: connection)
        #expect(try rows.viewState().applied.lsn == 9)
        #expect(try rows.liveBytes()[1] == 100)
    }

    @Test func `the fifth schema gets the tables of hooks, events and jobs`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        let expected = try Tables.dump(connection)
        for table in ["hooks", "events", "job_state", "job_groups", "jobs", "targets"] {
            try connection.run(script: "DROP TABLE \(table)")
        }
        try connection.run(script: "ALTER TABLE buckets DROP COLUMN configuration; PRAGMA user_version = 5")
        try Schema.prepare(connection)
        #expect(try Tables.dump(connection) == expected && Rows(connection: connection).plannedEvents() == 0)
    }

    @Test func `the sixth schema gets the table of targets`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try connection.run(
            script: """
                DROP TABLE targets;
                DROP INDEX job_groups_unique;
                ALTER TABLE job_groups DROP COLUMN uniqueness;
                ALTER TABLE buckets DROP COLUMN configuration;
                PRAGMA user_version = 6
                """)
        try Schema.prepare(connection)
        #expect(try Rows(connection: connection).targets().isEmpty && Schema.found(in: connection) == Schema.version)
    }

    @Test func `the seventh schema learns which runs are unique`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try connection.run(
            script: """
                DROP INDEX job_groups_unique;
                ALTER TABLE job_groups DROP COLUMN uniqueness;
                ALTER TABLE buckets DROP COLUMN configuration;
                PRAGMA user_version = 7
                """)
        try Schema.prepare(connection)
        #expect(try Rows(connection: connection).openGroups([1]).isEmpty)
        #expect(try Schema.found(in: connection) == Schema.version)
    }

    @Test func `the eighth schema keeps its buckets, which have no configuration yet`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try connection.run(
            script: """
                ALTER TABLE buckets DROP COLUMN configuration;
                INSERT INTO buckets VALUES (7, CAST('photos' AS BLOB), 'alice', 1, 1, 1);
                PRAGMA user_version = 8
                """)
        try Schema.prepare(connection)
        let buckets = try Rows(connection: connection).buckets(after: nil, prefix: [], limit: 2)
        #expect(buckets.map(\.id.value) == [7] && buckets.allSatisfy { $0.configuration.isEmpty && $0.assets == true })
        #expect(try Schema.found(in: connection) == Schema.version)
    }

    @Test func `live bytes of the segment being written join the table when the next one is written`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        let rows = Rows(connection: connection)
        var writer = RowWriter(connection)
        var state = try rows.viewState()

        func add(_ id: UInt64, _ length: UInt32, to segment: UInt64) throws {
            var decision = Decision(sequence: 0)
            decision.changes = [.blobAdded(BlobID(id), size: UInt64(length), crc32c: nil, isInLog: true)]
            let place = PayloadPlace(segment: segment, offset: 512, length: length, crc32c: 0)
            try writer.apply(decision, payloadAt: place)
            try writer.flush(&state.uncounted, writing: segment)
            try connection.put(state)
        }
        func counted() throws -> Int64 {
            try connection.with("SELECT sum(live) FROM segments") { (row) throws in try row.step() ? row.int64(0) : 0 }
        }
        try add(1, 10, to: 1)
        try add(2, 20, to: 1)
        #expect(try counted() == 0)
        #expect(try rows.liveBytes()[1] == 30)
        try add(3, 5, to: 2)
        #expect(try counted() == 30)
        #expect(try rows.liveBytes().filter { $0.value > 0 } == [1: 30, 2: 5])
        var decision = Decision(sequence: 0)
        decision.changes = [.garbage([BlobID(1), BlobID(3)], position: 1)]
        try writer.apply(decision, payloadAt: nil)
        try writer.flush(&state.uncounted, writing: 2)
        try connection.put(state)
        #expect(try rows.liveBytes().filter { $0.value > 0 } == [1: 20])
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
