import Bytes
import Metadata
import TestSupport
import Testing

/// Random operations on a store and on the model, side by side. A failure prints the seed that repeats it.
@Suite struct ModelTests {
    @Test("A store and a plain model agree over random operations", arguments: 0..<6)
    func agrees(run: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let embedded = try Embedded()
        var driver = try await Driver(subject: embedded.subject, seed: seed)
        try await driver.run(operations: 700)
        await embedded.close()
        // What was committed is what a new process finds.
        let reopened = try Embedded(folder: embedded.folder)
        driver.subject = reopened.subject
        try await driver.compareAll()
        try await driver.run(operations: 100)
        await reopened.close()
    }

    @Test("MongoDB and a plain model agree over random operations, while another relays or not", arguments: 0..<4)
    func agreesOnMongoDB(run: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let shared = try await Shared()
        if run.isMultiple(of: 2) { shared.store.startRelay() }
        var driver = try await Driver(subject: shared.subject, seed: seed)
        try await driver.run(operations: 400)
        shared.store.close()
        // Another gateway on the same database finds the same.
        let other = try await Shared(database: shared.database)
        driver.subject = other.subject
        try await driver.compareAll()
        try await driver.run(operations: 100)
        try other.drop()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private struct Driver {
    var subject: Subject
    var model = Model()
    let bucket: BucketID
    let seed: UInt64
    var random: SeededGenerator
    var blob: UInt64 = 0
    var step = 0
    static let alphabet: [UInt8] = [0x61, 0x2F, 0xFF]

    init(subject: Subject, seed: UInt64) async throws {
        self.subject = subject
        self.seed = seed
        random = SeededGenerator(state: seed)
        bucket = try await subject.bucket()
    }

    private var place: Comment { "seed \(seed), step \(step)" }

    mutating func run(operations: Int) async throws {
        for _ in 0..<operations {
            step += 1
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: try await put()
            case 30..<45: try await delete()
            case 45..<57: try await deleteNamed()
            case 57..<60: try await setVersioning()
            case 60..<64: try await setTags()
            case 64..<80: try await multipart()
            case 80..<97: try await list()
            default: try await compareAll()
            }
        }
        try await compareAll()
    }

    private mutating func key() -> ObjectKey {
        let length = Int.random(in: 1...3, using: &random)
        let bytes = (0..<length).map { _ in Self.alphabet.randomElement(using: &random) ?? 0x61 }
        return known(ObjectKey(bytes))
    }

    private mutating func newBlob() -> BlobID {
        blob += 1
        model.adopted.insert(BlobID(blob))
        return BlobID(blob)
    }

    private mutating func conditions(_ key: ObjectKey) -> WriteConditions {
        var conditions = WriteConditions()
        switch Int.random(in: 0..<6, using: &random) {
        case 0: conditions.ifNoneMatch = .any
        case 1: conditions.ifMatch = .etags([ETag(md5: .md5(UInt8.random(in: 0...2, using: &random))).unquoted])
        default: break
        }
        return conditions
    }

    private mutating func put() async throws {
        let key = self.key()
        let conditions = self.conditions(key)
        let etag = ETag(md5: .md5(UInt8.random(in: 0...2, using: &random)))
        let refusal = model.isRefused(conditions, at: key)
        let id = BlobID(blob + 1)
        let new = NewVersion(
            bucket: bucket, key: key, owner: "o", size: 1, etag: etag, attributes: ObjectAttributes(), checksum: nil,
            tags: [], content: .blob(id), conditions: conditions)
        do {
            let made = try await subject.store.publish(new)
            #expect(refusal == nil, place)
            #expect((made.versionID == .null) == (model.state != .enabled), place)
            model.put(.init(id: made.versionID, isMarker: false, etag: etag, blobs: [newBlob()]), at: key)
        } catch {
            #expect(error == refusal, place)
        }
    }

    private mutating func delete() async throws {
        let key = self.key()
        let conditions = self.conditions(key)
        let refusal = model.isRefused(conditions, at: key)
        do {
            let result = try await subject.store.delete(
                DeleteRequest(bucket: bucket, key: key, version: nil, owner: "o", conditions: conditions))
            #expect(refusal == nil, place)
            #expect(result.isDeleteMarker == (model.state != .unversioned), place)
            if let id = result.versionID {
                #expect((id == .null) == (model.state == .suspended), place)
                model.put(.init(id: id, isMarker: true, etag: ETag(md5: []), blobs: []), at: key)
            } else {
                #expect(model.state == .unversioned, place)
                model.remove(.null, of: key)
            }
        } catch {
            #expect(error == refusal, place)
        }
    }

    private mutating func deleteNamed() async throws {
        let key = self.key()
        let known = model.versions[key, default: []]
        let id = Bool.random(using: &random) ? known.randomElement(using: &random)?.id ?? .null : .null
        let result = try await subject.store.delete(
            DeleteRequest(bucket: bucket, key: key, version: id, owner: "o"))
        let isMarker = known.first { $0.id == id }?.isMarker ?? false
        #expect(result == DeleteResult(versionID: id, isDeleteMarker: isMarker), place)
        model.remove(id, of: key)
    }

    private mutating func setVersioning() async throws {
        let state: VersioningState = Bool.random(using: &random) ? .enabled : .suspended
        try await subject.store.setVersioning(state, of: bucket)
        model.state = state
    }

    private mutating func setTags() async throws {
        let key = self.key()
        let tags = [Tag(key: [UInt8.random(in: 0...255, using: &random)], value: [])]
        do {
            _ = try await subject.store.setTags(tags, of: key, in: bucket, version: nil)
            #expect(model.current(key) != nil, place)
            model.versions[key]?[0].tags = tags
        } catch {
            #expect(error == .noSuchKey && model.current(key) == nil, place)
        }
    }

    private mutating func multipart() async throws {
        let pending = model.uploads.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard pending.count > 2, let id = pending.randomElement(using: &random), let upload = model.uploads[id] else {
            let digits = Hex.encode(random.next(), width: 16) + Hex.encode(random.next(), width: 16)
            let id = try #require(UploadID(digits))
            let key = self.key()
            try await subject.store.createUpload(
                Upload(
                    id: id, bucket: bucket, key: key, owner: "o", initiated: .fixed, attributes: ObjectAttributes(),
                    tags: [], checksumAlgorithm: nil, checksumKind: nil))
            model.uploads[id] = .init(key: key)
            return
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            try await subject.store.abortUpload(id, of: upload.key, in: bucket)
            model.garbage.formUnion(upload.parts.values.compactMap(\.blob))
            model.uploads[id] = nil
        case 1...3: try await complete(id, upload)
        default:
            let number = Int.random(in: 1...4, using: &random)
            let part = UploadedPart(
                number: number, size: 1, md5: .md5(UInt8(number)), checksum: nil, modified: .fixed, blob: newBlob())
            try await subject.store.putPart(part, blob: nil, of: id, key: upload.key, in: bucket)
            if let old = model.uploads[id]?.parts.updateValue(part, forKey: number)?.blob { model.garbage.insert(old) }
        }
    }

    private mutating func complete(_ id: UploadID, _ upload: Model.Pending) async throws {
        let numbers = upload.parts.keys.sorted().filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
        let parts = numbers.compactMap { upload.parts[$0] }
        let etag = ETag(md5: .md5(0), partCount: parts.count)
        let request = CompleteRequest(
            upload: id, bucket: bucket, key: upload.key,
            parts: parts.map { .init(number: $0.number, md5: $0.md5, checksum: nil) }, partSizeMin: 1,
            size: UInt64(parts.count), etag: etag, checksum: nil, conditions: WriteConditions())
        do {
            let made = try await subject.store.completeUpload(request)
            #expect(try await subject.store.completeUpload(request) == made, place)
            #expect(made.content.blobs == parts.compactMap(\.blob), place)
            model.uploads[id] = nil
            model.garbage.formUnion(upload.parts.filter { !numbers.contains($0.key) }.values.compactMap(\.blob))
            model.put(
                .init(id: made.versionID, isMarker: false, etag: etag, blobs: parts.compactMap(\.blob)), at: upload.key)
        } catch {
            #expect(error == .invalidPart(number: 0) && parts.isEmpty, place)
        }
    }

    private mutating func list() async throws {
        let delimiters: [[UInt8]?] = [nil, [0x2F], [0xFF], [0x2F, 0x2F], [0x61, 0x2F], []]
        let query = ListQuery(
            bucket: bucket, prefix: Bool.random(using: &random) ? [] : Array(key().utf8.prefix(2)),
            delimiter: delimiters.randomElement(using: &random) ?? nil,
            after: Bool.random(using: &random) ? nil : key().utf8, limit: Int.random(in: 0...6, using: &random))
        let page = try await subject.store.listObjects(query)
        let expected = model.list(query)
        #expect(page.objects.map(\.key.utf8) == expected.keys, "\(place), \(query)")
        #expect(page.commonPrefixes == expected.prefixes, "\(place), \(query)")
        #expect(page.isTruncated == expected.isTruncated, "\(place), \(query)")
    }

    func compareAll() async throws {
        let keys = model.versions.keys.sorted()
        let page = try await subject.listVersions(bucket)
        #expect(page.versions.map(\.versionID) == keys.flatMap { (model.versions[$0] ?? []).map(\.id) }, place)
        #expect(
            page.versions.map(\.isLatest) == keys.flatMap { (model.versions[$0] ?? []).indices.map { $0 == 0 } }, place)
        for key in keys {
            for version in model.versions[key] ?? [] {
                let found = try await subject.store.version(of: key, in: bucket, version: version.id)
                #expect(found?.isDeleteMarker == version.isMarker, place)
                #expect(found?.content.blobs == version.blobs, place)
                #expect(found?.tags == version.tags && found?.etag == version.etag, place)
            }
        }
        let garbage = Set(try await subject.store.garbage(limit: Int(Int32.max)))
        #expect(garbage == model.garbage, place)
        #expect(model.garbage.isDisjoint(with: model.heldBlobs), place)
        #expect(model.garbage.union(model.heldBlobs) == model.adopted, place)
        let uploads = try await subject.listUploads(bucket).uploads
        #expect(Set(uploads.map(\.id)) == Set(model.uploads.keys), place)
    }
}
