import Buckets
import Bytes
import Digests
import Files
import Metadata
import TestSupport
import Testing

/// Blobs and rows as they run together: the embedded store, with the blobs' directories synced in its barrier.
@Suite struct SQLiteRoundTripTests {
    private struct Opened {
        let objects: ObjectStore
        let metadata: SQLiteStore
        let blobs: LocalBlobs
        let bucket: BucketID

        func put(_ bytes: [UInt8], _ key: String) async throws -> ObjectVersion {
            let staged = try await objects.stage(source(bytes), digests: [], sizeMax: .max)
            return try await objects.publish(
                staged,
                as: NewVersion(
                    bucket: bucket, key: try #require(ObjectKey(key.utf8)), owner: "tester", size: 0,
                    etag: ETag(md5: staged.digests[.md5] ?? []), attributes: ObjectAttributes(), checksum: nil,
                    tags: [], content: .empty))
        }

        func get(_ key: String) async throws -> [UInt8]? {
            let key = try #require(ObjectKey(key.utf8))
            guard let version = try await metadata.version(of: key, in: bucket, version: nil) else { return nil }
            return try await objects.open(version, in: bucket, range: nil).collected()
        }

        func files() throws -> Int {
            try LinuxDisk().names(in: blobs.root + "/obj").map {
                try LinuxDisk().names(in: blobs.root + "/obj/" + $0).count
            }.reduce(0, +)
        }
    }

