import Buckets
import Bytes
import Digests
import Files
import Glibc
import Metadata
import TestSupport
import Testing
import Threads

/// A file system in memory that holds no more than it is told, where this user may mount one.
private final class SmallDisk {
    let folder: TemporaryFolder

    init?(mebibytes: Int) {
        guard let folder = try? TemporaryFolder() else { return nil }
        self.folder = folder
        // SAFETY: the option text outlives the call.
        let mounted = unsafe "size=\(mebibytes)m".withCString { options in
            unsafe mount("tmpfs", folder.path, "tmpfs", 0, UnsafeRawPointer(options))
        }
        if mounted != 0 { return nil }
    }

    deinit { _ = unsafe umount2(folder.path, Int32(MNT_DETACH)) }

    static let isPossible = SmallDisk(mebibytes: 1) != nil
}

@Suite(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs the right to")) struct DiskFullTests {
    @Test(arguments: [100 << 10, 1 << 20])
    func `a full disk refuses writes, keeps what it has, and takes writes again after deletes`(size: Int) async throws {
        let disk = try #require(SmallDisk(mebibytes: 8))
        var configuration = BlobsConfiguration()
        configuration.freeBytesMin = 0
        let fixture = try Fixture(configuration: configuration, folder: disk.folder)
        var stored: [ObjectVersion] = []
        await #expect(throws: BucketsError.diskFull) {
            while stored.count < 1000 {
                let name = "key-\(stored.count)"
                stored.append(try await fixture.put(pattern(size, seed: UInt64(stored.count)), name))
            }
        }
        #expect(!stored.isEmpty)
        #expect(try fixture.files().count == stored.count)
        for (number, version) in stored.enumerated() {
            #expect(try await fixture.read(version) == pattern(size, seed: UInt64(number)))
        }
        for number in 0..<2 { try await fixture.delete("key-\(number)") }
        #expect(try await fixture.objects.sweeper.sweep() == 2)
        try await fixture.put(pattern(size), "again")
    }

    @Test(.timeLimit(.minutes(2)))
    func `with the real store beside the blobs a full disk is only ever said to be full`() async throws {
        let disk = try #require(SmallDisk(mebibytes: 16))
        var configuration = SQLiteStoreConfiguration()
        configuration.ballastBytes = 1 << 20
        configuration.onFatal = { Issue.record("fatal: \($0)") }
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.freeBytesMin = 0
        blobsConfiguration.onFatal = { Issue.record("fatal: \($0)") }
        let data = try DataFolder.open(disk.folder.path + "/store")
        let blobs = try LocalBlobs.open(data, configuration: blobsConfiguration)
        let store = try SQLiteStore.open(data, pool: Fixture.pool, configuration: configuration) {
            try blobs.makeDurable($0)
        }
        let objects = ObjectStore(metadata: store, blobs: blobs, pool: Fixture.pool)
        let name = try #require(BucketName("photos".utf8))
        let bucket = try await store.createBucket(named: name, owner: "tester", at: Timestamp(seconds: 0))
        func put(_ number: Int, _ size: Int) async throws {
            let staged = try await objects.stage(
                source(pattern(size, seed: UInt64(number))), digests: [], sizeMax: .max)
            _ = try await objects.publish(
                staged,
                as: NewVersion(
                    bucket: bucket.id, key: try #require(ObjectKey("key-\(number)".utf8)), owner: "tester", size: 0,
                    etag: ETag(md5: staged.digests[.md5] ?? []), attributes: ObjectAttributes(), checksum: nil,
                    tags: [], content: .empty))
        }
        func isFull(_ error: any Error) -> Bool {
            error as? BucketsError == .diskFull || error as? MetadataError == .diskFull
        }
        /// In the log and in files, until one is refused.
        func fill(_ numbers: Range<Int>) async throws -> [Int] {
            var stored: [Int] = []
            var refusals = 0
            for number in numbers where refusals < 20 {
                do {
                    try await put(number, number.isMultiple(of: 2) ? 300_000 : 50_000)
                    stored.append(number)
                } catch  where isFull(error) {
                    refusals += 1
                }
            }
            #expect(refusals == 20)
            return stored
        }
        func check(_ numbers: [Int]) async throws {
            for number in numbers {
                let key = try #require(ObjectKey("key-\(number)".utf8))
                let version = try #require(try await store.version(of: key, in: bucket.id, version: nil))
                let bytes = try await objects.open(version, in: bucket.id, range: nil).collected()
                #expect(bytes == pattern(number.isMultiple(of: 2) ? 300_000 : 50_000, seed: UInt64(number)))
            }
        }
        let stored = try await fill(0..<1000)
        #expect(stored.count > 10)
        try await check(stored)
        for number in stored {
            _ = try await objects.delete(
                DeleteRequest(
                    bucket: bucket.id, key: try #require(ObjectKey("key-\(number)".utf8)), version: nil,
                    owner: "tester"))
        }
        #expect(try await objects.sweeper.sweep() == stored.count { $0.isMultiple(of: 2) })
        #expect(
            try LinuxDisk().names(in: blobs.root + "/obj").flatMap {
                try LinuxDisk().names(in: blobs.root + "/obj/" + $0)
            } == [])
        // The store looks for room once a second.
        while true {
            do {
                try await put(5000, 1000)
                break
            } catch  where isFull(error) {
                await Fixture.pool.sleep(for: .milliseconds(100))
            }
        }
        try await check(try await fill(1000..<2000))
        await store.close()
        data.close()
    }
}
