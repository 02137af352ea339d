import Files
import SQLite
import TestSupport
import Testing

/// A page that is not what was written is an error, and never an answer.
@Suite struct PageChecksTests {
    let folder: TemporaryFolder
    let disk = LinuxDisk()
    var path: String { folder.file("t.db") }

    init() throws { folder = try TemporaryFolder() }

    private static let script = """
        PRAGMA journal_mode = WAL;
        CREATE TABLE t (a INTEGER, b BLOB);
        CREATE INDEX i ON t (a, b);
        WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 600)
        INSERT INTO t SELECT x * 7919 % 601, randomblob(x % 50 * 20 + x / 597 * 9000) FROM n;
        """

    /// Rows in a table and an index, with pages that overflow.
    private func make() throws -> Connection {
        let connection = try Connection.open(path, mode: .readWrite)
        try connection.run(script: Self.script)
        return connection
    }

    /// What the table and the index hold.
    private func contents(_ connection: Connection) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        let queries: [StaticString] = [
            "SELECT a, b FROM t NOT INDEXED ORDER BY rowid", "SELECT a, b FROM t INDEXED BY i ORDER BY a",
        ]
        for sql in queries {
            try connection.with(sql) { (row) throws in
                while try row.step() { found.append([UInt8("\(row.int64(0))".utf8.count)] + row.bytes(1)) }
            }
        }
        return found
    }

    /// How a new reader fails; nil where it reads what is expected.
    private func refusal(to expected: [[UInt8]], _ bit: Int) throws -> SQLiteError? {
        do {
            let found = try contents(try Connection.open(path, mode: .queryOnly))
            #expect(found == expected, "bit \(bit)")
            return nil
        } catch {
            return try #require(error as? SQLiteError)
        }
    }

    /// Flips a bit, calls `body`, and flips it back.
    private func flipping(_ bit: Int, of path: String, _ body: () throws -> Void) throws {
        let file = try disk.open(path, .update)
        let place = UInt64(bit / 8)
        var byte: [UInt8] = [0]
        #expect(try file.read(at: place, into: &byte) == 1)
        try file.write([byte[0] ^ (1 << (bit % 8))].span, at: place)
        try body()
        try file.write(byte.span, at: place)
    }

    /// Places spread over a file of so many bytes, all of the first hundred bytes among them.
    private func bits(of size: Int, count: Int) -> [Int] {
        Array(0..<800) + (0..<count).map { $0 &* 2_654_435_761 % (size * 8) }
    }

    @Test func `each page that is written carries its check value, in its own place only`() throws {
        let connection = try make()
        #expect(connection.hasPageChecks)
        #expect(try connection.checkpoint(.truncating))
        let bytes = try #require(try disk.contents(of: path, sizeMax: 10 << 20))
        let isMarked = PageChecks.areIn(header: bytes.span)
        #expect(isMarked && bytes.count > 40 * PageChecks.pageSize)
        for number in 0..<bytes.count / PageChecks.pageSize {
            let page = bytes.span.extracting(number * PageChecks.pageSize..<(number + 1) * PageChecks.pageSize)
            let (isWhole, isWholeElsewhere) = (
                PageChecks.isWhole(page, number: Int64(number + 1)), PageChecks.isWhole(page, number: Int64(number + 2))
            )
            #expect(isWhole && !isWholeElsewhere)
        }
    }

    @Test func `a bit that flipped in the file is an error that names the page, or nobody asks for it`() throws {
        var connection: Connection? = try make()
        #expect(try connection?.checkpoint(.truncating) == true)
        let expected = try contents(try #require(connection))
        connection = nil
        let size = Int(try disk.open(path, .read).size())
        var refusals = 0
        for bit in bits(of: size, count: 400) {
            try flipping(bit, of: path) {
                guard let error = try refusal(to: expected, bit) else { return }
                refusals += 1
                #expect(error.isDamage && !error.isInputOutput, "bit \(bit): \(error)")
                let page = bit / 8 / PageChecks.pageSize + 1
                // Without the byte that says that pages have check values, the file contradicts itself.
                if bit / 8 == 20 { return }
                #expect(error.message.contains("damaged page \(page) of \(path)"), "bit \(bit): \(error)")
            }
        }
        // The page that holds the tables' names, and nearly all others.
        #expect(refusals > 800 + 300)
        #expect(try contents(try Connection.open(path, mode: .queryOnly)) == expected)
    }

    @Test func `a bit that flipped in the write-ahead log is an error of whoever reads that page`() throws {
        let writer = try make()
        let expected = try contents(writer)
        let log = path + "-wal"
        let size = Int(try disk.open(log, .read).size())
        var refusals = 0
        for bit in bits(of: size, count: 400) {
            try flipping(bit, of: log) {
                guard let error = try refusal(to: expected, bit) else { return }
                refusals += 1
                #expect(error.isDamage && error.message.contains("t.db-wal"), "bit \(bit): \(error)")
            }
        }
        #expect(refusals > 100)
        #expect(try contents(try Connection.open(path, mode: .queryOnly)) == expected)
        // What is damaged is not carried over into the file either.
        let frame = (size - 32) / (PageChecks.pageSize + 24) - 1
        try flipping((32 + frame * (PageChecks.pageSize + 24) + 24 + 2_000) * 8, of: log) {
            #expect { try writer.checkpoint(.passive) } throws: { ($0 as? SQLiteError)?.isDamage == true }
        }
        #expect(try writer.checkpoint(.truncating))
        #expect(try contents(writer) == expected)
    }

    @Test func `transactions larger than the cache are read by others and copied into the file as they are`() throws {
        let writer = try make()
        try writer.run(script: "PRAGMA cache_size = 10")
        let reader = try Connection.open(path, mode: .queryOnly)
        for round in 0..<4 {
            try writer.begin()
            for _ in 0..<3 { try writer.run(script: "UPDATE t SET b = randomblob(length(b) + \(round)), a = a + 1") }
            if round == 2 { try writer.rollback() } else { try writer.commit() }
            #expect(try contents(reader) == contents(writer))
            if round % 2 == 1 { #expect(try writer.checkpoint(.passive)) }
        }
        #expect(try writer.checkpoint(.truncating))
        #expect(try writer.firstFault() == nil)
    }

    @Test func `a copy is checked as its source is`() throws {
        let source = try make()
        let expected = try contents(source)
        do {
            let target = try Connection.open(folder.file("copy.db"), mode: .readWrite)
            try source.copy(to: target)
        }
        let copy = try Connection.open(folder.file("copy.db"), mode: .queryOnly)
        #expect(copy.hasPageChecks)
        #expect(try contents(copy) == expected)
        #expect(try copy.firstFault() == nil)
    }

    @Test func `a file without check values is read and written as it is, copied so, and rewritten with them`() throws {
        let fixture = #filePath.replacing(
            "SQLiteTests/PageChecksTests.swift", with: "MetadataTests/Fixtures/schema-4/meta/main.db")
        let bytes = try #require(try disk.contents(of: fixture, sizeMax: 10 << 20))
        try disk.open(folder.file("old.db"), .create).write(bytes.span, at: 0)
        func keys(_ connection: Connection) throws -> [[UInt8]] {
            try connection.with("SELECT key, etag FROM versions ORDER BY key, seq") { (row) throws in
                var found: [[UInt8]] = []
                while try row.step() { found.append(row.bytes(0) + row.bytes(1)) }
                return found
            }
        }
        let connection = try Connection.open(folder.file("old.db"), mode: .readWrite)
        #expect(!connection.hasPageChecks)
        try connection.run(
            script: "UPDATE versions SET etag = randomblob(16); INSERT INTO manifests VALUES (1, zeroblob(90000))")
        let expected = try keys(connection)
        #expect(expected.count == 4)
        do {
            let target = try Connection.open(folder.file("copy.db"), mode: .readWrite)
            try target.run(script: "PRAGMA cache_size = 10")
            try connection.copy(to: target)
            #expect(try keys(target) == expected)
        }
        let copy = try Connection.open(folder.file("copy.db"), mode: .queryOnly)
        #expect(!copy.hasPageChecks)
        #expect(try copy.firstFault() == nil)
        try connection.rewrite(into: folder.file("new.db"))
        let new = try Connection.open(folder.file("new.db"), mode: .queryOnly)
        #expect(new.hasPageChecks)
        #expect(try keys(new) == expected)
        #expect(try new.firstFault() == nil)
    }
}
