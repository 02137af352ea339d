import Digests
import Metadata
import TestSupport
import Testing
import Threads

@testable import Buckets

/// What holds for every `BlobStore`: files of the data folder, and objects of a real engine.
@Suite(.runningEngine) struct BlobStoreContractTests {
    /// About the borders of blocks, of what is read as a whole, and of parts.
    private static let sizes = [
        1, 65_535, 65_536, 65_537, 300_000, (1 << 20) - 1, (1 << 20) + 1, (5 << 20) - 1, 5 << 20, (5 << 20) + 1,
        (10 << 20) + 70_000,
    ]

    @Test(arguments: BlobStoreKind.allCases) func `what was put is read, whole and in ranges`(_ kind: BlobStoreKind)
        async throws
    {
        let fixture = try kind.fixture()
        var random = SplitMix(seed: 7)
        for size in Self.sizes {
            let bytes = pattern(size, seed: UInt64(size))
            let version = try await fixture.put(bytes, "key-\(size)")
            #expect(version.etag.md5 == Digest.md5(bytes))
            #expect(try await fixture.read(version) == bytes, "\(size)")
            for _ in 0..<6 {
                let start = Int.random(in: 0..<size, using: &random)
                let end = Int.random(in: start + 1...size, using: &random)
                let found = try await fixture.read(version, range: UInt64(start)..<UInt64(end))
                #expect(found.elementsEqual(bytes[start..<end]), "\(start)..<\(end) of \(size)")
            }
            let last = try await fixture.read(version, range: UInt64(size - 1)..<UInt64(size))
            #expect(last == [bytes[size - 1]])
        }
        #expect(try await fixture.kept().count == Self.sizes.count)
    }

    @Test(arguments: BlobStoreKind.allCases) func `small content has no place there`(_ kind: BlobStoreKind) async throws
    {
        let fixture = try kind.fixture(inlineBytesMax: 1000)
        let small = try await fixture.put(pattern(1000), "small")
        let large = try await fixture.put(pattern(1001), "large")
        #expect(try await fixture.kept() == [try fixture.blob(of: large)])
        #expect(try await fixture.read(small) == pattern(1000))
        #expect(try await fixture.read(large) == pattern(1001))
    }

