import Bytes
import Files
import Mongo
import Search
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Metadata

/// From the embedded store into a real MongoDB, and back.
@Suite struct MigrationTests {
    private typealias Scene = MigrationScene

    @Test func `what a client sees is the same in MongoDB, and again in a new log`() async throws {
        let embedded = try await Scene.filled()
        let expected = try await Scene.everything(embedded.store)
        let assets = try embedded.store.read { (rows) throws(MetadataError) in try rows.assets(after: nil, limit: 1_000)
        }
        let shared = try await Scene.target()
        let report = try await Scene.move(embedded, shared)
        #expect(!report.isContinued && report.blobsPlaced > 40 && report.digest.assets == UInt64(assets.count))
        #expect(assets.count > 40)
        #expect(try await Scene.everything(shared.store) == expected)
        try await shared.store.endMigration()
        let (keeper, data) = try Scene.emptyFolder(embedded.data.id)
        let back = try await Scene.moveBack(shared, data)
        #expect(back.digest == report.digest)
        let store = try SQLiteStore.open(data, pool: Embedded.pool, barrier: { _ in })
        #expect(try await Scene.everything(store) == expected)
        #expect(try store.read { (rows) throws(MetadataError) in try rows.assets(after: nil, limit: 1_000) } == assets)
        // Numbers that are drawn from now on are above all that are in use.
        let subject = Subject(store: store)
        let bucket = try await subject.bucket(.enabled)
        #expect(try await !store.buckets(after: nil, prefix: [], limit: 100).filter { $0.id == bucket }.isEmpty)
        let old = try #require(try await store.buckets(after: nil, prefix: [], limit: 100).first { $0.id != bucket })
        try await subject.put("many", in: old.id)
        #expect(try await subject.listVersions(old.id, prefix: "many").versions.first?.isLatest == true)
        await store.close()
        data.close()
        await embedded.close()
        try shared.drop()
        withExtendedLifetime(keeper) {}
    }

