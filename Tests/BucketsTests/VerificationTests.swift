import Bytes
import Files
import Metadata
import Synchronization
import Testing
import Threads

@testable import Buckets

/// What files prove, and what happens where they do not.
@Suite struct VerificationTests {
    private func fixture(window: UInt64 = 128 << 10, verifiedFor: Duration = .seconds(3600)) throws -> Fixture {
        var configuration = BlobsConfiguration()
        configuration.verifyWindowBytes = window
        configuration.verifiedFor = verifiedFor
        return try Fixture(configuration: configuration)
    }

    private func path(_ version: ObjectVersion, _ fixture: Fixture) throws -> String {
        fixture.blobs.path(of: try #require(version.content.blobs.first))
    }

    private func flip(_ offset: UInt64, in path: String) throws {
        let file = try LinuxDisk().open(path, .update)
        let byte = try #require(try file.read(at: offset, count: 1).first)
        try file.write([byte ^ 1].span, at: offset)
    }

    private func isDamaged(_ error: any Error) -> Bool {
        if case .damaged = error as? BucketsError { true } else { false }
    }

    @Test(arguments: [1, 65_535, 65_536, 65_537, 128 << 10, 300_000, (3 << 20) + 1])
    func `a file is read whole and by ranges, checked or known`(size: Int) async throws {
        let fixture = try fixture()
        let bytes = pattern(size)
        let version = try await fixture.put(bytes)
        for _ in 0..<2 {
            for range in [0..<size, 0..<1, size - 1..<size, size / 2..<size, size / 3..<size / 2 + 1] {
                let got = try await fixture.read(version, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
                #expect(got == [UInt8](bytes[range]), "\(range)")
            }
        }
        #expect(fixture.blobs.verified.count == 1)
        #expect(fixture.blobs.damage.count == 0)
    }

    @Test func `a wrong byte is never served: reads of its block fail, reads of others go on`() async throws {
        let fixture = try fixture()
        let bytes = pattern(300_000)
        let version = try await fixture.put(bytes)
        let reports = Lock<[BlobDamage]>([])
        fixture.blobs.damage.observe { damage in reports.withLock { $0.append(damage) } }
        try flip(200_000, in: try path(version, fixture))
        #expect(try await fixture.read(version, range: 0..<196_608) == [UInt8](bytes[0..<196_608]))
        #expect(try await fixture.read(version, range: 262_144..<300_000) == [UInt8](bytes[262_144...]))
        #expect(reports.withLock { $0 } == [])
        for range: Range<UInt64> in [0..<300_000, 200_000..<200_001, 199_000..<199_010, 196_607..<196_609] {
            await #expect(performing: { try await fixture.read(version, range: range) }, throws: isDamaged)
        }
        #expect(reports.withLock { $0.map(\.blob) } == version.content.blobs)
        #expect(fixture.blobs.damage.count == 1)
        #expect(fixture.blobs.verified.count == 0)
    }

    @Test func `where a later window is wrong, the ones before are served and the wrong one is not`() async throws {
        let fixture = try fixture()
        let version = try await fixture.put(pattern(1 << 20))
        try flip(500_000, in: try path(version, fixture))
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
        let served = Atomic<UInt64>(0)
        await #expect(
            performing: {
                try await opened.forEach { run in
                    guard case .slice(let slice) = run else { return }
                    #expect(slice.offset + slice.length <= 393_216)
                    served.add(slice.length, ordering: .relaxed)
                }
            }, throws: isDamaged)
        #expect(served.load(ordering: .relaxed) == 393_216)
    }

    @Test func `a wrong first window is an error before any byte`() async throws {
        let fixture = try fixture()
        let version = try await fixture.put(pattern(1 << 20))
        try flip(0, in: try path(version, fixture))
        await #expect(
            performing: { try await fixture.objects.open(version, in: fixture.bucket, range: nil) }, throws: isDamaged)
    }

