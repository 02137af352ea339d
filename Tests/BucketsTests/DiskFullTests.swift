import Buckets
import Files
import Glibc
import Metadata
import TestSupport
import Testing

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
}
