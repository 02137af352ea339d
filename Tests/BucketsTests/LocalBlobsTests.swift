import Buckets
import Files
import Metadata
import TestSupport
import Testing

@Suite struct LocalBlobsTests {
    @Test func `ids ascend and are not reused after reopening, even where all files were removed`() async throws {
        let folder = try TemporaryFolder()
        var last = BlobID(0)
        for round in 0..<4 {
            let fixture = try Fixture(folder: folder)
            for _ in 0..<5 {
                let version = try await fixture.put(pattern(10))
                let id = try #require(version.content.blobs.first)
                #expect(id > last)
                last = id
            }
            if round.isMultiple(of: 2) {
                try await fixture.delete()
                try await fixture.objects.sweeper.sweep()
                #expect(try fixture.files().filter { $0.hasSuffix("/" + String(last.value, radix: 16)) } == [])
            }
        }
    }

    @Test func `empty directories of earlier openings do not pile up`() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<5 { _ = try LocalBlobs.open(try DataFolder.open(folder.path + "/store")) }
        #expect(try LinuxDisk().names(in: folder.path + "/store/obj") == ["00000005"])
    }

    @Test func `files are named by their ids, 4096 to a directory`() async throws {
        let fixture = try Fixture()
        let original = try await fixture.put([1])
        #expect(try fixture.files() == ["00000001/0000000000001000"])
        // Abandoned links use up ids without syncs.
        for _ in 0..<4094 {
            _ = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
        }
        try await fixture.put([2], "last of its directory")
        try await fixture.put([3], "first of the next")
        #expect(
            try fixture.files() == [
                "00000001/0000000000001000", "00000001/0000000000001fff", "00000002/0000000000002000",
            ])
    }

    @Test func `a batch syncs each directory once`() async throws {
        let fixture = try Fixture()
        let before = fixture.blobs.directorySyncCount
        try fixture.blobs.makeDurable((0x1000..<0x1040).map(BlobID.init))
        #expect(fixture.blobs.directorySyncCount == before + 1)
        try LinuxDisk().makeDirectory(fixture.blobs.root + "/obj/00000002")
        try fixture.blobs.makeDurable([0x1001, 0x2001, 0x1002, 0x2002].map(BlobID.init))
        #expect(fixture.blobs.directorySyncCount == before + 3)
        try fixture.blobs.makeDurable([])
        #expect(fixture.blobs.directorySyncCount == before + 3)
    }

    @Test func `a directory that cannot be opened fails the commit and nothing else`() async throws {
        let fatal = Counter()
        var configuration = BlobsConfiguration()
        configuration.onFatal = { _ in fatal.add() }
        let fixture = try Fixture(configuration: configuration)
        #expect(throws: BucketsError.self) { try fixture.blobs.makeDurable([BlobID(0x9000)]) }
        #expect(fatal.value == 0)
    }

    @Test func `files that no row names are orphans once the store was reopened`() async throws {
        let folder = try TemporaryFolder()
        let known: BlobID
        let orphan: BlobID
        do {
            let fixture = try Fixture(folder: folder)
            known = try #require(try await fixture.put(pattern(10)).content.blobs.first)
            orphan = try #require(try await fixture.put(pattern(10), "forgotten").content.blobs.first)
            #expect(try await fixture.blobs.orphans(isKnown: { $0 == known }) == [])
        }
        let reopened = try Fixture(folder: folder)
        try await reopened.put(pattern(10), "new")
        #expect(try await reopened.blobs.orphans(isKnown: { $0 == known }) == [orphan])
    }
}
