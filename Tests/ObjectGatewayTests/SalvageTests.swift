import Buckets
import Bytes
import Digests
import Files
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

/// What is saved of a store whose database is lost, and whose log is not whole.
@Suite(.timeLimit(.minutes(2))) struct SalvageTests {
    private let fixture: StoreFixture
    private let photos: BucketName

    init() throws {
        fixture = try StoreFixture()
        photos = try #require(BucketName("photos".utf8))
    }

    private func content(_ seed: UInt8, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) ^ seed }
    }

    private func source(_ bytes: [UInt8]) -> ByteSource {
        let left = Lock<[UInt8]?>(bytes)
        return ByteSource { consume in
            let bytes = left.withLock { left in
                defer { left = nil }
                return left
            }
            guard let bytes else { return false }
            try consume(bytes.span)
            return true
        }
    }

    private func stage(_ bytes: [UInt8], _ store: OpenStore, _ label: BlobLabel) async throws -> StagedBlob {
        try await store.objects.stage(source(bytes), digests: [], sizeMax: .max, label: label)
    }

    private func put(_ name: String, _ bytes: [UInt8], in bucket: BucketID, _ store: OpenStore) async throws {
        let key = try #require(ObjectKey(name.utf8))
        var attributes = ObjectAttributes()
        attributes.contentType = [UInt8]("image/x-\(name)".utf8)
        let staged = try await stage(
            bytes, store, BlobLabel(bucket: photos, key: key, contentType: attributes.contentType))
        _ = try await store.objects.publish(
            staged,
            as: NewVersion(
                bucket: bucket, key: key, owner: "alice", size: 0, etag: ETag(md5: staged.digests[.md5] ?? []),
                attributes: attributes, checksum: nil, tags: [Tag(key: [65], value: [66])], content: .empty))
    }

    private func get(_ name: String, _ store: OpenStore) async throws -> (version: ObjectVersion, bytes: [UInt8])? {
        let bucket = try #require(try await store.metadata.bucket(named: photos))
        let key = try #require(ObjectKey(name.utf8))
        guard let version = try await store.metadata.version(of: key, in: bucket.id, version: nil) else { return nil }
        var bytes: [UInt8] = []
        try await store.objects.open(version, in: bucket.id, range: nil).forEach { run in
            switch run {
            case .bytes(let run): bytes += run
            case .slice(let slice): bytes += try slice.file.read(at: slice.offset, count: Int(slice.length))
            }
        }
        return (version, bytes)
    }

    private func salvage() async throws -> (report: SalvageReport, store: OpenStore) {
        let target = fixture.configuration { $0.data = fixture.folder.path + "/new" }
        let report = try await OpenStore.salvage(fixture.configuration().data, into: target, pool: storePool)
        return (report, try await OpenStore.open(target, pool: storePool))
    }

    private func removeDatabase() throws {
        let folder = fixture.configuration().data + "/meta"
        for name in try LinuxDisk().names(in: folder) where name.hasPrefix("main.db") {
            _ = try LinuxDisk().remove("\(folder)/\(name)")
        }
    }

    private func segments() throws -> [String] {
        let folder = fixture.configuration().data + "/seg"
        return try LinuxDisk().names(in: folder).sorted().map { "\(folder)/\($0)" }
    }

    @Test func `files and the rest of the log give back what they know where the log's beginning is lost`() async throws
    {
        var store = try await fixture.open()
        var bucket = try await store.metadata.createBucket(named: photos, owner: "alice", at: .now())
        try await store.metadata.setVersioning(.enabled, of: bucket.id)
        try await put("lost", content(1, 100), in: bucket.id, store)
        try await put("file", content(2, 300_000), in: bucket.id, store)
        let joined = try #require(ObjectKey("joined".utf8))
        let upload = try #require(UploadID([UInt8](repeating: 0x61, count: 32)))
        let parts = [content(3, 200_000), content(4, 150_000)]
        for (index, part) in parts.enumerated() {
            let staged = try await stage(
                part, store, BlobLabel(bucket: photos, key: joined, upload: upload, partNumber: index + 1))
            // Published as objects of their own: what matters is what their files say.
            _ = try await store.objects.publish(
                staged,
                as: NewVersion(
                    bucket: bucket.id, key: joined, owner: "alice", size: 0,
                    etag: ETag(md5: staged.digests[.md5] ?? []),
                    attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty))
        }
        await store.close()
        store = try await fixture.open()
        bucket = try #require(try await store.metadata.bucket(named: photos))
        try await put("inline", content(5, 100), in: bucket.id, store)
        try await put("known", content(6, 400_000), in: bucket.id, store)
        await store.close()
        try removeDatabase()
        _ = try LinuxDisk().remove(try #require(try segments().first))
        await #expect(throws: StartError.self) {
            try await OpenStore.rebuild(fixture.configuration().data, pool: storePool)
        }

        let (report, saved) = try await salvage()
        #expect(report.objects == 4 && report.objectsFromFiles == 2, "\(report)")
        #expect(try await get("lost", saved) == nil)
        let file = try #require(try await get("file", saved))
        #expect(file.bytes == content(2, 300_000) && file.version.etag.md5 == Digest.md5(file.bytes))
        #expect(file.version.attributes.contentType == [UInt8]("image/x-file".utf8))
        let whole = try #require(try await get("joined", saved))
        #expect(whole.bytes == parts[0] + parts[1])
        #expect(whole.version.etag == ETag(md5: Digest.md5(parts.flatMap { Digest.md5($0) }), partCount: 2))
        for (name, bytes) in [("inline", content(5, 100)), ("known", content(6, 400_000))] {
            let found = try #require(try await get(name, saved))
            #expect(found.bytes == bytes && found.version.owner == "alice")
            #expect(found.version.tags == [Tag(key: [65], value: [66])])
        }
        await saved.close()
    }

    @Test func `damage in the middle of the log takes no more than what lies there`() async throws {
        let store = try await fixture.open()
        let bucket = try await store.metadata.createBucket(named: photos, owner: "alice", at: .now())
        for number in 0..<9 { try await put("k\(number)", content(UInt8(number), 2_000), in: bucket.id, store) }
        _ = try await store.objects.delete(
            DeleteRequest(
                bucket: bucket.id, key: try #require(ObjectKey("k8".utf8)), version: nil, owner: "alice"))
        await store.close()
        try removeDatabase()
        // In the bytes of the fifth object: they are found by what they are.
        let segment = try #require(try segments().first)
        var bytes = try TemporaryFolder.read(segment)
        let wanted = content(4, 2_000)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: wanted) })
        bytes[place + 1_000] ^= 1
        try LinuxDisk().open(segment, .update).write(bytes.span, at: 0)

        let (report, saved) = try await salvage()
        #expect(report.objects == 7 && report.lostCount == 1, "\(report)")
        for number in 0..<9 {
            let found = try await get("k\(number)", saved)
            #expect(found?.bytes == ([4, 8].contains(number) ? nil : content(UInt8(number), 2_000)), "k\(number)")
        }
        await saved.close()
    }

    @Test func `a folder that has a store already is not salvaged into`() async throws {
        let store = try await fixture.open()
        await store.close()
        await #expect(throws: StartError.self) {
            try await OpenStore.salvage(
                fixture.configuration().data, into: fixture.configuration(), pool: storePool)
        }
    }
}
