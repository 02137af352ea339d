import Bytes
import Metadata
import Testing

/// A versioned asset bucket of a store, and a user with a customer.
private struct Assets {
    let subject: Subject
    let bucket: BucketID
    /// Has the customer `acme`.
    let maker: String
    var store: any MetadataStore { subject.store }

    init(_ subject: Subject, _ state: VersioningState = .enabled, hasAssets: Bool = true) async throws {
        self.subject = subject
        bucket = try await subject.bucket(state)
        if hasAssets { try await subject.store.setAssets(true, of: bucket) }
        maker = try await subject.user(customer: "acme")
    }

    @discardableResult
    func put(
        _ key: String, size: UInt64 = 10, tags: [Tag] = [], _ attributes: ObjectAttributes = ObjectAttributes()
    ) async throws -> ObjectVersion {
        try await store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: maker, size: size, etag: ETag(md5: .md5(1)),
                attributes: attributes, checksum: nil, tags: tags, content: .blob(BlobID(Blobs.next()))))
    }

    func asset(_ key: String) async throws -> Asset? { try await store.asset(of: .of(key), in: bucket) }

    func document(_ key: String) async throws -> AssetDocument? {
        guard let asset = try await asset(key) else { return nil }
        return try await store.asset(asset.id)
    }
}

extension Subject {
    /// Adds a user of a name that no other test uses.
    func user(customer: String?) async throws -> String {
        let name = "user-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try await store.addUser(
            User(
                name: name, accessKey: Array(name.utf8), sealedSecret: [2], policy: .readwrite, customer: customer,
                isDisabled: false, created: .fixed))
        return name
    }
}

extension ObjectAttributes {
    static func of(_ type: String?, _ metadata: [(String, String)] = []) -> ObjectAttributes {
        var attributes = ObjectAttributes()
        attributes.contentType = type.map { Array($0.utf8) }
        attributes.userMetadata = metadata.map { UserMetadata(name: Array($0.0.utf8), value: Array($0.1.utf8)) }
        return attributes
    }
}