    @Test func `a file that was checked whole is not checked again until its time is over`() async throws {
        for verifiedFor in [Duration.seconds(3600), .zero] {
            let fixture = try fixture(verifiedFor: verifiedFor)
            let version = try await fixture.put(pattern(1 << 20))
            #expect(try await fixture.read(version, range: 0..<1000) == [UInt8](pattern(1 << 20)[0..<1000]))
            #expect(fixture.blobs.verified.count == 0)
            #expect(try await fixture.read(version) == pattern(1 << 20))
            #expect(fixture.blobs.verified.count == (verifiedFor == .zero ? 0 : 1))
            let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            if case .one = opened { #expect(verifiedFor != .zero) } else { #expect(verifiedFor == .zero) }
            try await fixture.delete()
            try await fixture.objects.sweeper.sweep()
            #expect(fixture.blobs.verified.count == 0)
        }
    }

    @Test func `what is known is bounded, and forgotten when its time is over`() {
        let clock = Atomic<UInt64>(0)
        let known = VerifiedBlobs(
            countMax: 3, lifetime: .milliseconds(10), now_ms: { clock.load(ordering: .relaxed) })
        for id: UInt64 in 1...10 { known.insert(BlobID(id)) }
        #expect(known.count == 3)
        known.insert(BlobID(10))
        #expect(known.contains(BlobID(10)))
        known.insert(BlobID(10))
        #expect(known.count == 3)
        clock.store(10, ordering: .relaxed)
        #expect(!known.contains(BlobID(10)))
        #expect(known.count == 2)
        known.remove(BlobID(9))
        let none = VerifiedBlobs(countMax: 0, lifetime: .seconds(1))
        none.insert(BlobID(1))
        #expect(!none.contains(BlobID(1)))
    }

    @Test func `a file of the first format, which has no trailer, is served by its size`() async throws {
        let fixture = try fixture()
        var version = try await fixture.put(pattern(300_000))
        let id = try #require(version.content.blobs.first)
        try LinuxDisk().open(try path(version, fixture), .update).truncate(to: 300_000)
        await #expect(performing: { try await fixture.read(version) }, throws: isDamaged)
        version.blob = StoredBlob(id: id, size: 300_000, crc32c: nil, location: .file)
        #expect(try await fixture.read(version) == pattern(300_000))
        let copied = try await fixture.objects.stageCopy(
            of: version, in: fixture.bucket, range: nil, digests: [], allowLink: true)
        let copy = try await fixture.objects.publish(copied, as: fixture.newVersion("copy"))
        #expect(try await fixture.read(copy) == pattern(300_000))
        try LinuxDisk().open(try path(version, fixture), .update).truncate(to: 299_999)
        await #expect(performing: { try await fixture.read(version) }, throws: isDamaged)
    }

    @Test func `another blob's file in the place of one is not served`() async throws {
        let fixture = try fixture()
        let (one, other) = (
            try await fixture.put(pattern(1000, seed: 1), "a"), try await fixture.put(pattern(1000, seed: 2), "b")
        )
        let disk = LinuxDisk()
        try disk.remove(try path(one, fixture))
        try disk.link(existing: try path(other, fixture), as: try path(one, fixture))
        await #expect(performing: { try await fixture.read(one) }, throws: isDamaged)
        #expect(try await fixture.read(other) == pattern(1000, seed: 2))
    }

    @Test func `a copy's file proves itself though it is the source's`() async throws {
        let fixture = try fixture()
        let original = try await fixture.put(pattern(300_000))
        let staged = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
        #expect(staged.new?.crc32c != nil)
        let copy = try await fixture.objects.publish(staged, as: fixture.newVersion("copy"))
        try flip(100, in: try path(copy, fixture))
        await #expect(performing: { try await fixture.read(copy) }, throws: isDamaged)
    }

    @Test func `parts are checked each by their own file, also after their version was deleted`() async throws {
        let fixture = try fixture()
        var parts: [UploadedPart] = []
        for number in 1...3 {
            parts.append(try await fixture.putPart(pattern(200_000, seed: UInt64(number)), number: number))
        }
        let version = try await fixture.complete(parts)
        let model = (1...3).flatMap { pattern(200_000, seed: UInt64($0)) }
        #expect(try await fixture.read(version, range: 199_999..<400_001) == [UInt8](model[199_999..<400_001]))
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
        try await fixture.delete()
        #expect(try await opened.collected() == model)
        let other = try await fixture.complete([
            try await fixture.putPart(pattern(100), number: 1), try await fixture.putPart(pattern(200_000), number: 2),
        ])
        try flip(150_000, in: fixture.blobs.path(of: try #require(other.content.blobs.last)))
        await #expect(performing: { try await fixture.read(other) }, throws: isDamaged)
        withExtendedLifetime(opened) {}
    }

    @Test func `a file says what it was written for`() async throws {
        let fixture = try fixture()
        let label = BlobLabel(bucket: try #require(BucketName("photos".utf8)), key: try fixture.key("a/b"))
        let staged = try await fixture.objects.stage(source(pattern(1000)), digests: [], sizeMax: .max, label: label)
        let version = try await fixture.objects.publish(staged, as: fixture.newVersion())
        let id = try #require(version.content.blobs.first)
        let file = try fixture.blobs.open(id, size: 1000, proof: .unknown)
        let found = BlobRecord(file.record.span)
        let record = try #require(found)
        #expect(record.label == label && record.blob == id && record.size == 1000)
        #expect(record.storeID == fixture.blobs.storeID)
    }
}
