import Bytes
import Digests
import Files
import RedoLog
import TestSupport
import Testing

@testable import Metadata

/// What an opening gives back from the log, with the database behind, lost, or of a former format.
@Suite struct RecoveryTests {
    let folder: TemporaryFolder
    let disk = LinuxDisk()
    var database: String { folder.path + "/store/meta/main.db" }

    init() throws { folder = try TemporaryFolder() }

    private static var configuration: SQLiteStoreConfiguration {
        var configuration = SQLiteStoreConfiguration()
        configuration.log.segmentSizeMax = 20_000
        configuration.log.reserveBytes = 0
        configuration.maintenance.baseEveryBytes = 0
        configuration.maintenance.basesKept = 1
        configuration.ballastBytes = 0
        return configuration
    }

    private func open() throws -> Embedded { try Embedded(folder: folder, configuration: Self.configuration) }

    /// Publishes an object whose bytes travel in the log.
    private func put(_ key: String, _ bytes: [UInt8], in bucket: BucketID, _ subject: Subject) async throws {
        var crc = CRC32C()
        crc.update(bytes.span)
        let blob = NewBlob(id: BlobID(Blobs.next()), size: UInt64(bytes.count), crc32c: crc.value, bytes: bytes)
        _ = try await subject.store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: blob.size, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob))
    }

    private func bytes(of key: String, in bucket: BucketID, _ store: SQLiteStore) async throws -> [UInt8]? {
        guard let version = try await store.version(of: .of(key), in: bucket, version: nil) else { return nil }
        let blob = try #require(version.blob)
        let crc32c = try #require(blob.crc32c)
        guard case .segment(let segment, let offset) = blob.location else { return nil }
        return try store.segments.payload(
            at: PayloadPlace(segment: segment, offset: offset, length: UInt32(blob.size), crc32c: crc32c))
    }

    private func content(_ number: Int) -> [UInt8] {
        (0..<1_500 + number % 7).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }

    private func fill(_ subject: Subject, rounds: Int = 60) async throws -> BucketID {
        let bucket = try await subject.bucket(.enabled)
        for number in 0..<rounds {
            try await put("k\(number % 20)", content(number), in: bucket, subject)
            if number % 9 == 0 { try await subject.delete("k\(number % 20)", in: bucket) }
        }
        let upload = try await subject.beginUpload("m", in: bucket)
        let part = try await subject.putPart(1, of: upload)
        _ = try await subject.complete(upload, [part])
        return bucket
    }

    private func removeDatabase() throws {
        for suffix in ["", "-wal", "-shm"] { try disk.remove(database + suffix) }
    }

    @Test func `a lost database is given back by the log, row for row`() async throws {
        let first = try open()
        let bucket = try await fill(first.subject)
        await first.close()
        let expected = try Tables.dump(database)
        try removeDatabase()
        let second = try open()
        #expect(try Tables.dump(database) == expected)
        #expect(try await bytes(of: "k19", in: bucket, second.store) == content(59))
        await second.close()
    }

    @Test func `a database that lost its last commits follows the log again`() async throws {
        let first = try open()
        let bucket = try await fill(first.subject, rounds: 10)
        await first.close()
        let old = try #require(try disk.contents(of: database, sizeMax: 10 << 20))
        let second = try open()
        for number in 0..<30 { try await put("later\(number)", content(number), in: bucket, second.subject) }
        await second.close()
        let expected = try Tables.dump(database)
        try removeDatabase()
        try disk.replace("main.db", in: folder.path + "/store/meta", with: old)
        let third = try open()
        #expect(try Tables.dump(database) == expected)
        await third.close()
    }

    @Test func `mostly dead segments are compacted and removed, and every object keeps its bytes`() async throws {
        let embedded = try open()
        let bucket = try await embedded.subject.bucket()
        for number in 0..<200 { try await put("k\(number)", content(number), in: bucket, embedded.subject) }
        for number in 0..<200 where number % 5 != 0 { try await embedded.subject.delete("k\(number)", in: bucket) }
        let before = try embedded.store.segments.numbers()
        var report = try await embedded.store.maintain()
        #expect(report.base != nil && report.blobsMoved > 20 && report.segmentsRemoved > 5)
        // What was moved leaves more behind.
        report = try await embedded.store.maintain()
        #expect(report.damaged.isEmpty)
        #expect(try embedded.store.segments.numbers().count < before.count / 2)
        for number in stride(from: 0, to: 200, by: 5) {
            #expect(try await bytes(of: "k\(number)", in: bucket, embedded.store) == content(number))
        }
        await embedded.close()
        let expected = try Tables.dump(database)

        // The log alone no longer reaches back to the beginning: a lost database is refused, until the base is put in its place.
        try removeDatabase()
        #expect { try open() } throws: { if case .broken = $0 as? MetadataError { true } else { false } }
        try removeDatabase()
        let data = try DataFolder.open(folder.path + "/store")
        #expect(try SQLiteStore.restoreFromBase(data) != nil)
        data.close()
        let again = try open()
        #expect(try Tables.dump(database) == expected)
        for number in stride(from: 0, to: 200, by: 5) {
            #expect(try await bytes(of: "k\(number)", in: bucket, again.store) == content(number))
        }
        await again.close()
    }

    @Test func `a store of the first format keeps its rows, and a base keeps what is in no log`() async throws {
        let fixture = #filePath.replacing("RecoveryTests.swift", with: "Fixtures/format-1")
        let store = folder.path + "/store"
        for directory in ["", "/meta", "/obj", "/obj/00000001"] { try disk.makeDirectory(store + directory) }
        for file in ["FORMAT", "meta/main.db"] {
            let bytes = try #require(try disk.contents(of: "\(fixture)/\(file)"))
            try disk.open("\(store)/\(file)", .create).write(bytes.span, at: 0)
        }
        let first = try open()
        let name = try #require(BucketName("former".utf8))
        let former = try #require(try await first.store.bucket(named: name))
        let keys = ["empty", "joined", "large", "plain"]
        #expect(try await first.subject.list(former.id).keys == keys)
        let plain = try #require(try await first.store.version(of: .of("plain"), in: former.id, version: nil))
        #expect(plain.blob == StoredBlob(id: BlobID(0x1000), size: 12, crc32c: nil, location: .file))
        let joined = try #require(try await first.store.version(of: .of("joined"), in: former.id, version: nil))
        let part = try #require(joined.content.blobs.first)
        #expect(try await first.store.blob(part)?.size == 9)
        #expect(first.store.lastBlob.value >= 0x1006)
        try await put("new", content(1), in: former.id, first.subject)
        await first.close()
        let expected = try Tables.dump(database)

        try removeDatabase()
        #expect { try open() } throws: { if case .broken = $0 as? MetadataError { true } else { false } }
        let data = try DataFolder.open(store)
        #expect(try SQLiteStore.restoreFromBase(data) == 1)
        data.close()
        let second = try open()
        #expect(try Tables.dump(database) == expected)
        #expect(try await bytes(of: "new", in: former.id, second.store) == content(1))
        await second.close()
    }

    @Test func `a base is a whole copy while others write, and only the newest are kept`() async throws {
        let embedded = try open()
        let bucket = try await fill(embedded.subject, rounds: 5)
        for round in 0..<3 {
            async let base = embedded.store.makeBase()
            try await put("during\(round)", content(round), in: bucket, embedded.subject)
            #expect(try await base > 0)
        }
        let names = try disk.names(in: folder.path + "/store/base")
        #expect(names.count == 1)
        await embedded.close()
    }
}