extension ContractCase {
    static let assets: [ContractCase] = [
        ContractCase("an object of an asset bucket is an asset, with the customer of its maker") { subject in
            let assets = try await Assets(subject)
            try await assets.put(
                "acme/brand/Logo.png", size: 7,
                tags: [Tag(key: Array("red".utf8), value: []), Tag(key: Array("k".utf8), value: Array("v".utf8))],
                .of("image/png", [("title", "The logo"), ("camera", "X1")]))
            let document = try #require(try await assets.document("acme/brand/Logo.png"))
            #expect(document.asset.customer == "acme" && document.asset.user == assets.maker)
            #expect(document.asset.type == .image && document.asset.deleted == nil)
            #expect(document.name == Array("Logo.png".utf8) && document.folder == Array("brand".utf8))
            #expect(document.tags == [Array("red".utf8), Array("k=v".utf8)])
            #expect(document.title == Array("The logo".utf8) && document.otherUserMetadata.count == 1)
            #expect(document.object.size == 7 && document.versions.map(\.number) == [1])
        },
        ContractCase("an asset's id stays over versions, deletion and restoring") { subject in
            let assets = try await Assets(subject)
            try await assets.put("a.mp3")
            let first = try #require(try await assets.asset("a.mp3"))
            #expect(first.type == .audio)
            try await assets.put("a.mp3", size: 20, .of("text/plain"))
            #expect(try await assets.asset("a.mp3")?.id == first.id)
            #expect(try await assets.asset("a.mp3")?.type == .document)
            let marker = try await subject.delete("a.mp3", in: assets.bucket)
            let deleted = try #require(try await assets.document("a.mp3"))
            #expect(deleted.asset.deleted != nil && deleted.asset.id == first.id && deleted.object.size == 20)
            #expect(deleted.versions.map(\.number) == [1, 2])
            // Deleting it once more changes nothing of it.
            let again = try await subject.delete("a.mp3", in: assets.bucket)
            #expect(try await assets.asset("a.mp3")?.deleted == deleted.asset.deleted)
            try await subject.delete("a.mp3", in: assets.bucket, again.versionID)
            try await subject.delete("a.mp3", in: assets.bucket, marker.versionID)
            #expect(try await assets.asset("a.mp3")?.deleted == nil)
            #expect(try await assets.asset("a.mp3")?.id == first.id)
            #expect(try await assets.asset("a.mp3")?.created == first.created)
        },
        ContractCase("an asset goes with its last version") { subject in
            let assets = try await Assets(subject)
            let one = try await assets.put("a")
            let two = try await assets.put("a")
            let id = try #require(try await assets.asset("a")?.id)
            try await subject.delete("a", in: assets.bucket, two.versionID)
            #expect(try await assets.asset("a")?.id == id)
            try await subject.delete("a", in: assets.bucket, one.versionID)
            #expect(try await assets.asset("a") == nil)
            #expect(try await assets.store.asset(id) == nil)
            #expect(try await assets.store.assets([id]).isEmpty)
            try await assets.put("a")
            #expect(try await assets.asset("a")?.id != id)
        },
        ContractCase("without versioning an asset goes with its object") { subject in
            let assets = try await Assets(subject, .unversioned)
            try await assets.put("a")
            let id = try #require(try await assets.asset("a")?.id)
            try await assets.put("a")
            #expect(try await assets.asset("a")?.id == id)
            #expect(try await assets.document("a")?.versions.count == 1)
            try await subject.delete("a", in: assets.bucket)
            #expect(try await assets.asset("a") == nil)
        },
        ContractCase("a bucket without assets has none") { subject in
            let assets = try await Assets(subject, hasAssets: false)
            try await assets.put("a")
            #expect(try await assets.asset("a") == nil)
            try await subject.delete("a", in: assets.bucket)
            #expect(try await assets.asset("a") == nil)
        },
        ContractCase("whether a bucket has assets stays over changes of its versioning") { subject in
            let name = Subject.name()
            let bucket = try await subject.store.createBucket(named: name, owner: "root", at: .fixed)
            #expect(!bucket.hasAssets)
            try await subject.store.setAssets(true, of: bucket.id)
            try await subject.store.setVersioning(.enabled, of: bucket.id)
            #expect(try await subject.store.bucket(named: name)?.hasAssets == true)
            try await subject.store.setAssets(false, of: bucket.id)
            #expect(try await subject.store.bucket(named: name)?.hasAssets == false)
            await #expect(throws: MetadataError.noSuchBucket) {
                try await subject.store.setAssets(true, of: BucketID(1 << 60))
            }
        },
        ContractCase("details are kept over versions") { subject in
            let assets = try await Assets(subject)
            try await assets.put("v.mp4")
            let asset = try #require(try await assets.asset("v.mp4"))
            var details = AssetDetails()
            (details.duration, details.width, details.height) = (90_000, 1920, 1080)
            details.title = Array("$film".utf8)
            details.custom = Array(#"{"$set":1}"#.utf8)
            details.focalPoint = FocalPoint(x: 0.125, y: 1)
            (details.media, details.text) = (Array(#"{"pages":2}"#.utf8), Array("$words of it".utf8))
            #expect(try await assets.store.setAssetDetails(details, of: asset.id).details == details)
            try await assets.put("v.mp4")
            #expect(try await assets.asset("v.mp4")?.details == details)
            await #expect(throws: MetadataError.noSuchKey) {
                try await assets.store.setAssetDetails(details, of: AssetID(at: .fixed))
            }
            await #expect(throws: MetadataError.superseded) {
                try await assets.store.setAssetDetails(AssetDetails(), of: asset.id, ifNow: AssetDetails())
            }
            let changed = try await assets.store.setAssetDetails(AssetDetails(), of: asset.id, ifNow: details)
            #expect(changed.details == AssetDetails())
        },
        ContractCase("a change of tags is a change of the asset") { subject in
            let assets = try await Assets(subject)
            try await assets.put("a")
            let id = try #require(try await assets.asset("a")?.id)
            _ = try await assets.store.setTags(
                [Tag(key: [0x61], value: [0x62])], of: .of("a"), in: assets.bucket, version: nil)
            #expect(try await assets.store.asset(id)?.tags == [Array("a=b".utf8)])
        },
        ContractCase("deleting a bucket removes what is left of its assets") { subject in
            let assets = try await Assets(subject, .unversioned)
            try await assets.put("a")
            let id = try #require(try await assets.asset("a")?.id)
            try await assets.store.setAssets(false, of: assets.bucket)
            try await subject.delete("a", in: assets.bucket)
            try await assets.store.deleteBucket(assets.bucket)
            #expect(try await assets.store.asset(id) == nil)
        },
        ContractCase("an asset lists its newest hundred versions, numbered from the oldest kept") { subject in
            let assets = try await Assets(subject)
            var made: [ObjectVersion] = []
            for size in 1...105 as ClosedRange<UInt64> { made.append(try await assets.put("a", size: size)) }
            let marker = try await subject.delete("a", in: assets.bucket)
            let shown = try #require(try await assets.document("a")).versions
            #expect(shown.map(\.number) == Array(6...105))
            #expect(shown.map(\.size) == (6...105).map { UInt64($0) })
            try await subject.delete("a", in: assets.bucket, marker.versionID)
            try await subject.delete("a", in: assets.bucket, made[0].versionID)
            try await subject.delete("a", in: assets.bucket, made[104].versionID)
            let left = try #require(try await assets.document("a")).versions
            #expect(left.map(\.number) == Array(4...103) && left.last?.id == made[103].versionID)
        },
        ContractCase("assets come in the order in which they are asked for, without those that are gone") { subject in
            let assets = try await Assets(subject)
            var ids: [AssetID] = []
            for key in ["a", "b", "c"] {
                try await assets.put(key)
                ids.append(try #require(try await assets.asset(key)?.id))
            }
            let asked = [ids[2], AssetID(at: .fixed), ids[0]]
            let found = try await assets.store.assets(asked)
            #expect(found.map(\.asset.id) == [ids[2], ids[0]] && found.allSatisfy { $0.versions.isEmpty })
            #expect(try await assets.store.assets([]).isEmpty)
        },
        ContractCase("objects from before their bucket had assets can be made some, once") { subject in
            let assets = try await Assets(subject, hasAssets: false)
            let old = try await assets.put("old.png")
            try await assets.put("gone.png")
            try await subject.delete("gone.png", in: assets.bucket)
            let keys = ["old.png", "old.png", "gone.png", "absent.png"].map { ObjectKey.of($0) }
            #expect(try await assets.store.makeAssets(of: keys, in: assets.bucket) == 0)
            #expect(try await assets.asset("old.png") == nil)
            try await assets.store.setAssets(true, of: assets.bucket)
            #expect(try await assets.store.makeAssets(of: keys, in: assets.bucket) == 1)
            let made = try #require(try await assets.document("old.png"))
            #expect(made.asset.created == old.modified && made.asset.type == .image)
            #expect(made.asset.customer == "acme" && made.object.versionID == old.versionID)
            #expect(try await assets.store.makeAssets(of: keys, in: assets.bucket) == 0)
            #expect(try await assets.document("old.png") == made)
            #expect(try await assets.asset("gone.png") == nil)
        },
        ContractCase("a multipart upload makes an asset of what its upload said") { subject in
            let assets = try await Assets(subject)
            let upload = try await subject.beginUpload("film.mp4", in: assets.bucket, attributes: .of("video/mp4"))
            let part = try await subject.putPart(1, of: upload)
            _ = try await subject.complete(upload, [part])
            #expect(try await assets.asset("film.mp4")?.type == .video)
        },
    ]
}
