import Bytes
import Digests
import Files
import Metadata
import Mongo
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Metadata

/// The bytes of small objects, which lie in the database.
@Suite struct MongoContentTests {
    private static func new(
        _ key: String, in bucket: BucketID, _ bytes: [UInt8], id: UInt64? = nil,
        conditions: WriteConditions = WriteConditions()
    ) -> NewVersion {
        let blob = NewBlob(
            id: BlobID(id ?? Blobs.next()), size: UInt64(bytes.count), crc32c: CRC32C.of(bytes), bytes: bytes)
        return NewVersion(
            bucket: bucket, key: .of(key), owner: "alice", size: blob.size, etag: ETag(md5: .md5(1)),
            attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob,
            conditions: conditions)
    }

    private static func ids(of collection: StaticString, _ shared: Shared) throws -> Set<UInt64> {
        let found = try shared.plain().find(MongoDatabase.Query([:], limit: 10_000), in: collection).documents
        return Set(found.compactMap { $0["_id"]?.integer.map { UInt64(bitPattern: $0) } })
    }

    @Test func `bytes that came with a version are read back, where every way to the version says that they lie`()
        async throws
    {
        let shared = try await Shared(change: { $0.relayInterval = .seconds(600) })
        let store = shared.store
        let bucket = try await shared.subject.bucket(.enabled)
        var made: [ObjectVersion] = []
        for number in 0..<3 as Range<UInt8> {
            made.append(try await store.publish(Self.new("k", in: bucket, [UInt8](repeating: number, count: 100))))
        }
        for isMoved in [false, true] {
            if isMoved { try await store.relayAll() }
            for (number, version) in made.enumerated() {
                let blob = try #require(version.content.blobs.first)
                let bytes = [UInt8](repeating: UInt8(number), count: 100)
                let place = StoredBlob(id: blob, size: 100, crc32c: CRC32C.of(bytes), location: .metadata)
                let found = try await store.version(of: .of("k"), in: bucket, version: version.versionID)
                #expect(found?.blob == place)
                #expect(try await store.blob(blob) == place)
                #expect(try await store.blobs(after: BlobID(0), limit: 10).contains(place))
                #expect(try await store.bytes(of: blob) == bytes)
            }
        }
        let file = try await shared.subject.put("file", in: bucket)
        #expect(try await store.blob(try #require(file.content.blobs.first))?.location == .file)
        try shared.drop()
    }

