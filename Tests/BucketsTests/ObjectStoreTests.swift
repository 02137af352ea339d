import Buckets
import Bytes
import Digests
import Files
import Metadata
import TestSupport
import Testing
import Threads

@Suite struct ObjectStoreTests {
    @Test(arguments: [1, 100, 128 << 10, (128 << 10) + 1, 300_000, (9 << 20) + 5])
    func `what was put is read back`(size: Int) async throws {
        let fixture = try Fixture()
        let bytes = pattern(size)
        let version = try await fixture.put(bytes)
        #expect(version.size == UInt64(size))
        #expect(try await fixture.read(version) == bytes)
        #expect(try fixture.files().count == 1)
    }

    @Test func `pieces of any size make the same object`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(200_001)
        for pieces in [997, 4096, 131_072, 131_073, 200_001] {
            #expect(try await fixture.read(try await fixture.put(bytes, pieces: pieces)) == bytes)
        }
    }

    @Test func `digests are those of the content, MD5 always among them`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(300_000)
        let staged = try await fixture.objects.stage(source(bytes), digests: [.sha256, .crc32c], sizeMax: .max)
        #expect(staged.digests[.md5] == Digest.of(bytes, .md5))
        #expect(staged.digests[.sha256] == Digest.of(bytes, .sha256))
        #expect(staged.digests[.crc32c] == Digest.of(bytes, .crc32c))
        #expect(staged.digests[.sha1] == nil)
    }

    @Test func `an empty object has no file`() async throws {
        let fixture = try Fixture()
        let staged = try await fixture.objects.stage(source([]), digests: [], sizeMax: 0)
        #expect(staged.blob == nil)
        #expect(Hex.string(staged.digests[.md5] ?? []) == "d41d8cd98f00b204e9800998ecf8427e")
        let version = try await fixture.objects.publish(staged, as: fixture.newVersion())
        #expect(version.content == .empty)
        #expect(try await fixture.read(version) == [])
        #expect(try fixture.files() == [])
    }

    @Test(arguments: [10, 300_000, 9 << 20])
    func `an abandoned stage leaves no file`(size: Int) async throws {
        let fixture = try Fixture()
        do {
            let staged = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: .max)
            #expect(staged.blob != nil)
        }
        #expect(try fixture.files() == [])
    }

    @Test(arguments: [0, 10, 300_000])
    func `a source that fails leaves no file, and its error is passed on`(size: Int) async throws {
        let fixture = try Fixture()
        await #expect(throws: FixtureError()) {
            let failing = source(pattern(size), failure: FixtureError())
            _ = try await fixture.objects.stage(failing, digests: [], sizeMax: .max)
        }
        #expect(try fixture.files() == [])
    }

    @Test(arguments: [10, 300_000])
    func `content above the limit is refused and leaves no file`(size: Int) async throws {
        let fixture = try Fixture()
        let limit = UInt64(size - 1)
        await #expect(throws: BucketsError.tooLarge(sizeMax: limit)) {
            _ = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: limit)
        }
        let exact = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: UInt64(size))
        #expect(exact.size == UInt64(size))
        #expect(try fixture.files() == [])
    }

    @Test func `below the minimum of free space nothing is staged but reads go on`() async throws {
        let folder = try TemporaryFolder()
        let bytes = pattern(100)
        var version = try await Fixture(folder: folder).put(bytes)
        version.blob = StoredBlob(
            id: try #require(version.content.blobs.first), size: 100, crc32c: nil, location: .file)
        var configuration = BlobsConfiguration()
        configuration.freeBytesMin = .max
        let fixture = try Fixture(configuration: configuration, folder: folder)
        await #expect(throws: BucketsError.diskFull) { try await fixture.put(bytes) }
        await #expect(throws: BucketsError.diskFull) {
            _ = try await fixture.objects.stageCopy(
                of: version, in: fixture.bucket, range: nil, digests: [], allowLink: true)
        }
        #expect(try await fixture.read(version) == bytes)
    }

    @Test func `a refused publication leaves no file`() async throws {
        let fixture = try Fixture()
        fixture.metadata.fail(.preconditionFailed)
        await #expect(throws: MetadataError.preconditionFailed) { try await fixture.put(pattern(10)) }
        #expect(try fixture.files() == [])
        fixture.metadata.fail(.overloaded("1024 writes are waiting"))
        await #expect(throws: MetadataError.overloaded("1024 writes are waiting")) {
            try await fixture.put(pattern(10))
        }
        #expect(try fixture.files() == [])
        #expect(fixture.objects.inDoubtCount == 0)
        fixture.metadata.fail(.noSuchUpload)
        await #expect(throws: MetadataError.noSuchUpload) { try await fixture.putPart(pattern(10), number: 1) }
        #expect(try fixture.files() == [])
    }

    @Test func `a refused publication can be tried again with the same content`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(10)
        let staged = try await fixture.objects.stage(source(bytes), digests: [], sizeMax: .max)
        fixture.metadata.fail(.preconditionFailed)
        await #expect(throws: MetadataError.preconditionFailed) {
            _ = try await fixture.objects.publish(staged, as: fixture.newVersion())
        }
        let version = try await fixture.objects.publish(staged, as: fixture.newVersion())
        #expect(try await fixture.read(version) == bytes)
    }

    @Test(arguments: [MetadataError.unavailable("away"), .broken("disk")])
    func `bytes stay when the store failed and may have committed`(failure: MetadataError) async throws {
        let fixture = try Fixture()
        let bytes = pattern(10)
        fixture.metadata.fail(failure, committing: true)
        await #expect(throws: failure) { try await fixture.put(bytes) }
        #expect(fixture.objects.inDoubtCount == 1)
        let version = try await fixture.metadata.version(of: fixture.key(), in: fixture.bucket, version: nil)
        #expect(try await fixture.read(#require(version)) == bytes)
    }

    @Test func `a replaced version is gone for who opens it late`() async throws {
        let fixture = try Fixture()
        let first = try await fixture.put(pattern(10))
        let second = try await fixture.put(pattern(20))
        try await fixture.objects.sweeper.sweep()
        let blob = try #require(first.content.blobs.first)
        await #expect(throws: BucketsError.gone(blob)) { try await fixture.read(first) }
        #expect(try await fixture.read(second) == pattern(20))
    }

    @Test func `a reader keeps its bytes while they are removed`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(100_000)
        let opened = try await fixture.objects.open(try await fixture.put(bytes), in: fixture.bucket, range: nil)
        try await fixture.delete()
        try await fixture.objects.sweeper.sweep()
        #expect(try fixture.files() == [])
        #expect(try await opened.collected() == bytes)
    }

    @Test func `a blob of another size than its row says is not served`() async throws {
        let fixture = try Fixture()
        var version = try await fixture.put(pattern(100))
        version.size = 99
        await #expect { try await fixture.read(version) } throws: {
            if case .damaged = $0 as? BucketsError { true } else { false }
        }
    }

    @Test func `concurrent stages do not mix`() async throws {
        let fixture = try Fixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let bytes = pattern(number * 9_973, seed: UInt64(number))
                    let version = try await fixture.put(bytes, "key-\(number)", pieces: 10_000)
                    #expect(try await fixture.read(version) == bytes)
                }
            }
            try await group.waitForAll()
        }
        // The first is empty.
        #expect(try fixture.files().count == 39)
    }
}
