import Bytes
import Files
import Glibc
import Metadata
import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct OpenedBytesTests {
    /// Parts of three bytes, which are links of one another's blobs, so that thousands need no sync each.
    private func version(of count: Int, in fixture: Fixture) async throws -> (ObjectVersion, [UInt8]) {
        var sources: [ObjectVersion] = []
        for number in 0..<7 {
            sources.append(try await fixture.put(pattern(3, seed: UInt64(number)), "source-\(number)"))
        }
        var parts: [UploadedPart] = []
        var model: [UInt8] = []
        for number in 1...count {
            let staged = try await fixture.objects.stageCopy(
                of: sources[number % sources.count], in: fixture.bucket, range: nil, digests: [], allowLink: true)
            parts.append(
                try await fixture.objects.putPart(
                    staged, number: number, checksum: nil, upload: fixture.upload, key: fixture.key(),
                    bucket: fixture.bucket, now: Timestamp(seconds: 0)))
            model += pattern(3, seed: UInt64(number % sources.count))
        }
        for number in sources.indices { try await fixture.delete("source-\(number)") }
        try await fixture.objects.sweeper.sweep()
        return (try await fixture.complete(parts), model)
    }

    /// The blob files of this fixture that the process has open.
    private func openFiles(of fixture: Fixture) throws -> Int {
        let objects = [UInt8]((fixture.blobs.root + "/obj/").utf8)
        return try LinuxDisk().names(in: "/proc/self/fd").count { name in
            var target = [CChar](repeating: 0, count: objects.count)
            let length = unsafe readlink("/proc/self/fd/" + name, &target, target.count)
            return length == objects.count && target.elementsEqual(objects.map { CChar(bitPattern: $0) })
        }
    }

    @Test func `an object of 3,000 parts is read with one file open, outlives its deletion, and is swept afterwards`()
        async throws
    {
        let fixture = try Fixture()
        let (version, model) = try await version(of: 3000, in: fixture)
        do {
            let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            #expect(opened.length == UInt64(model.count))
            #expect(fixture.blobs.pins.count == 3000)
            var (got, slices, openMax): ([UInt8], Int, Int) = ([], 0, 0)
            try await opened.forEach { run in
                openMax = max(openMax, try openFiles(of: fixture))
                got += try run.read()
                slices += 1
                if slices == 1000 {
                    try await fixture.delete()
                    // Behind 3,000 blobs that stay, one that can go.
                    try await fixture.put(pattern(10), "other")
                    try await fixture.delete("other")
                    #expect(try await fixture.objects.sweeper.sweep() == 1)
                    #expect(try fixture.files().count == 3000)
                }
            }
            #expect(got == model)
            #expect((1...2).contains(openMax))
            #expect(try await fixture.objects.sweeper.sweep() == 0)
            withExtendedLifetime(opened) {}
        }
        #expect(fixture.blobs.pins.count == 0)
        #expect(try await fixture.objects.sweeper.sweep() == 3000)
        #expect(try fixture.files() == [])
        #expect(fixture.metadata.garbage == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a started sweeper removes pinned blobs when their reader has gone`() async throws {
        let fixture = try Fixture()
        let (version, _) = try await version(of: 3, in: fixture)
        let sweeper = fixture.objects.sweeper
        let before = sweeper.removedCount
        do {
            let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            try await fixture.delete()
            #expect(try await sweeper.sweep() == 0)
            sweeper.start()
            withExtendedLifetime(opened) {}
        }
        while sweeper.removedCount < before + 3 { try await Task.sleep(for: .milliseconds(5)) }
        sweeper.stop()
        #expect(try fixture.files() == [])
    }

    @Test func `parts that were dropped since their row was read are gone, even while their files are there`()
        async throws
    {
        let fixture = try Fixture()
        let (version, _) = try await version(of: 2, in: fixture)
        try await fixture.delete()
        let first = try #require(version.content.blobs.first)
        await #expect(throws: BucketsError.gone(first)) {
            _ = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
        }
        #expect(fixture.blobs.pins.count == 0)
        #expect(try await fixture.objects.sweeper.sweep() == 2)
    }

    @Test func `a range within one part pins nothing and looks nothing up`() async throws {
        let fixture = try Fixture()
        let (version, model) = try await version(of: 5, in: fixture)
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: 4..<6)
        #expect(fixture.blobs.pins.count == 0)
        #expect(fixture.metadata.lookUps.load(ordering: .relaxed) == 0)
        #expect(try await opened.collected() == [UInt8](model[4..<6]))
    }

    @Test func `only the parts of the range are pinned`() async throws {
        let fixture = try Fixture()
        let (version, model) = try await version(of: 5, in: fixture)
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: 4..<9)
        #expect(fixture.blobs.pins.count == 2)
        try await fixture.delete()
        #expect(try await fixture.objects.sweeper.sweep() == 3)
        #expect(try await opened.collected() == [UInt8](model[4..<9]))
    }

    @Test func `more pins than configured are refused, and possible again later`() async throws {
        var configuration = BlobsConfiguration()
        configuration.pinnedBlobsMax = 5
        let fixture = try Fixture(configuration: configuration)
        let (version, model) = try await version(of: 3, in: fixture)
        do {
            let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            await #expect {
                _ = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
            } throws: {
                if case .overloaded = $0 as? BucketsError { true } else { false }
            }
            withExtendedLifetime(opened) {}
        }
        #expect(try await fixture.read(version) == model)
    }

    @Test func `a part that is lost is damage, not a race`() async throws {
        let fixture = try Fixture()
        let (version, _) = try await version(of: 3, in: fixture)
        try fixture.blobs.remove(try #require(version.content.blobs.last))
        await #expect { try await fixture.read(version) } throws: {
            if case .damaged = $0 as? BucketsError { true } else { false }
        }
    }

    @Test func `a copy of many parts has few files open and outlives the deletion of its source`() async throws {
        let fixture = try Fixture()
        let (version, model) = try await version(of: 50, in: fixture)
        let calls = Counter()
        let staged = try await fixture.objects.stageCopy(
            of: version, in: fixture.bucket, range: nil, digests: [], allowLink: true,
            keepAlive: {
                calls.add()
                #expect(try openFiles(of: fixture) <= 3)
                if calls.value == 10 {
                    try await fixture.delete()
                    try await fixture.objects.sweeper.sweep()
                }
            })
        let copy = try await fixture.objects.publish(staged, as: fixture.newVersion("copy"))
        #expect(try await fixture.read(copy) == model)
        #expect(try await fixture.objects.sweeper.sweep() == 50)
        #expect(try fixture.files().count == 1)
    }
}