    @Test(arguments: BlobStoreKind.allCases, [100, 300_000, 12 << 20])
    func `what is staged and not published is gone`(_ kind: BlobStoreKind, size: Int) async throws {
        let fixture = try kind.fixture()
        try await fixture.put(pattern(10), "other")
        do {
            let staged = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: .max)
            #expect(staged.size == UInt64(size))
        }
        try await fixture.untilKept(1)
    }

    @Test(arguments: BlobStoreKind.allCases, [100, 300_000, 12 << 20])
    func `a body that fails leaves nothing`(_ kind: BlobStoreKind, size: Int) async throws {
        let fixture = try kind.fixture()
        await #expect(throws: FixtureError.self) {
            _ = try await fixture.objects.stage(
                source(pattern(size), failure: FixtureError()), digests: [], sizeMax: .max)
        }
        await #expect(throws: BucketsError.tooLarge(sizeMax: UInt64(size - 1))) {
            _ = try await fixture.objects.stage(source(pattern(size)), digests: [], sizeMax: UInt64(size - 1))
        }
        try await fixture.untilKept(0)
        try await fixture.untilNoUploads()
    }

    @Test(arguments: BlobStoreKind.allCases) func `a copy outlives what it was made of`(_ kind: BlobStoreKind)
        async throws
    {
        let fixture = try kind.fixture()
        for size in [10, 300_000, 6 << 20] {
            let original = try await fixture.put(pattern(size), "original")
            let staged = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
            let copy = try await fixture.objects.publish(
                staged, as: fixture.newVersion("copy", etag: original.etag))
            #expect(try fixture.blob(of: copy) != fixture.blob(of: original))
            let part = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: 3..<9, digests: [], allowLink: true)
            let piece = try await fixture.objects.publish(part, as: fixture.newVersion("piece"))
            try await fixture.delete("original")
            #expect(try await fixture.objects.sweeper.sweep() > 0)
            #expect(try await fixture.read(copy) == pattern(size))
            #expect(try await fixture.read(piece).elementsEqual(pattern(size)[3..<9]))
        }
    }

    @Test(arguments: BlobStoreKind.allCases) func `parts are read as one, also those in the log`(_ kind: BlobStoreKind)
        async throws
    {
        let fixture = try kind.fixture(inlineBytesMax: 1000)
        let sizes = [6 << 20, 200_000, 700, 70_000, 1, 5 << 20]
        var parts: [UploadedPart] = []
        for (index, size) in sizes.enumerated() {
            parts.append(try await fixture.putPart(pattern(size, seed: UInt64(index)), number: index + 1))
        }
        let version = try await fixture.complete(parts)
        let all = sizes.enumerated().flatMap { pattern($0.element, seed: UInt64($0.offset)) }
        #expect(try await fixture.read(version) == all)
        var random = SplitMix(seed: 3)
        for _ in 0..<10 {
            let start = Int.random(in: 0..<all.count, using: &random)
            let end = Int.random(in: start + 1...all.count, using: &random)
            let found = try await fixture.read(version, range: UInt64(start)..<UInt64(end))
            #expect(found.elementsEqual(all[start..<end]), "\(start)..<\(end)")
        }
    }

    @Test(arguments: BlobStoreKind.allCases, [300_000, 8 << 20])
    func `what is being read is read to its end, though it was deleted and swept`(
        _ kind: BlobStoreKind, size: Int
    ) async throws {
        let fixture = try kind.fixture()
        let version = try await fixture.put(pattern(size))
        do {
            let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            try await fixture.delete()
            try await fixture.objects.sweeper.sweep()
            #expect(try await opened.collected() == pattern(size))
        }
        try await fixture.objects.sweeper.sweep()
        #expect(try await fixture.kept() == [])
        let blob = try fixture.blob(of: version)
        await #expect(throws: BucketsError.gone(blob)) { _ = try await fixture.read(version) }
    }

    @Test(arguments: BlobStoreKind.allCases) func `exactly what is garbage is swept`(_ kind: BlobStoreKind) async throws
    {
        let fixture = try kind.fixture()
        for number in 0..<20 { try await fixture.put(pattern(10 + number), "key-\(number)") }
        for number in 0..<12 { try await fixture.delete("key-\(number)") }
        try await fixture.lose(try #require(fixture.metadata.garbage.first))
        #expect(try await fixture.objects.sweeper.sweep() == 12)
        #expect(fixture.metadata.garbage == [])
        #expect(try await fixture.kept().count == 8)
        for number in 12..<20 {
            let version = try await fixture.metadata.version(
                of: fixture.key("key-\(number)"), in: fixture.bucket, version: nil)
            #expect(try await fixture.read(#require(version)) == pattern(10 + number))
        }
    }

    /// Each is tried with a blob that is read as a whole and with one that is read in pieces.
    @Test(arguments: BlobStoreKind.allCases, [400_000, 3 << 20])
    func `wrong bytes are never passed on`(_ kind: BlobStoreKind, size: Int) async throws {
        let fixture = try kind.fixture()
        let content = pattern(size)
        let spoils: [(String, (inout [UInt8]) -> Void)] = [
            ("first byte", { $0[0] ^= 1 }), ("last byte of the content", { $0[size - 1] ^= 0x80 }),
            ("a byte in between", { $0[200_000] ^= 4 }), ("a check value", { $0[size + 5] ^= 1 }),
            ("the footer", { $0[$0.count - 1] ^= 1 }), ("cut", { $0.removeLast(size / 2) }),
            ("no trailer", { $0.removeLast($0.count - size) }), ("empty", { $0 = [] }), ("longer", { $0 += [0] }),
        ]
        for (name, spoil) in spoils {
            let version = try await fixture.put(content, name)
            let blob = try fixture.blob(of: version)
            try await fixture.spoil(blob, spoil)
            fixture.objects.blobs.forgetProof(of: blob)
            var passed: [UInt8] = []
            do {
                try await fixture.objects.open(version, in: fixture.bucket, range: nil).forEach {
                    passed += try $0.read()
                }
                Issue.record("\(name): it was read")
            } catch BucketsError.damaged {
                #expect(content.starts(with: passed), "\(name)")
            }
        }
        #expect(fixture.objects.damage.count == spoils.count)
        // Bytes of another blob, which prove themselves.
        let version = try await fixture.put(content, "mine")
        let other = try await fixture.put(pattern(size, seed: 9), "other")
        var foreign: [UInt8] = []
        try await fixture.spoil(fixture.blob(of: other)) { foreign = $0 }
        try await fixture.spoil(fixture.blob(of: version)) { $0 = foreign }
        fixture.objects.blobs.forgetProof(of: try fixture.blob(of: version))
        await #expect {
            _ = try await fixture.read(version)
        } throws: { error in
            if case .damaged? = error as? BucketsError { true } else { false }
        }
    }

    @Test(arguments: BlobStoreKind.allCases) func `a check finds what is damaged, missing or nobody's`(
        _ kind: BlobStoreKind
    ) async throws {
        let fixture = try kind.fixture()
        let whole = try await fixture.put(pattern(3 << 20), "whole")
        let damaged = try await fixture.put(pattern(3 << 20), "damaged")
        let missing = try await fixture.put(pattern(500_000), "missing")
        try await fixture.spoil(fixture.blob(of: damaged)) { $0[2 << 20] ^= 1 }
        try await fixture.lose(fixture.blob(of: missing))
        if kind == .remote {
            // Older than any blob that is about to be published: objects have dates in whole seconds.
            let staged = try await fixture.objects.stage(source(pattern(70_000)), digests: [], sizeMax: .max)
            staged.release()
            await Fixture.pool.sleep(for: .milliseconds(2100))
        }
        var configuration = ScrubConfiguration()
        configuration.rate = 0
        let scrubber = Scrubber(objects: fixture.objects, configuration: configuration)
        scrubber.begin(repairs: true)
        while scrubber.isRunning { await Fixture.pool.sleep(for: .milliseconds(5)) }
        #expect(scrubber.failure == nil)
        let found = Dictionary(grouping: scrubber.report.findings, by: \.kind).mapValues { $0.map(\.blob) }
        #expect(found[.damaged] == [try fixture.blob(of: damaged)])
        #expect(found[.missing] == [try fixture.blob(of: missing)])
        #expect(found[.orphan, default: []].count == (kind == .remote ? 1 : 0))
        #expect(try await fixture.kept() == [try fixture.blob(of: whole)])
    }

    @Test(arguments: BlobStoreKind.allCases) func `many uploads at once are each whole`(_ kind: BlobStoreKind)
        async throws
    {
        let fixture = try kind.fixture { $0.uploadBytesMax = 24 << 20 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask(executorPreference: Fixture.pool) {
                    let bytes = pattern(number % 3 == 0 ? 11 << 20 : 400_000 + number, seed: UInt64(number))
                    let version = try await fixture.put(bytes, "key-\(number)")
                    #expect(try await fixture.read(version) == bytes, "\(number)")
                }
            }
            try await group.waitForAll()
        }
        let blobs = try await fixture.kept()
        #expect(Set(blobs).count == 24)
    }

    @Test(arguments: BlobStoreKind.allCases) func `ids are never given twice, in another process neither`(
        _ kind: BlobStoreKind
    ) async throws {
        let folder = try TemporaryFolder()
        var configuration: RemoteBlobsConfiguration?
        if kind == .remote { configuration = try Engine.configuration() }
        var last = BlobID(0)
        for _ in 0..<3 {
            let fixture = try Fixture(folder: folder, engine: configuration)
            for _ in 0..<3 {
                let staged = try await fixture.objects.stage(source(pattern(200_000)), digests: [], sizeMax: .max)
                let id = try #require(staged.blob)
                #expect(id > last)
                last = id
            }
        }
    }
}