    private func withStore(
        in folder: TemporaryFolder, inlineBytesMax: Int = 0, _ body: (Opened) async throws -> Void
    ) async throws {
        let pool = Fixture.pool
        let data = try DataFolder.open(folder.path + "/store")
        var configuration = BlobsConfiguration()
        configuration.inlineBytesMax = inlineBytesMax
        let blobs = try LocalBlobs.open(data, configuration: configuration)
        let metadata = try SQLiteStore.open(data, pool: pool) { try blobs.makeDurable($0) }
        try blobs.skipIDs(through: metadata.lastBlob)
        let name = try #require(BucketName("photos".utf8))
        var bucket = try await metadata.bucket(named: name)
        if bucket == nil {
            bucket = try await metadata.createBucket(named: name, owner: "tester", at: Timestamp(seconds: 0))
        }
        let objects = ObjectStore(metadata: metadata, blobs: blobs, pool: pool)
        try await body(Opened(objects: objects, metadata: metadata, blobs: blobs, bucket: try #require(bucket).id))
        await metadata.close()
        data.close()
    }

    @Test func `a row whose size is not its blob's is found without reading`() async throws {
        let folder = try TemporaryFolder()
        try await withStore(in: folder) { store async throws in
            _ = try await store.put(pattern(300_000, seed: 1), "large")
            let key = try #require(ObjectKey("large".utf8))
            var version = try #require(try await store.metadata.version(of: key, in: store.bucket, version: nil))
            try store.objects.check(version)
            version.size |= 1 << 63
            #expect(throws: BucketsError.self) { try store.objects.check(version) }
        }
    }

    @Test func `what was put, replaced and deleted is so after reopening`() async throws {
        let folder = try TemporaryFolder()
        try await withStore(in: folder) { store async throws in
            _ = try await store.put(pattern(300_000, seed: 1), "large")
            _ = try await store.put(pattern(10, seed: 2), "replaced")
            _ = try await store.put(pattern(20, seed: 3), "replaced")
            _ = try await store.put(pattern(30, seed: 4), "deleted")
            _ = try await store.put([], "empty")
            _ = try await store.objects.delete(
                DeleteRequest(
                    bucket: store.bucket, key: try #require(ObjectKey("deleted".utf8)), version: nil, owner: "tester"))
        }
        try await withStore(in: folder) { store async throws in
            #expect(try store.files() == 4)
            #expect(try await store.objects.sweeper.sweep() == 2)
            #expect(try store.files() == 2)
            #expect(try await store.get("large") == pattern(300_000, seed: 1))
            #expect(try await store.get("replaced") == pattern(20, seed: 3))
            #expect(try await store.get("deleted") == nil)
            #expect(try await store.get("empty") == [])
            #expect(try await store.metadata.garbage(limit: 10) == [])
        }
    }

    @Test func `what lies in the log is so after reopening, and leaves no garbage`() async throws {
        let folder = try TemporaryFolder()
        let limit = 1000
        var former = BlobID(0)
        try await withStore(in: folder, inlineBytesMax: limit) { store async throws in
            _ = try await store.put(pattern(limit, seed: 1), "small")
            _ = try await store.put(pattern(limit + 1, seed: 2), "large")
            _ = try await store.put(pattern(20, seed: 3), "replaced")
            _ = try await store.put(pattern(30, seed: 4), "replaced")
            _ = try await store.put(pattern(40, seed: 5), "deleted")
            let last = try await store.put(pattern(50, seed: 6), "last")
            former = try #require(last.content.blobs.first)
            _ = try await store.objects.delete(
                DeleteRequest(
                    bucket: store.bucket, key: try #require(ObjectKey("deleted".utf8)), version: nil, owner: "tester"))
        }
        // What was written under another limit stays where it is.
        try await withStore(in: folder, inlineBytesMax: 0) { store async throws in
            #expect(try store.files() == 1)
            #expect(try await store.get("small") == pattern(limit, seed: 1))
            #expect(try await store.get("large") == pattern(limit + 1, seed: 2))
            #expect(try await store.get("replaced") == pattern(30, seed: 4))
            #expect(try await store.get("deleted") == nil)
            #expect(try await store.metadata.garbage(limit: 10) == [])
            let version = try await store.put(pattern(60), "file")
            #expect(try #require(version.content.blobs.first) > former)
            #expect(try store.files() == 2)
            let key = try #require(ObjectKey("small".utf8))
            let small = try #require(try await store.metadata.version(of: key, in: store.bucket, version: nil))
            let copied = try await store.objects.stageCopy(
                of: small, in: store.bucket, range: nil, digests: [], allowLink: true)
            #expect(copied.isFile)
            #expect(try await store.blobs.orphans(isKnown: { try await store.metadata.blob($0) != nil }) == [])
        }
    }

    @Test func `a refused condition leaves neither row nor file`() async throws {
        let folder = try TemporaryFolder()
        try await withStore(in: folder) { store async throws in
            var conditions = WriteConditions()
            conditions.ifNoneMatch = .any
            let key = try #require(ObjectKey("once".utf8))
            _ = try await store.put(pattern(10), "once")
            do {
                let staged = try await store.objects.stage(source(pattern(20)), digests: [], sizeMax: .max)
                let new = NewVersion(
                    bucket: store.bucket, key: key, owner: "tester", size: 0, etag: ETag(md5: pattern(16)),
                    attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty, conditions: conditions)
                await #expect(throws: MetadataError.preconditionFailed) {
                    _ = try await store.objects.publish(staged, as: new)
                }
            }
            #expect(try store.files() == 1)
            #expect(try await store.get("once") == pattern(10))
        }
    }

    @Test func `writers at once share directory syncs`() async throws {
        let folder = try TemporaryFolder()
        try await withStore(in: folder) { store async throws in
            let before = store.blobs.directorySyncCount
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { _ = try await store.put(pattern(100, seed: UInt64(number)), "key-\(number)") }
                }
                try await group.waitForAll()
            }
            // One directory, so one sync in each batch; the bucket's own batch names no blobs.
            let batches = store.metadata.statistics.batches
            #expect(store.blobs.directorySyncCount - before <= batches)
            for number in 0..<200 {
                #expect(try await store.get("key-\(number)") == pattern(100, seed: UInt64(number)))
            }
        }
    }
}
