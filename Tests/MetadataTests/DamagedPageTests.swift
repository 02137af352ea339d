import Bytes
import Files
import RedoLog
import SQLite
import TestSupport
import Testing

@testable import Metadata

/// A page of the database that is not what was written: what needs it fails, and all else goes on.
@Suite struct DamagedPageTests {
    let folder: TemporaryFolder
    let disk = LinuxDisk()
    var database: String { folder.path + "/store/meta/main.db" }

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> Embedded {
        var configuration = SQLiteStoreConfiguration()
        configuration.ballastBytes = 0
        // Nothing is answered from memory.
        configuration.cachedVersionCountMax = 0
        configuration.writerCacheSize_kib = 0
        configuration.readerCacheSize_kib = 0
        configuration.onFatal = { Issue.record("the store ended: \($0)") }
        return try Embedded(folder: folder, configuration: configuration)
    }

    private func key(_ number: Int) -> String { "key-\(number + 1000)" }

    /// A store, closed, with so many keys in one bucket that they lie on many pages.
    private func filled() async throws -> BucketID {
        let embedded = try open()
        let bucket = try await embedded.subject.bucket()
        for batch in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in batch * 60..<(batch + 1) * 60 {
                    group.addTask { try await embedded.subject.put(key(number), in: bucket, size: UInt64(number)) }
                }
                try await group.waitForAll()
            }
        }
        await embedded.close()
        return bucket
    }

    /// The pages of a table or an index without its root, in order.
    private func leaves(of name: String) throws -> [Int64] {
        let connection = try Connection.open(database, mode: .queryOnly)
        return try connection.with(
            "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path"
        ) { (row) throws in
            row.bind(name, at: 1)
            var found: [Int64] = []
            while try row.step() { found.append(row.int64(0)) }
            return found
        }
    }

    private func flip(page: Int64, byte: UInt64 = 3_000) throws {
        let file = try disk.open(database, .update)
        let place = UInt64(page - 1) * UInt64(PageChecks.pageSize) + byte
        var bytes: [UInt8] = [0]
        #expect(try file.read(at: place, into: &bytes) == 1)
        try file.write([bytes[0] ^ 4].span, at: place)
    }

    private func isDamage(_ error: (any Error)?, page: Int64) -> Bool {
        guard case .damaged(let reason) = error as? MetadataError else { return false }
        return reason.contains("damaged page \(page) of") && reason.hasSuffix("meta/main.db")
    }

    @Test func `versions on a damaged page are refused, and the others are read`() async throws {
        let bucket = try await filled()
        let page = try #require(try leaves(of: "versions").dropFirst(2).first)
        try flip(page: page)
        let embedded = try open()
        var (refused, read) = (0, 0)
        for number in 0..<600 {
            do {
                let version = try #require(try await embedded.subject.get(key(number), in: bucket))
                #expect(version.size == UInt64(number))
                read += 1
            } catch {
                #expect(isDamage(error, page: page), "\(error)")
                refused += 1
            }
        }
        #expect(refused > 5 && read > 400)
        // A listing reads its index, which is whole.
        #expect(try await embedded.subject.list(bucket).keys.count == 600)
        await embedded.close()
    }

    @Test func `a listing over a damaged page of its index is refused, and one of other keys is not`() async throws {
        let bucket = try await filled()
        let page = try #require(try leaves(of: "versions_listing").last)
        try flip(page: page)
        let embedded = try open()
        do {
            _ = try await embedded.subject.list(bucket)
            Issue.record("listed")
        } catch {
            #expect(isDamage(error, page: page), "\(error)")
        }
        #expect(try await embedded.subject.list(bucket, limit: 20).keys.count == 20)
        #expect(try await embedded.subject.get(key(599), in: bucket)?.size == 599)
        await embedded.close()
    }

    @Test func `of a batch only the writes that need the damaged page fail`() async throws {
        let bucket = try await filled()
        let page = try #require(try leaves(of: "versions").dropFirst(2).first)
        try flip(page: page)
        let embedded = try open()
        let requests = (0..<600).map {
            DeleteRequest(bucket: bucket, key: .of(key($0)), version: nil, owner: "alice")
        }
        let results = await embedded.store.delete(requests)
        var left: [Int] = []
        for (number, result) in results.enumerated() {
            if case .failure(let error) = result {
                #expect(isDamage(error, page: page), "\(error)")
                left.append(number)
            }
        }
        #expect(left.count > 5 && left.count < 200)
        #expect(try await embedded.subject.put("new", in: bucket).size == 10)
        await embedded.close()

        // The log has what was answered, and gives the database back.
        let data = try DataFolder.open(folder.path + "/store")
        _ = try SQLiteStore.restoreFromBase(data)
        data.close()
        let again = try open()
        #expect(try await again.subject.list(bucket).keys == left.map(key) + ["new"])
        await again.close()
    }

    @Test func `a store whose first page or list of buckets is damaged does not open, and names the page`() async throws
    {
        _ = try await filled()
        let buckets = try #require(try leaves(of: "buckets").first)
        // Among them the bytes that say how large a page is, whether it has a check value, and which schema this is.
        for (page, byte) in [(1, 16), (1, 20), (1, 28), (1, 63), (1, 2_000), (buckets, 4_000)] as [(Int64, UInt64)] {
            try flip(page: page, byte: byte)
            #expect(performing: { try open() }, throws: { isDamage($0, page: page) })
            try flip(page: page, byte: byte)
        }
        await (try open()).close()
    }

    @Test func `a walk over the pages finds each damaged one, in bases too, and none that is whole`() async throws {
        let bucket = try await filled()
        let embedded = try open()
        _ = try await embedded.store.makeBase()
        try await embedded.subject.put("later", in: bucket)
        #expect(try await embedded.store.damagedPages { _ in true } == [])
        await embedded.close()
        let pages = try leaves(of: "versions").prefix(2).sorted()
        for page in pages { try flip(page: page) }
        let base = try #require(try disk.names(in: folder.path + "/store/base").first)
        let file = try disk.open("\(folder.path)/store/base/\(base)", .update)
        try file.write([1, 2, 3].span, at: 8_500)
        let again = try open()
        let found = try await again.store.damagedPages { _ in true }
        #expect(
            found == pages.map { DamagedPage(file: "meta/main.db", number: $0) }
                + [DamagedPage(file: "base/\(base)", number: 3)])
        await again.close()
    }
}

