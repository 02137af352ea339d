import Bytes
import Digests
import Files
import Metadata
import TestSupport
import Testing

@testable import Buckets

/// Content that travels in the log and has no file.
@Suite struct InlineTests {
    private static let limit = 128 << 10

    private func isInLog(_ blob: BlobID, _ fixture: Fixture) async throws -> Bool {
        try await fixture.metadata.blob(blob)?.location != .file
    }

    @Test(arguments: [1, 2, 4096, limit - 1, limit, limit + 1])
    func `content up to the limit has no file, and what is one byte longer has`(size: Int) async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let syncs = fixture.blobs.directorySyncCount
        for pieces in [997, 64 << 10, size] {
            let version = try await fixture.put(pattern(size), "key-\(pieces)", pieces: pieces)
            #expect(version.size == UInt64(size))
            #expect(try await isInLog(#require(version.content.blobs.first), fixture) == (size <= Self.limit))
            #expect(try await fixture.read(version) == pattern(size))
        }
        let fileCount = size <= Self.limit ? 0 : Set([997, 64 << 10, size]).count
        #expect(try fixture.files().count == fileCount)
        if fileCount == 0 { #expect(fixture.blobs.directorySyncCount == syncs) }
    }

    @Test func `content of no bytes has neither a blob nor a place`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let staged = try await fixture.objects.stage(source([]), digests: [], sizeMax: 0)
        #expect(staged.new == nil)
        #expect(!staged.isFile)
        let version = try await fixture.objects.publish(staged, as: fixture.newVersion())
        #expect(version.content == .empty)
        #expect(try await fixture.read(version) == [])
    }

    @Test func `with a limit of zero everything has a file`() async throws {
        let fixture = try Fixture(inlineBytesMax: 0)
        try await fixture.put([1])
        #expect(try fixture.files().count == 1)
    }

    @Test func `with a limit above what is collected anyway the limit counts`() async throws {
        let fixture = try Fixture(inlineBytesMax: 1 << 20)
        let version = try await fixture.put(pattern(1 << 20))
        #expect(try fixture.files() == [])
        #expect(try await fixture.read(version) == pattern(1 << 20))
        try await fixture.put(pattern((1 << 20) + 1))
        #expect(try fixture.files().count == 1)
    }

    @Test func `the check value is that of the bytes, also where the client asked for it`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let bytes = pattern(1000)
        for digests in [DigestSet(), .crc32c] {
            let staged = try await fixture.objects.stage(source(bytes), digests: digests, sizeMax: .max)
            #expect(staged.new?.bytes == bytes)
            #expect(staged.new?.size == 1000)
            #expect(
                staged.new?.crc32c.map { Hex.encode(UInt64($0), width: 8) } == Hex.encode(Digest.of(bytes, .crc32c)))
        }
    }

    @Test func `an abandoned upload leaves neither a file nor memory taken`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        for size in [10, Self.limit, Self.limit + 1, 300_000] {
            do {
                let staged = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: .max)
                #expect(fixture.blobs.memory.takenBytes == (size <= Self.limit ? size : 0))
                withExtendedLifetime(staged) {}
            }
            await #expect(throws: FixtureError()) {
                _ = try await fixture.objects.stage(
                    source(pattern(size), failure: FixtureError()), digests: [], sizeMax: .max)
            }
            #expect(fixture.blobs.memory.takenBytes == 0)
        }
        #expect(try fixture.files() == [])
        try await fixture.put(pattern(10))
        #expect(fixture.blobs.memory.takenBytes == 0)
    }

    @Test func `uploads that would take more memory than all may have get files`() async throws {
        var configuration = BlobsConfiguration()
        configuration.collectedBytesTotalMax = 100_000
        let fixture = try Fixture(inlineBytesMax: Self.limit, configuration: configuration)
        var staged: [StagedBlob] = []
        for number in 0..<5 {
            staged.append(
                try await fixture.objects.stage(
                    source(pattern(40_000, seed: UInt64(number)), pieces: 1000), digests: [], sizeMax: .max))
            #expect(fixture.blobs.memory.takenBytes <= 100_000)
        }
        #expect(staged.map(\.isFile) == [false, false, true, true, true])
        for (number, staged) in staged.enumerated() {
            let version = try await fixture.objects.publish(staged, as: fixture.newVersion("key-\(number)"))
            #expect(try await fixture.read(version) == pattern(40_000, seed: UInt64(number)))
        }
        staged = []
        #expect(fixture.blobs.memory.takenBytes == 0)
        #expect(try fixture.files().count == 3)
    }

    @Test func `an upload takes memory as its bytes come`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let writer = try BlobWriter(blobs: fixture.blobs, pool: Fixture.pool, digests: [], sizeMax: .max)
        #expect(fixture.blobs.memory.takenBytes == 0)
        try writer.append(pattern(100).span)
        #expect(fixture.blobs.memory.takenBytes == 100)
        writer.discard()
        #expect(fixture.blobs.memory.takenBytes == 0)
    }

    @Test func `any range is cut from the bytes`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let bytes = pattern(1000)
        let version = try await fixture.put(bytes)
        for range in [0..<1000, 0..<1, 999..<1000, 1..<999, 500..<501] {
            let opened = try await fixture.objects.open(
                version, in: fixture.bucket, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
            guard case .memory(let got) = opened else {
                Issue.record("not in memory")
                return
            }
            #expect(got == [UInt8](bytes[range]))
            #expect(opened.length == UInt64(range.count))
        }
        await #expect(throws: BucketsError.invalidRange) { try await fixture.read(version, range: 1000..<1001) }
    }

    @Test func `a copy has bytes and an id of its own and survives its source`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let bytes = pattern(5000)
        let original = try await fixture.put(bytes)
        for allowLink in [true, false] {
            let staged = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: allowLink)
            #expect(staged.blob != original.content.blobs.first)
            #expect(staged.digests[.md5] == original.etag.md5)
            #expect(staged.new?.bytes == bytes)
            let copy = try await fixture.objects.publish(staged, as: fixture.newVersion("copy"))
            #expect(try await fixture.read(copy) == bytes)
        }
        let part = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: 1000..<2000, digests: .sha256, allowLink: true)
        #expect(part.digests[.sha256] == Digest.of([UInt8](bytes[1000..<2000]), .sha256))
        try await fixture.delete()
        let copy = try #require(
            try await fixture.metadata.version(of: fixture.key("copy"), in: fixture.bucket, version: nil))
        #expect(try await fixture.read(copy) == bytes)
        #expect(try fixture.files() == [])
    }

    @Test func `a copy takes over digests that are known and computes the others`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let bytes = pattern(1000)
        var original = try await fixture.put(bytes)
        let given = [UInt8](repeating: 7, count: 4)
        original.checksum = Checksum(algorithm: .crc32, kind: .fullObject, value: given)
        let taken = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: .crc32, allowLink: true)
        #expect(taken.digests[.crc32] == given)
        let computed = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: .sha1, allowLink: true)
        #expect(computed.digests[.sha1] == Digest.of(bytes, .sha1))
    }

    @Test
    func
        `an object of parts in the log and in files is read whole and by ranges, through a compaction and its own deletion`()
        async throws
    {
        let fixture = try Fixture(inlineBytesMax: 1000)
        var parts: [UploadedPart] = []
        var model: [UInt8] = []
        for (number, size) in [10, 1001, 0, 1000, 3000, 1].enumerated() {
            let bytes = pattern(size, seed: UInt64(number))
            parts.append(try await fixture.putPart(bytes, number: number + 1))
            model += bytes
        }
        #expect(try fixture.files().count == 2)
        let version = try await fixture.complete(parts)
        #expect(try await fixture.read(version) == model)
        for range in [0..<10, 0..<11, 5..<1500, 1011..<2011, 1500..<1501, 2010..<5012] {
            let got = try await fixture.read(version, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
            #expect(got == [UInt8](model[range]), "\(range)")
        }
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
        try fixture.metadata.relocateAll()
        #expect(try await fixture.read(version) == model)
        try await fixture.delete()
        try await fixture.objects.sweeper.sweep()
        #expect(try await opened.collected() == model)
    }

    @Test func `bytes that were moved since their row was read are gone, and are found by another look`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        var version = try await fixture.put(pattern(10))
        let blob = try #require(version.content.blobs.first)
        version.blob = try await fixture.metadata.blob(blob)
        #expect(try await fixture.read(version) == pattern(10))
        try fixture.metadata.relocateAll()
        await #expect(throws: BucketsError.gone(blob)) { try await fixture.read(version) }
        version.blob = try await fixture.metadata.blob(blob)
        #expect(try await fixture.read(version) == pattern(10))
        try await fixture.delete()
        version.blob = nil
        await #expect(throws: BucketsError.gone(blob)) { try await fixture.read(version) }
    }

    @Test func `bytes that do not match their check value are not served, alone or as a part`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let single = try await fixture.put(pattern(1000), "single")
        let whole = try await fixture.complete([
            try await fixture.putPart(pattern(1000, seed: 2), number: 1),
            try await fixture.putPart(pattern(1000, seed: 3), number: 2),
        ])
        #expect(try await fixture.read(single) == pattern(1000))
        for version in [single, whole] {
            let blob = try #require(version.content.blobs.last)
            guard case .segment(let number, let offset) = try await fixture.metadata.blob(blob)?.location else {
                Issue.record("not in the log")
                return
            }
            let path = fixture.blobs.root + "/seg/0000000\(number).seg"
            let file = try LinuxDisk().open(path, .update)
            try file.write([0xFF, 0xFE].span, at: offset + 500)
            await #expect { try await fixture.read(version, range: 1..<version.size) } throws: {
                if case .damaged = $0 as? BucketsError { true } else { false }
            }
        }
    }

    @Test(arguments: [MetadataError.unavailable("away"), .broken("disk"), .preconditionFailed])
    func `a publication that failed leaves nothing in doubt`(failure: MetadataError) async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        fixture.metadata.fail(failure, committing: true)
        await #expect(throws: failure) { try await fixture.put(pattern(10)) }
        #expect(fixture.objects.inDoubtCount == 0)
        #expect(fixture.blobs.memory.takenBytes == 0)
    }

    @Test func `ids of content in the log make no directories`() throws {
        let folder = try TemporaryFolder()
        let fixture = try Fixture(inlineBytesMax: Self.limit, folder: folder)
        var last = BlobID(0)
        for _ in 0..<10_000 { last = try fixture.blobs.newID(needsDirectory: false) }
        let disk = LinuxDisk()
        #expect(try disk.names(in: folder.path + "/store/obj") == ["00000001"])
        let file = try fixture.blobs.newID(needsDirectory: true)
        #expect(file > last)
        #expect(try disk.names(in: folder.path + "/store/obj").sorted() == ["00000001", "00000003"])
        _ = try fixture.blobs.create()
    }
}
