import Bytes
import Digests
import Files
import TestSupport
import Testing

@testable import Metadata

/// A store that has one of everything, the moves of it, and what a client sees of it.
enum MigrationScene {
    // MARK: What is moved

    /// A store that has one of everything. Blobs up to 1,000 lie in the log.
    static func filled() async throws -> Embedded {
        let embedded = try Embedded()
        let subject = embedded.subject
        let store = embedded.store
        try await store.addUser(
            User(
                name: "alice", accessKey: Array("ALICE".utf8), sealedSecret: [1, 2, 0xFF], policy: .readwrite,
                customer: "acme", isDisabled: false, created: .fixed))
        try await store.addUser(
            User(
                name: "bob", accessKey: Array("BOB".utf8), sealedSecret: [], policy: .admin, customer: nil,
                isDisabled: true, created: .fixed))
        for (index, state) in [VersioningState.unversioned, .enabled, .suspended].enumerated() {
            let bucket = try await subject.bucket(state == .suspended ? .unversioned : state)
            if index == 1 { try await store.setAssets(true, of: bucket) }
            if index == 2 { try await store.configure(bucket, .cors, with: Array("<CORSConfiguration/>".utf8)) }
            try await fill(bucket, subject, first: UInt64(index) * 10_000 + 1)
            if index == 1 { try await detail("key-5", in: bucket, store) }
            guard state == .suspended else { continue }
            try await store.setVersioning(.enabled, of: bucket)
            try await fill(bucket, subject, first: 50_001)
            try await store.setVersioning(.suspended, of: bucket)
            try await fill(bucket, subject, first: 60_001)
        }
        return embedded
    }