/// Databases whose pages have no check values yet.
@Suite struct PageUpgradeTests {
    let folder: TemporaryFolder
    let disk = LinuxDisk()
    var database: String { folder.path + "/store/meta/main.db" }

    init() throws {
        folder = try TemporaryFolder()
        let fixture = #filePath.replacing("DamagedPageTests.swift", with: "Fixtures/schema-4")
        for directory in ["", "/meta", "/seg", "/base"] { try disk.makeDirectory(folder.path + "/store" + directory) }
        for file in ["FORMAT", "meta/main.db", "seg/00000001.seg"] {
            let bytes = try #require(try disk.contents(of: "\(fixture)/\(file)", sizeMax: 10 << 20))
            try disk.open("\(folder.path)/store/\(file)", .create).write(bytes.span, at: 0)
        }
    }

    private func check(_ embedded: Embedded) async throws {
        let name = try #require(BucketName("former".utf8))
        let bucket = try #require(try await embedded.store.bucket(named: name)).id
        #expect(try await embedded.subject.list(bucket).keys == ["large", "plain"])
        let plain = try #require(try await embedded.subject.get("plain", in: bucket))
        #expect(plain.attributes.userMetadata.map(\.value) == [[UInt8]("green".utf8)])
        #expect(try await embedded.store.users().count == 1)
        #expect(try await embedded.store.damagedPages { _ in true } == [])
        let connection = try Connection.open(database, mode: .queryOnly)
        #expect(connection.hasPageChecks)
        #expect(try Schema.found(in: connection) == Schema.version)
    }

    @Test func `a database of the fourth schema keeps its rows and gets check values`() async throws {
        let expected = try Tables.dump(database, hasJobs: false)
        let embedded = try Embedded(folder: folder)
        #expect(try Tables.dump(database, hasJobs: false) == expected)
        try await check(embedded)
        await embedded.close()
        let again = try Embedded(folder: folder)
        try await check(again)
        await again.close()
        #expect(try disk.names(in: folder.path + "/store/meta").allSatisfy { !$0.contains("new") })
    }

    @Test func `a base of the fourth schema gives back a database with check values`() async throws {
        let bytes = try #require(try disk.contents(of: database, sizeMax: 10 << 20))
        let lsn = try Rows(connection: try Connection.open(database, mode: .queryOnly)).viewState().applied.lsn
        let data = try DataFolder.open(folder.path + "/store")
        try disk.open(Bases(folder: data).path(of: lsn), .create).write(bytes.span, at: 0)
        #expect(try SQLiteStore.restoreFromBase(data) == lsn)
        data.close()
        let embedded = try Embedded(folder: folder)
        try await check(embedded)
        await embedded.close()
    }

    @Test func `what an interrupted upgrade left is written anew`() async throws {
        try disk.open(database + ".new", .create).write([1, 2, 3].span, at: 0)
        try disk.open(database + ".new-journal", .create).write([1, 2, 3].span, at: 0)
        let embedded = try Embedded(folder: folder)
        try await check(embedded)
        await embedded.close()
    }

    @Test func `a database of the fourth schema with commits in its write-ahead log keeps them`() async throws {
        do {
            let connection = try Connection.open(database, mode: .readWrite)
            let reader = try Connection.open(database, mode: .queryOnly)
            try connection.run(script: "UPDATE users SET policy = 'readonly'")
            // Its last connection would empty it.
            for suffix in ["", "-wal"] {
                let bytes = try #require(try disk.contents(of: database + suffix, sizeMax: 10 << 20))
                try disk.open(folder.path + "/kept" + suffix, .create).write(bytes.span, at: 0)
            }
            _ = reader
        }
        for suffix in ["", "-wal"] { try disk.rename(folder.path + "/kept" + suffix, to: database + suffix) }
        let embedded = try Embedded(folder: folder)
        #expect(try await embedded.store.users().first?.policy.rawValue == "readonly")
        try await check(embedded)
        await embedded.close()
    }
}