    @Test func `assets that moved are found in MongoDB, by what they were given`() async throws {
        let embedded = try await Scene.filled()
        let moving = try await Scene.target()
        _ = try await Scene.move(embedded, moving)
        try await moving.store.endMigration()
        moving.store.close()
        // As a gateway opens it.
        let shared = try await Shared(database: moving.database)
        try await shared.store.bindBlobs(to: embedded.data.id)
        shared.store.startRelay()
        let (keeper, data) = try Scene.emptyFolder(embedded.data.id)
        let index = SearchIndex(shared.store, in: data)
        index.start()
        await index.settle()
        let answer = try await index.search(
            SearchRequest(query: try SearchQuery.parse(Array("wanderung".utf8)), customer: [UInt8]("acme".utf8)))
        let bucket = try #require(
            try await embedded.store.buckets(after: nil, prefix: [], limit: 10).first { $0.assets == true })
        let asset = try #require(try await embedded.store.asset(of: .of("key-5"), in: bucket.id))
        #expect(answer.hits.map(\.id) == [asset.id.bytes])
        #expect(try await shared.store.assets([asset.id]).map(\.asset) == [asset])
        let row = { () throws -> BSONView? in
            try shared.plain().findOne(["_id": .binary(asset.id.bytes)], in: MongoSchema.assets)
        }
        // For whoever reads the database.
        while try row() == nil { await Embedded.pool.sleep(for: .milliseconds(10)) }
        #expect(try row()?["customer_id"]?.text == [UInt8]("acme".utf8))
        await index.stop()
        await embedded.close()
        try shared.drop()
        data.close()
        withExtendedLifetime(keeper) {}
    }

    @Test func `a store whose buckets have hooks is not moved`() async throws {
        let embedded = try Embedded()
        let bucket = try await embedded.subject.bucket()
        _ = try await embedded.store.setHooks(Array("{}".utf8), of: bucket)
        let shared = try await Scene.target()
        await #expect {
            _ = try await Scene.move(embedded, shared)
        } throws: { error in
            if case .refused(let reason) = error as? MigrationError { reason.contains("has hooks") } else { false }
        }
        _ = try await embedded.store.setHooks([], of: bucket)
        #expect(try await Scene.move(embedded, shared).digest.buckets.count == 1)
        await embedded.close()
        try shared.drop()
    }

    @Test func `an upload goes on in MongoDB, and dropped versions leave all their blobs as garbage`() async throws {
        let embedded = try await Scene.filled()
        let shared = try await Scene.target()
        _ = try await Scene.move(embedded, shared)
        try await shared.store.endMigration()
        let bucket = try #require(try await shared.store.buckets(after: nil, prefix: [], limit: 100).first)
        let page = try await shared.store.listUploads(
            ListUploadsQuery(
                bucket: bucket.id, prefix: [], delimiter: nil, keyMarker: nil, uploadMarker: nil, limit: 10))
        let upload = try #require(page.uploads.first)
        let parts = try await shared.store.parts(of: upload.id, after: 0, limit: 10)
        let version = try await shared.store.completeUpload(
            CompleteRequest(
                upload: upload.id, bucket: bucket.id, key: upload.key,
                parts: parts.map { CompleteRequest.Part(number: $0.number, md5: $0.md5, checksum: $0.checksum?.value) },
                partSizeMin: 0, size: nil, etag: ETag(md5: .md5(7), partCount: 3), checksum: nil,
                conditions: WriteConditions()))
        #expect(version.size == 5_500 && version.content.blobs.count == 2)
        let done = try #require(try await shared.store.version(of: .of("done"), in: bucket.id, version: nil))
        #expect(done.content.blobs.count == 2)
        for key in ["done", "open", "key-7"] {
            let found = try #require(try await shared.store.version(of: .of(key), in: bucket.id, version: nil))
            _ = try await shared.store.delete(
                DeleteRequest(bucket: bucket.id, key: .of(key), version: found.versionID, owner: "alice"))
        }
        let garbage = Set(try await shared.store.garbage(limit: 10_000))
        #expect(garbage.isSuperset(of: version.content.blobs + done.content.blobs))
        for blob in done.content.blobs { #expect(try await shared.store.blob(blob) == nil) }
        // What is made from now on has numbers of its own.
        let new = try await shared.subject.bucket()
        #expect(try await shared.store.buckets(after: nil, prefix: [], limit: 100).count == 4)
        #expect(new.value > bucket.id.value)
        #expect(try await shared.store.reserveBlobIDs(1).value > 60_000)
        await embedded.close()
        try shared.drop()
    }

    @Test(arguments: 1...6)
    func `a migration that is cut short goes on where it was, and ends the same`(cut: Int) async throws {
        let embedded = try await Scene.filled()
        let expected = try await Scene.everything(embedded.store)
        let shared = try await Scene.target()
        let calls = Lock(0)
        struct Cut: Error {}
        await #expect(throws: MigrationError.self) {
            _ = try await Scene.move(embedded, shared) { wanted in
                if calls.withLock({ count in
                    count += 1
                    return count == cut
                }) {
                    throw Cut()
                }
                return Scene.place(wanted)
            }
        }
        // Nobody takes half of it for a store.
        await #expect {
            _ = try await Shared(database: shared.database)
        } throws: { error in
            if case .broken(let reason) = error as? MetadataError {
                reason.contains("run `ogw migrate` again")
            } else {
                false
            }
        }
        let again = try await Scene.target(shared.database)
        let report = try await Scene.move(embedded, again)
        #expect(report.isContinued)
        #expect(try await Scene.everything(again.store) == expected)
        await embedded.close()
        try shared.drop()
    }

    @Test func `where the source changed after the cut the migration begins anew`() async throws {
        let embedded = try await Scene.filled()
        let shared = try await Scene.target()
        struct Cut: Error {}
        let calls = Lock(0)
        _ = try? await Scene.move(embedded, shared) { wanted in
            if calls.withLock({ count in
                count += 1
                return count == 4
            }) {
                throw Cut()
            }
            return Scene.place(wanted)
        }
        let bucket = try #require(try await embedded.store.buckets(after: nil, prefix: [], limit: 1).first)
        try await embedded.subject.delete("key-1", in: bucket.id)
        try await embedded.subject.put("new", in: bucket.id)
        let expected = try await Scene.everything(embedded.store)
        let report = try await Scene.move(embedded, shared)
        #expect(!report.isContinued)
        #expect(try await Scene.everything(shared.store) == expected)
        await embedded.close()
        try shared.drop()
    }

    @Test func `a way back that is cut short goes on, also in a log that holds more than its note says`() async throws {
        let embedded = try await Scene.filled()
        let expected = try await Scene.everything(embedded.store)
        let shared = try await Scene.target()
        _ = try await Scene.move(embedded, shared)
        let (keeper, data) = try Scene.emptyFolder(embedded.data.id)
        let note = "\(data.metadata)/migration"
        // The notes of each step, which a kill leaves behind a log that may be longer.
        let notes = Lock<[[UInt8]]>([])
        let disk = data.disk
        _ = try await Scene.moveBack(shared, data) { progress in
            guard progress.step == .copying, let bytes = try? disk.contents(of: note) else { return }
            notes.withLock { $0.append(bytes) }
        }
        let kept = notes.withLock { $0 }
        #expect(kept.count > 5)
        for former in kept {
            for name in try disk.names(in: data.metadata) where name.hasPrefix("main.db") {
                try disk.remove("\(data.metadata)/\(name)")
            }
            try disk.replace("migration", in: data.metadata, with: former)
            let report = try await Scene.moveBack(shared, data)
            #expect(report.isContinued)
        }
        let store = try SQLiteStore.open(data, pool: Embedded.pool, barrier: { _ in })
        #expect(try await Scene.everything(store) == expected)
        await store.close()
        data.close()
        await embedded.close()
        try shared.drop()
        withExtendedLifetime(keeper) {}
    }

    @Test func `versions whose keys have the same sequence in MongoDB keep their own parts in the log`() async throws {
        let shared = try await Scene.target()
        let bucket = try await shared.subject.bucket(.enabled)
        func parts(_ first: UInt64) -> Content {
            .parts([
                StoredPart(number: 1, blob: BlobID(first), size: 5, checksum: nil),
                StoredPart(number: 2, blob: BlobID(first + 1), size: 5, checksum: nil),
            ])
        }
        for (key, blob) in [("a", UInt64(101)), ("b", 201)] {
            try await shared.subject.put(key, in: bucket, content: parts(blob))
            try shared.plain().update(
                [
                    MongoDatabase.Update(
                        ["_id.k": .text(Array(key.utf8))],
                        .document(["$set": ["seq": .int64(42), "latest.s": .int64(42), "latest.r": .int64(42)]]))
                ], in: "heads")
        }
        let (keeper, data) = try Scene.emptyFolder([UInt8](repeating: 1, count: 16))
        _ = try await Scene.moveBack(shared, data)
        let store = try SQLiteStore.open(data, pool: Embedded.pool, barrier: { _ in })
        for (key, blob) in [("a", UInt64(101)), ("b", 201)] {
            #expect(try await store.version(of: .of(key), in: bucket, version: nil)?.content == parts(blob))
        }
        await store.close()
        data.close()
        try shared.drop()
        withExtendedLifetime(keeper) {}
    }

    @Test func `a Complete that died after its version was there comes back as completed`() async throws {
        let shared = try await Scene.target()
        let bucket = try await shared.subject.bucket()
        let number = UInt64(0xABCD)
        var next = UInt64(900)
        try await Scene.upload(
            bucket, shared.subject, "k", number: number,
            blob: { size, _ in
                next += 1
                return NewBlob(id: BlobID(next), size: UInt64(size), crc32c: 1, bytes: nil)
            }, completes: true)
        let id = Hex.encode(number, width: 32)
        try shared.plain().update(
            [
                MongoDatabase.Update(
                    ["_id": .text(id)],
                    .document([
                        "$set": ["open": true, "token": .int64(5), "since": .date(1_700_000_000_000)],
                        "$unset": ["completed": "", "result": ""],
                    ]))
            ], in: "uploads")
        let (keeper, data) = try Scene.emptyFolder([UInt8](repeating: 2, count: 16))
        let report = try await Scene.moveBack(shared, data)
        #expect(report.digest.uploads == 0)
        let store = try SQLiteStore.open(data, pool: Embedded.pool, barrier: { _ in })
        let result = try store.read { (rows) throws(MetadataError) in
            try rows.completed(known(UploadID(id)), in: bucket)
        }
        #expect(result?.version.etag == ETag(md5: .md5(7), partCount: 3))
        #expect(try await store.version(of: .of("k"), in: bucket, version: nil)?.content.blobs.count == 2)
        await store.close()
        data.close()
        try shared.drop()
        withExtendedLifetime(keeper) {}
    }

    @Test func `a target that is not empty is refused and stays what it is`() async throws {
        let embedded = try await Scene.filled()
        let shared = try await Scene.target()
        let bucket = try await shared.subject.bucket()
        await #expect {
            _ = try await Scene.move(embedded, shared)
        } throws: { error in
            if case .refused(let reason) = error as? MigrationError { reason.contains("is not empty") } else { false }
        }
        #expect(try await shared.store.buckets(after: nil, prefix: [], limit: 10).map(\.id) == [bucket])
        // Half of another store's migration is none of ours.
        let other = try await Scene.target()
        let others = try Embedded()
        _ = try await Scene.move(others, other)
        await #expect {
            _ = try await Scene.move(embedded, other)
        } throws: { error in
            if case .refused(let reason) = error as? MigrationError { reason.contains("another store") } else { false }
        }
        // Nor is what a move back left.
        let left = try await Scene.target()
        try await left.store.markMoved(to: embedded.data.id)
        await #expect {
            _ = try await Scene.move(embedded, left)
        } throws: { error in
            if case .refused(let reason) = error as? MigrationError { reason.contains("it was kept") } else { false }
        }
        try left.drop()
        // A folder with a log is no empty folder.
        let (keeper, data) = try Scene.emptyFolder(embedded.data.id)
        let store = try SQLiteStore.open(data, pool: Embedded.pool, barrier: { _ in })
        await store.close()
        await #expect {
            _ = try await Scene.moveBack(shared, data)
        } throws: { error in
            if case .refused(let reason) = error as? MigrationError { reason.contains("is not empty") } else { false }
        }
        data.close()
        await embedded.close()
        await others.close()
        try shared.drop()
        try other.drop()
        withExtendedLifetime(keeper) {}
    }

    @Test func `metadata that moved to a folder is served by no gateway, and moves nowhere else`() async throws {
        let shared = try await Scene.target()
        _ = try await shared.subject.bucket()
        let (own, other) = ([UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 16))
        try await shared.store.refuseUnlessMovable(to: own)
        try await shared.store.markMoved(to: own)
        try await shared.store.refuseUnlessMovable(to: own)
        await #expect(throws: MigrationError.self) { try await shared.store.refuseUnlessMovable(to: other) }
        await #expect {
            _ = try await Shared(database: shared.database)
        } throws: { error in
            if case .broken(let reason) = error as? MetadataError {
                reason.contains("OGW_METADATA=sqlite")
            } else {
                false
            }
        }
        try shared.drop()
    }

    @Test func `a former log is set aside whole`() async throws {
        let embedded = try await Scene.filled()
        await embedded.store.close()
        let former = try MigrationNoteFile(embedded.data).setFormerAside()
        #expect(former == "quarantine/former-1")
        let place = "\(embedded.data.quarantine)/former-1"
        let names = try embedded.data.disk.names(in: place)
        #expect(names.contains("main.db") && names.contains("seg") && names.contains("base"))
        #expect(try embedded.data.disk.names(in: embedded.data.segments).isEmpty)
        #expect(try MigrationNoteFile(embedded.data).setFormerAside() == nil)
        embedded.data.close()
    }
}