    private static func detail(_ key: String, in bucket: BucketID, _ store: SQLiteStore) async throws {
        let asset = try #require(try await store.asset(of: .of(key), in: bucket))
        var details = AssetDetails()
        (details.duration, details.width, details.height) = (1_500, 640, 480)
        (details.title, details.folder) = (Array("Wanderung".utf8), Array("a/ü".utf8))
        details.custom = Array(#"{"a":[1,null]}"#.utf8)
        try await store.setAssetDetails(details, of: asset.id)
    }

    private static func fill(_ bucket: BucketID, _ subject: Subject, first: UInt64) async throws {
        var next = first
        func blob(_ size: Int, inLog: Bool) -> NewBlob {
            defer { next += 1 }
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: next), count: size)
            return NewBlob(
                id: BlobID(next), size: UInt64(size), crc32c: inLog ? CRC32C.of(bytes) : UInt32(next),
                bytes: inLog ? bytes : nil)
        }
        func put(_ key: [UInt8], _ blob: NewBlob?, tags: [Tag] = []) async throws {
            var attributes = ObjectAttributes()
            attributes.contentType = Array("image/png".utf8)
            attributes.storageClass = Array("COLD".utf8)
            attributes.userMetadata = [UserMetadata(name: Array("a".utf8), value: [0xC3, 0xA4])]
            let new = NewVersion(
                bucket: bucket, key: known(ObjectKey(key)), owner: "alice", size: blob?.size ?? 0,
                etag: ETag(md5: .md5(UInt8(truncatingIfNeeded: next))), attributes: attributes,
                checksum: Checksum(algorithm: .crc32c, kind: .fullObject, value: [1, 2, 3, 4]), tags: tags,
                content: blob.map { .blob($0.id) } ?? .empty, blob: blob)
            _ = try await subject.store.publish(new)
        }
        for index in 0..<40 {
            try await put(Array("key-\(index)".utf8), blob(100 + index, inLog: index % 2 == 0))
        }
        let tags = [Tag(key: Array("k".utf8), value: Array("ü".utf8))]
        for key in [[0x00], [0xFF, 0x00, 0x80], Array("a/b".utf8), Array("ä".utf8)] {
            try await put(key, blob(10, inLog: true), tags: tags)
            try await put(key, blob(2_000, inLog: false))
        }
        try await put(Array("empty".utf8), nil)
        for key in ["key-3", "key-4"] { try await subject.delete(key, in: bucket) }
        _ = try await subject.store.setTags(tags, of: .of("key-5"), in: bucket, version: nil)
        // A deleted version that was not the latest, where versions are kept.
        for _ in 0..<3 { try await put(Array("many".utf8), blob(50, inLog: false)) }
        let listed = try await subject.listVersions(bucket, prefix: "many")
        if listed.versions.count == 3 { try await subject.delete("many", in: bucket, listed.versions[1].versionID) }
        try await upload(bucket, subject, "done", number: first, blob: blob, completes: true)
        try await upload(bucket, subject, "open", number: first + 1, blob: blob, completes: false)
    }

    /// Three parts, of which one is sent twice, and one is empty.
    static func upload(
        _ bucket: BucketID, _ subject: Subject, _ key: String, number: UInt64, blob: (Int, Bool) -> NewBlob,
        completes: Bool
    ) async throws {
        let id = known(UploadID(Hex.encode(number, width: 32)))
        try await subject.store.createUpload(
            Upload(
                id: id, bucket: bucket, key: .of(key), owner: "alice", initiated: .fixed,
                attributes: ObjectAttributes(), tags: [], checksumAlgorithm: .sha256, checksumKind: .composite))
        var sent: [CompleteRequest.Part] = []
        for (number, size) in [(1, 3_000), (2, 300), (2, 2_500), (3, 0)] {
            let new = size == 0 ? nil : blob(size, size < 1_000)
            try await subject.store.putPart(
                UploadedPart(
                    number: number, size: UInt64(size), md5: .md5(UInt8(number)),
                    checksum: PartChecksum(algorithm: .sha256, value: .md5(9)), modified: .fixed, blob: new?.id),
                blob: new, of: id, key: .of(key), in: bucket)
            if number > sent.count {
                sent.append(CompleteRequest.Part(number: number, md5: .md5(UInt8(number)), checksum: .md5(9)))
            }
        }
        guard completes else { return }
        _ = try await subject.store.completeUpload(
            CompleteRequest(
                upload: id, bucket: bucket, key: .of(key), parts: sent, partSizeMin: 0, size: nil,
                etag: ETag(md5: .md5(7), partCount: 3), checksum: nil, conditions: WriteConditions()))
    }

    // MARK: Moving

    /// Whoever writes files is Buckets; here the log's blobs are only said to lie elsewhere.
    static func place(_ wanted: [MigratedBlob]) -> [StoredBlob] {
        wanted.map { StoredBlob(id: $0.blob.id, size: $0.blob.size, crc32c: 77, location: .file) }
    }

    static func target(_ database: String? = nil) async throws -> Shared {
        try await Shared(database: database) { $0.isForMigration = true }
    }

    static func move(
        _ embedded: Embedded, _ shared: Shared,
        place: @escaping @Sendable ([MigratedBlob]) async throws -> [StoredBlob] = { MigrationScene.place($0) }
    ) async throws -> MigrationReport {
        var migration = MongoMigration(
            from: embedded.store, to: shared.store, storeID: embedded.data.id, engine: nil, place: place)
        migration.batchLength = 16
        return try await migration.run { _ in }
    }

    static func moveBack(
        _ shared: Shared, _ data: DataFolder, tell: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws -> MigrationReport {
        var migration = LogMigration(
            from: shared.store, to: data, pool: Embedded.pool, place: { MigrationScene.place($0) })
        migration.batchLength = 16
        return try await migration.run(tell: tell)
    }

    /// A folder without a log, for the store of that id.
    static func emptyFolder(_ id: [UInt8]) throws -> (keeper: TemporaryFolder, data: DataFolder) {
        let keeper = try TemporaryFolder()
        return (keeper, try DataFolder.open(keeper.path + "/store", hasLog: false, newID: id))
    }

    /// All that a client can see, and where blobs lie but for the log's.
    static func everything(_ store: any MetadataStore) async throws -> [String] {
        var lines: [String] = []
        for user in try await store.users() { lines.append("\(user)") }
        lines.append("garbage \(try await store.garbage(limit: 10_000).map(\.value))")
        for bucket in try await store.buckets(after: nil, prefix: [], limit: 100) {
            lines.append(
                "\(bucket.id) \(bucket.name) \(bucket.owner) \(bucket.created) \(bucket.versioning) "
                    + (bucket.assets.map { "\($0)" } ?? "-")
            )
            var query = ListVersionsQuery(
                bucket: bucket.id, prefix: [], delimiter: nil, keyMarker: nil, versionMarker: nil, limit: 7)
            var isLast = false
            while !isLast {
                let page = try await store.listVersions(query)
                for listed in page.versions {
                    let found = try await store.version(of: listed.key, in: bucket.id, version: listed.versionID)
                    var version = try #require(found)
                    (version.sequence, version.blob) = (0, nil)
                    lines.append("\(version)")
                    if listed.isLatest { lines += try await assetOf(listed.key, in: bucket.id, store) }
                    for id in version.content.blobs { lines.append("\(id) \(try await size(of: id, store))") }
                }
                (query.keyMarker, query.versionMarker) = (page.nextKeyMarker, page.nextVersionMarker)
                isLast = !page.isTruncated
            }
            let uploads = try await store.listUploads(
                ListUploadsQuery(
                    bucket: bucket.id, prefix: [], delimiter: nil, keyMarker: nil, uploadMarker: nil, limit: 100))
            for upload in uploads.uploads {
                lines.append("\(upload) \(try await store.parts(of: upload.id, after: 0, limit: 100))")
            }
        }
        return lines
    }

    /// As it is shown, with its versions; none for an object that is no asset.
    private static func assetOf(
        _ key: ObjectKey, in bucket: BucketID, _ store: any MetadataStore
    ) async throws -> [String] {
        guard let asset = try await store.asset(of: key, in: bucket) else { return [] }
        var document = try #require(try await store.asset(asset.id))
        #expect(document.asset == asset)
        (document.object.sequence, document.object.blob, document.object.content) = (0, nil, .empty)
        return ["\(document)"]
    }

    private static func size(of blob: BlobID, _ store: any MetadataStore) async throws -> UInt64 {
        try #require(try await store.blob(blob)).size
    }
}
