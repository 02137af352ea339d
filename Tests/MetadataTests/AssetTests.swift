import Bytes
import SQLite
import TestSupport
import Testing

@testable import Metadata

@Suite struct AssetTests {
    /// A store with a versioned asset bucket.
    private struct Scene {
        let embedded: Embedded
        let bucket: BucketID
        var store: SQLiteStore { embedded.store }
        var subject: Subject { embedded.subject }

        init(_ state: VersioningState = .enabled, hasAssets: Bool = true) async throws {
            embedded = try Embedded()
            bucket = try await embedded.subject.bucket(state)
            if hasAssets { try await embedded.store.setAssets(true, of: bucket) }
        }

        func asset(_ key: String) async throws -> Asset? { try await store.asset(of: .of(key), in: bucket) }
    }

    @Test func `a bucket without assets has none, and writes no row for them`() async throws {
        let scene = try await Scene(hasAssets: false)
        try await scene.subject.put("a", in: scene.bucket)
        try await scene.subject.delete("a", in: scene.bucket)
        #expect(try await scene.asset("a") == nil)
        let listed = try scene.store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() }
        #expect(listed == nil)
        await scene.embedded.close()
    }

    @Test(arguments: [
        ("audio-assets", true), ("image-assets", true), ("derived-assets", false), ("x-audio-assets", false),
    ])
    func `the four typed buckets have assets unless they say otherwise`(name: String, hasAssets: Bool) async throws {
        let embedded = try Embedded()
        let bucket = try await embedded.store.createBucket(
            named: try #require(BucketName(name.utf8)), owner: "root", at: .fixed)
        #expect(bucket.hasAssets == hasAssets)
        try await embedded.store.setAssets(!hasAssets, of: bucket.id)
        try await embedded.store.setVersioning(.enabled, of: bucket.id)
        #expect(try await embedded.store.bucket(named: bucket.name)?.hasAssets == !hasAssets)
        await embedded.close()
    }

    @Test func `a change of tags is one change of the asset`() async throws {
        let scene = try await Scene()
        try await scene.subject.put("v.mp4", in: scene.bucket)
        func changes() throws -> Int {
            try scene.store.readers.read { (rows) throws(MetadataError) in
                try rows.assetChanges(after: 0, limit: 100).count
            }
        }
        let before = try changes()
        _ = try await scene.store.setTags(
            [Tag(key: [0x61], value: [])], of: .of("v.mp4"), in: scene.bucket, version: nil)
        #expect(try changes() == before + 1)
        await scene.embedded.close()
    }

    @Test func `forgetting changes keeps the last, which says up to where`() async throws {
        let scene = try await Scene()
        for _ in 0..<5 { try await scene.subject.put("a", in: scene.bucket) }
        let listed = try #require(
            try scene.store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() })
        _ = try await scene.store.committer.submit(.forgetAssetChanges(through: listed.last))
        let left = try scene.store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() }
        #expect(left?.first == listed.last && left?.last == listed.last)
        await scene.embedded.close()
    }

    @Test func `a database of the third schema gets what assets need`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/main.db", mode: .readWrite)
        try Schema.prepare(connection)
        try connection.run(
            script: """
                ALTER TABLE buckets DROP COLUMN configuration;
                INSERT INTO buckets VALUES (1, x'616263', 'root', 0, 0, NULL);
                DROP TABLE assets; DROP TABLE asset_changes; ALTER TABLE buckets DROP COLUMN assets;
                PRAGMA user_version = 3;
                """)
        try Schema.prepare(connection)
        let rows = Rows(connection: connection)
        #expect(try rows.bucket(BucketID(1))?.assets == nil)
        #expect(try rows.assetChangesListed() == nil)
        #expect(try rows.assets(after: nil, limit: 1).isEmpty)
    }
}

@Suite struct AssetModelTests {
    @Test func `an id is a UUID of version 7 and ascends with time`() throws {
        let early = AssetID(at: Timestamp(milliseconds: 1_000))
        let late = AssetID(at: Timestamp(milliseconds: 2_000))
        #expect(early < late && early.text.count == 36 && early.text[14] == 0x37)
        #expect(AssetID(early.text) == early)
        #expect(AssetID(String(decoding: late.text, as: UTF8.self).uppercased().utf8) == late)
        #expect(AssetID("not-a-uuid".utf8) == nil && AssetID(early.text.dropLast()) == nil)
        #expect(AssetID(Array(repeating: UInt8(0x30), count: 36)) == nil)
    }

    @Test(
        arguments: [
            ("image/png", "x", "image"), ("AUDIO/MPEG; q=1", "x", "audio"), ("video/mp4", "x", "video"),
            ("text/plain", "a.png", "document"), (nil, "dir/a.FLAC", "audio"),
            ("application/octet-stream", "a.webm", "video"),
            (nil, "a.docx", "document"), (nil, ".png", "document"), (nil, "png", "document"),
        ] as [(String?, String, String)])
    func `the type comes from the content type, else from the extension`(mime: String?, key: String, type: String) {
        #expect(AssetType(contentType: mime.map { Array($0.utf8) }, key: Array(key.utf8)).name == type)
    }

    @Test func `an asset reads back from its record, with and without everything`() throws {
        var details = AssetDetails()
        let plain = Asset(
            id: AssetID(at: .fixed), bucket: BucketID(3), key: .of("k"), customer: nil, user: "u", type: .video,
            created: .fixed, updated: .fixed, deleted: nil, details: details)
        #expect(try Records.asset(Records.encode(plain)) == plain)
        (details.duration, details.width, details.height) = (1, 2, 3)
        details.name = [1]
        details.originalFilename = [2]
        details.title = [3]
        details.description = []
        details.folder = [5]
        details.category = [6]
        details.custom = [7]
        var full = plain
        (full.details, full.customer, full.deleted) = (details, "c", .fixed)
        let record = Records.encode(full)
        #expect(try Records.asset(record) == full)
        for length in record.indices {
            #expect(throws: MetadataError.self) { try Records.asset([UInt8](record[..<length])) }
        }
    }
}
