import Files
import Glibc
import Metadata
import SimulatedDisk
import Testing

@testable import Buckets

/// Blobs on a disk that loses what was not made durable.
@Suite struct SimulatedDiskTests {
    private static let sizes = [1, 600, 65_536, 70_000, 200_001]

    private func path(_ version: ObjectVersion, _ blobs: LocalBlobs) throws -> String {
        blobs.path(of: try #require(version.content.blobs.first))
    }

    @Test(arguments: 0..<40)
    func `what was published is there after a power cut, whole`(seed: UInt64) async throws {
        let disk = SimulatedFileSystem(seed: seed)
        let fixture = try Fixture(disk: disk)
        var stored: [(ObjectVersion, [UInt8])] = []
        for (number, size) in Self.sizes.enumerated() {
            let bytes = pattern(size, seed: seed &+ UInt64(number))
            stored.append((try await fixture.put(bytes, "key-\(number)"), bytes))
            // One that nobody was told of.
            _ = try await fixture.objects.stage(source(bytes), digests: [], sizeMax: .max)
        }
        let after = disk.copyAfterPowerCut(seed: seed ^ 0xABCD)
        let blobs = try LocalBlobs.open(try DataFolder.open("/store", disk: after, isLocked: false))
        let objects = ObjectStore(
            metadata: fixture.metadata, blobs: blobs, segments: fixture.segments, pool: Fixture.pool)
        for (version, bytes) in stored {
            let opened = try await objects.open(version, in: fixture.bucket, range: nil)
            #expect(try await opened.collected() == bytes, "seed \(seed)")
        }
        let known = Set(stored.flatMap(\.0.content.blobs))
        #expect(try await blobs.orphans(isKnown: { known.contains($0) }) == [])
    }

    @Test(arguments: 0..<40)
    func `a flipped bit is never served`(seed: UInt64) async throws {
        let disk = SimulatedFileSystem(seed: seed)
        let fixture = try Fixture(disk: disk)
        let bytes = pattern(200_001, seed: seed)
        let version = try await fixture.put(bytes)
        let path = try path(version, fixture.blobs)
        _ = try #require(disk.flipRandomBit(where: { $0 == path }))
        do {
            // Where the bit is in the record of the trailer nothing depends on it.
            #expect(try await fixture.read(version) == bytes, "seed \(seed)")
        } catch BucketsError.damaged {
            #expect(fixture.blobs.damage.count == 1)
        }
    }

    @Test(arguments: 0..<20)
    func `a full disk refuses, keeps what it has, and takes writes again`(seed: UInt64) async throws {
        var configuration = BlobsConfiguration()
        configuration.freeBytesMin = 0
        configuration.onFatal = { Issue.record("fatal: \($0), seed \(seed)") }
        let disk = SimulatedFileSystem(seed: seed)
        let fixture = try Fixture(configuration: configuration, disk: disk)
        disk.faults = DiskFaults(capacity: 700_000 + seed * 10_007)
        var stored: [(ObjectVersion, [UInt8])] = []
        var refusals = 0
        for number in 0..<40 where refusals < 5 {
            let bytes = pattern(60_000 + number * 997, seed: seed)
            do {
                stored.append((try await fixture.put(bytes, "key-\(number)"), bytes))
            } catch BucketsError.diskFull {
                refusals += 1
            } catch MetadataError.diskFull {
                refusals += 1
            }
        }
        #expect(refusals == 5 && !stored.isEmpty, "seed \(seed)")
        let names = try disk.names(in: "/store/obj").flatMap { try disk.names(in: "/store/obj/" + $0) }
        #expect(names.count == stored.count, "seed \(seed)")
        for (version, bytes) in stored { #expect(try await fixture.read(version) == bytes, "seed \(seed)") }
        for number in 0..<2 { try await fixture.delete("key-\(number)") }
        #expect(try await fixture.objects.sweeper.sweep() == 2)
        try await fixture.put(pattern(50_000), "again")
    }

    @Test func `a sync that failed ends the process, and is not tried again`() async throws {
        let fatal = Counter()
        var configuration = BlobsConfiguration()
        configuration.onFatal = { _ in fatal.add() }
        let disk = SimulatedFileSystem(seed: 1)
        let fixture = try Fixture(configuration: configuration, disk: disk)
        disk.faults = DiskFaults(scheduled: [.init(.syncData, number: 1, errno: EIO)])
        await #expect(throws: BucketsError.self) { try await fixture.put(pattern(1000)) }
        #expect(fatal.value == 1)
        disk.faults = DiskFaults(scheduled: [.init(.syncDirectory, number: 1, errno: EIO)])
        await #expect(throws: (any Error).self) { try await fixture.put(pattern(1000)) }
        #expect(fatal.value == 2)
    }
}
