import Bytes
import Digests
import Files
import RedoLog
import TestSupport
import Testing

@testable import Metadata

/// Damage in segments of the log: what another copy gives back, and what compaction leaves behind.
@Suite struct HealingTests {
    let folder: TemporaryFolder
    let disk = LinuxDisk()

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> Embedded {
        var configuration = SQLiteStoreConfiguration()
        configuration.log.segmentSizeMax = 20_000
        configuration.log.reserveBytes = 0
        configuration.maintenance.baseEveryBytes = 0
        configuration.maintenance.basesKept = 1
        configuration.ballastBytes = 0
        configuration.cachedVersionCountMax = 0
        return try Embedded(folder: folder, configuration: configuration)
    }

    private func content(_ number: Int) -> [UInt8] {
        (0..<1_500 + number % 7).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }

    private func put(_ number: Int, in bucket: BucketID, _ subject: Subject) async throws -> StoredBlob {
        let bytes = content(number)
        let blob = NewBlob(
            id: BlobID(Blobs.next()), size: UInt64(bytes.count), crc32c: CRC32C.of(bytes), bytes: bytes)
        _ = try await subject.store.publish(
            NewVersion(
                bucket: bucket, key: .of("k/\(number) ä"), owner: "alice", size: blob.size, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob))
        return try #require(try await subject.store.blob(blob.id))
    }

    private func bytes(of blob: BlobID, _ store: SQLiteStore) async throws -> [UInt8] {
        let stored = try #require(try await store.blob(blob))
        let crc32c = try #require(stored.crc32c)
        guard case .segment(let segment, let offset) = stored.location else { return [] }
        return try store.segments.payload(
            at: PayloadPlace(segment: segment, offset: offset, length: UInt32(stored.size), crc32c: crc32c))
    }

    private func path(of segment: UInt64) -> String {
        "\(folder.path)/store/seg/\(String(decoding: Hex.encode(segment, width: 8), as: UTF8.self)).seg"
    }

    private func flip(_ blob: StoredBlob, byte: Int64 = 700) throws {
        guard case .segment(let segment, let offset) = blob.location else { return }
        let file = try disk.open(path(of: segment), .update)
        let place = UInt64(Int64(offset) + byte)
        let former = try file.read(at: place, count: 1)
        try file.write([former[0] ^ 8].span, at: place)
    }

    @Test func `a blob that compaction moved is given back by its former place`() async throws {
        let embedded = try open()
        let store = embedded.store
        let bucket = try await embedded.subject.bucket()
        var blobs: [StoredBlob] = []
        for number in 0..<40 { blobs.append(try await put(number, in: bucket, embedded.subject)) }
        for result in await store.committer.submit([.relocate(blobs[3], bytes: content(3))]) { _ = try result.get() }
        let moved = try #require(try await store.blob(blobs[3].id))
        #expect(moved.location != blobs[3].location)
        try flip(moved)
        // One whose only copy is damaged, in the segment that holds the other's former place.
        try flip(blobs[1])
        await #expect(throws: LogError.self) { try await bytes(of: moved.id, store) }
        #expect(try await store.heal([moved, blobs[1]]) == [moved.id])
        #expect(try await bytes(of: moved.id, store) == content(3))
        let names = try await store.versions(naming: [blobs[1].id], countMax: 5)
        #expect(names[blobs[1].id]?.map(\.description).first?.hasSuffix("/k/1%20%C3%A4 version null") == true)
        await embedded.close()
        // A base holds what lies before the damage.
        let data = try DataFolder.open(folder.path + "/store")
        #expect(try SQLiteStore.restoreFromBase(data) != nil)
        data.close()
        let again = try open()
        #expect(try await bytes(of: moved.id, again.store) == content(3))
        await again.close()
    }

    @Test func `a mostly dead segment with damage goes, unless what is needed of it cannot be read`() async throws {
        let embedded = try open()
        let store = embedded.store
        let bucket = try await embedded.subject.bucket()
        var blobs: [StoredBlob] = []
        for number in 0..<120 { blobs.append(try await put(number, in: bucket, embedded.subject)) }
        for number in 0..<120 where number % 6 != 0 { try await embedded.subject.delete("k/\(number) ä", in: bucket) }
        func segment(_ blob: StoredBlob) -> UInt64? {
            if case .segment(let number, _) = blob.location { number } else { nil }
        }
        // The head of a record in one segment, and the bytes of a blob that is needed in another.
        let unreadable = blobs[60]
        let other = try #require(blobs.first { segment($0) != segment(unreadable) && segment($0) != segment(blobs[0]) })
        try flip(other, byte: -60)
        try flip(unreadable)
        // Each is said once.
        var damaged: [String] = []
        for _ in 0..<3 { damaged += try await store.maintain().damaged }
        #expect(damaged.count == 2, "\(damaged)")
        let left = try store.segments.numbers()
        #expect(!left.contains(try #require(segment(other))))
        for number in stride(from: 0, to: 120, by: 6) where number != 60 {
            #expect(try await bytes(of: blobs[number].id, store) == content(number))
        }
        #expect(left.contains(try #require(segment(unreadable))))
        await #expect(throws: LogError.self) { try await bytes(of: unreadable.id, store) }
        await embedded.close()
    }
}
