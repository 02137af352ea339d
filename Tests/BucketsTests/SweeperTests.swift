import Buckets
import Files
import Metadata
import Testing
import Threads

@Suite struct SweeperTests {
    @Test func `exactly what is garbage is removed`() async throws {
        let fixture = try Fixture()
        for number in 0..<10 { try await fixture.put(pattern(10), "key-\(number)") }
        for number in 0..<5 { try await fixture.delete("key-\(number)") }
        try await fixture.put(pattern(20), "key-5")
        let garbage = fixture.metadata.garbage
        #expect(garbage.count == 6)
        #expect(try await fixture.objects.sweeper.sweep() == 6)
        #expect(fixture.metadata.forgotten == garbage)
        #expect(try fixture.files().count == 5)
        for number in 5..<10 {
            let version = try await fixture.metadata.version(
                of: fixture.key("key-\(number)"), in: fixture.bucket, version: nil)
            #expect(try await fixture.read(#require(version)) == pattern(number == 5 ? 20 : 10))
        }
        #expect(try await fixture.objects.sweeper.sweep() == 0)
    }

    @Test func `a file that is gone already is forgotten`() async throws {
        let fixture = try Fixture()
        let version = try await fixture.put(pattern(10))
        try fixture.blobs.remove(#require(version.content.blobs.first))
        try await fixture.delete()
        #expect(try await fixture.objects.sweeper.sweep() == 1)
        #expect(fixture.metadata.garbage == [])
    }

    /// A crash between the unlinking and the forgetting; the next opening removes the empty directory.
    @Test func `a file whose directory is gone too is forgotten, and the process goes on`() async throws {
        var configuration = BlobsConfiguration()
        configuration.onFatal = { Issue.record("fatal: \($0)") }
        let fixture = try Fixture(configuration: configuration)
        let version = try await fixture.put(pattern(10))
        try fixture.blobs.remove(#require(version.content.blobs.first))
        for block in try LinuxDisk().names(in: fixture.blobs.root + "/obj") {
            try LinuxDisk().removeEmptyDirectory(fixture.blobs.root + "/obj/" + block)
        }
        try await fixture.delete()
        #expect(try await fixture.objects.sweeper.sweep() == 1)
        #expect(fixture.metadata.garbage == [])
    }

    @Test func `more than one batch goes in one sweep`() async throws {
        let fixture = try Fixture()
        let original = try await fixture.put(pattern(10))
        for number in 0..<600 {
            let staged = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
            _ = try await fixture.objects.publish(staged, as: fixture.newVersion("copy-\(number)"))
        }
        for number in 0..<600 { try await fixture.delete("copy-\(number)") }
        #expect(try await fixture.objects.sweeper.sweep() == 600)
        #expect(try fixture.files().count == 1)
    }

    @Test func `a file that cannot be removed stays listed`() async throws {
        let fixture = try Fixture()
        let version = try await fixture.put(pattern(10))
        let blob = try #require(version.content.blobs.first)
        try await fixture.delete()
        // A directory in the file's place.
        let path = fixture.blobs.root + "/obj/" + (try #require(fixture.files().first))
        try LinuxDisk().remove(path)
        try LinuxDisk().makeDirectory(path)
        #expect(try await fixture.objects.sweeper.sweep() == 0)
        #expect(fixture.metadata.garbage == [blob])
        try LinuxDisk().removeEmptyDirectory(path)
        #expect(try await fixture.objects.sweeper.sweep() == 1)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a started sweeper removes what a deletion leaves, until it is stopped`() async throws {
        let fixture = try Fixture()
        let sweeper = fixture.objects.sweeper
        sweeper.start()
        sweeper.start()
        for count in 1...3 {
            try await fixture.put(pattern(10))
            try await fixture.delete()
            while sweeper.removedCount < UInt64(count) { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try fixture.files() == [])
        }
        sweeper.stop()
        sweeper.stop()
        sweeper.start()
        try await fixture.put(pattern(10))
        try await fixture.delete()
        while sweeper.removedCount < 4 { try await Task.sleep(for: .milliseconds(5)) }
        sweeper.stop()
    }
}