    @Test func `many that are written at once all have their own bytes`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket()
        let made = try await MongoRaceTests.race(32) { worker in
            for number in 0..<20 {
                let bytes = Array("\(worker) \(number)".utf8)
                _ = try await shared.store.publish(Self.new("k-\(worker)-\(number)", in: bucket, bytes))
            }
            return worker
        }
        for worker in made {
            for number in 0..<20 {
                let found = try await shared.store.version(
                    of: .of("k-\(worker)-\(number)"), in: bucket, version: nil)
                let blob = try #require(found?.content.blobs.first)
                #expect(try await shared.store.bytes(of: blob) == Array("\(worker) \(number)".utf8))
            }
        }
        try shared.drop()
    }

    @Test func `the bytes of what was replaced or removed go, and are never listed as files`() async throws {
        let shared = try await Shared()
        let store = shared.store
        let bucket = try await shared.subject.bucket()
        for number in 0..<5 as Range<UInt8> { _ = try await store.publish(Self.new("k", in: bucket, [number])) }
        let latest = try #require(try await store.version(of: .of("k"), in: bucket, version: nil)?.content.blobs.first)
        _ = try await store.publish(Self.new("removed", in: bucket, [9]))
        try await shared.subject.delete("removed", in: bucket)
        let file = try await shared.subject.put("file", in: bucket)
        try await shared.subject.put("file", in: bucket)
        #expect(try Self.ids(of: MongoSchema.contents, shared).count == 6)
        let garbage = try await store.garbage(limit: 100)
        #expect(garbage == file.content.blobs)
        #expect(try Self.ids(of: MongoSchema.contents, shared) == [latest.value])
        #expect(try Self.ids(of: MongoSchema.garbage, shared) == Set(garbage.map(\.value)))
        try shared.drop()
    }

    @Test func `with several gateways they go when garbage does`() async throws {
        let shared = try await Shared(change: { $0.garbageAfter = .seconds(3_600) })
        let bucket = try await shared.subject.bucket()
        for number in 0..<2 as Range<UInt8> { _ = try await shared.store.publish(Self.new("k", in: bucket, [number])) }
        #expect(try await shared.store.garbage(limit: 10).isEmpty)
        #expect(try Self.ids(of: MongoSchema.contents, shared).count == 2)
        try shared.drop()
    }

    @Test func `a version that was refused leaves no bytes`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket()
        let kept = try await shared.store.publish(Self.new("k", in: bucket, [1]))
        var conditions = WriteConditions()
        conditions.ifNoneMatch = .any
        await #expect(throws: MetadataError.preconditionFailed) {
            try await shared.store.publish(Self.new("k", in: bucket, [2], conditions: conditions))
        }
        #expect(try Self.ids(of: MongoSchema.contents, shared) == Set(kept.content.blobs.map(\.value)))
        try shared.drop()
    }

    @Test func `a number of bytes that were here once is not given again`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket()
        _ = try await shared.store.publish(Self.new("k", in: bucket, [1], id: 5_000_000))
        try await shared.subject.delete("k", in: bucket)
        _ = try await shared.store.garbage(limit: 10)
        #expect(try Self.ids(of: MongoSchema.contents, shared).isEmpty)
        // As the next opening asks.
        #expect(try await shared.store.lastReservedBlob() >= BlobID(5_000_000))
        #expect(try await shared.store.reserveBlobIDs(10) > BlobID(5_000_000))
        try shared.drop()
    }

    @Test func `bytes without a version are told as stray ones once they are old, and set aside by command`()
        async throws
    {
        let shared = try await Shared(change: { $0.relayInterval = .seconds(600) })
        let store = shared.store
        let bucket = try await shared.subject.bucket(.enabled)
        // Named by the latest version, by one in an outbox, by a row, and by garbage that is not swept.
        for number in 0..<2 as Range<UInt8> { _ = try await store.publish(Self.new("moved", in: bucket, [number])) }
        try await store.relayAll()
        for number in 0..<2 as Range<UInt8> { _ = try await store.publish(Self.new("k", in: bucket, [number])) }
        let gone = try await store.publish(Self.new("gone", in: bucket, [1]))
        try await shared.subject.delete("gone", in: bucket, gone.versionID)
        try await store.relayAll()
        for number in 2..<4 as Range<UInt8> { _ = try await store.publish(Self.new("k", in: bucket, [number])) }
        // The gateway died before it wrote a version.
        let stray = BlobID(Blobs.next())
        try await store.keep([7, 7], of: stray)
        #expect(try await store.strayBlobs().isEmpty)
        #expect(try await store.strayBlobs(olderThan_ms: -1_000) == [stray])
        #expect(try await store.setAside(stray: stray))
        #expect(try await store.bytes(of: stray) == nil)
        #expect(try Self.ids(of: MongoSchema.strays, shared) == [stray.value])
        #expect(try await !store.setAside(stray: stray))
        #expect(try await store.strayBlobs(olderThan_ms: -1_000).isEmpty)
        try shared.drop()
    }

    @Test func `an answer that is lost on the way leaves the bytes there once, with their version`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket()
        let blob = BlobID(Blobs.next())
        // Sent again by whoever does not know whether it was carried out.
        try await shared.store.keep([1, 2, 3], of: blob)
        let version = try await shared.store.publish(Self.new("k", in: bucket, [1, 2, 3], id: blob.value))
        #expect(version.content == .blob(blob))
        #expect(try await shared.store.bytes(of: blob) == [1, 2, 3])
        #expect(try Self.ids(of: MongoSchema.contents, shared) == [blob.value])
        try shared.drop()
    }

    @Test func `bytes in the database are carried to the log's store as files`() async throws {
        let shared = try await MigrationScene.target()
        let (keeper, data) = try MigrationScene.emptyFolder([UInt8](repeating: 3, count: 16))
        try await shared.store.bindBlobs(to: data.id)
        let bucket = try await shared.subject.bucket(.enabled)
        for number in 0..<3 as Range<UInt8> {
            _ = try await shared.store.publish(Self.new("k", in: bucket, [number, number]))
        }
        let placed = Lock<[MigratedBlob]>([])
        let migration = LogMigration(
            from: shared.store, to: data, pool: Embedded.pool,
            place: { wanted in
                placed.withLock { $0 += wanted }
                return MigrationScene.place(wanted)
            })
        let report = try await migration.run { _ in }
        #expect(report.blobsPlaced == 3 && report.digest.versions == 3)
        #expect(placed.withLock { $0.map(\.key) } == [.of("k"), .of("k"), .of("k")])
        try data.setLog(true)
        data.close()
        let embedded = try DataFolder.open(keeper.path + "/store")
        let store = try SQLiteStore.open(embedded, pool: Embedded.pool, barrier: { _ in })
        for blob in placed.withLock({ $0 }) {
            let found = try await store.blob(blob.blob.id)
            #expect(found?.location == .file && found?.size == 2 && found?.crc32c == 77)
        }
        await store.close()
        embedded.close()
        try shared.drop()
    }
}
