import Bytes
import Mongo

/// `{_id: "migration", from, note}` in `store` while a migration from the store of that id is under way, or `{_id: "migration", to}` once
/// the metadata has moved to the store of that id. Where there is one, no gateway opens the database (`MongoSchema.prepare`).
extension MongoStore {
    static let migration: BSONDocument = ["_id": "migration"]

    /// What a former attempt of the same migration left; nil in a database that is empty. Throws `refused` where there is anything else.
    func migrationNote(of storeID: [UInt8]) async throws -> MigrationNote? {
        let found = try await perform { (database) throws(MongoError) in
            try database.findOne(Self.migration, in: MongoSchema.store)
        }
        if let record = found?["note"]?.binary, found?["from"]?.binary == storeID { return try MigrationNote(record) }
        if found?["to"] != nil { throw refused("its metadata moved to a data folder, and it was kept") }
        if found != nil { throw refused("it holds half of the metadata of another store") }
        let other = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": ["$ne": "format"]], in: MongoSchema.store)
        }
        if other != nil { throw refused("a gateway uses it or did") }
        for collection in Self.migratedCollections {
            let document = try await perform { (database) throws(MongoError) in
                try database.findOne([:], projection: ["_id": 1], in: collection)
            }
            if document != nil { throw refused("there are documents in \(collection)") }
        }
        return nil
    }

    private func refused(_ reason: String) -> MigrationError {
        .refused("the database \(database.name) is not empty (\(reason)): wanted one that is")
    }

    private static let migratedCollections = [
        MongoSchema.heads, MongoSchema.versions, MongoSchema.garbage, MongoSchema.buckets, MongoSchema.uploads,
        MongoSchema.parts, MongoSchema.users, MongoSchema.counters, MongoSchema.assets, MongoSchema.contents,
        MongoSchema.strays,
    ]

    /// Says whose migration this is and how far.
    func keep(_ note: MigrationNote, of storeID: [UInt8]) async throws(MetadataError) {
        let record = note.encoded
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        Self.migration,
                        .document(["_id": "migration", "from": .binary(storeID), "note": .binary(record)]),
                        upsert: true)
                ], in: MongoSchema.store)
        }
    }

    /// Says where the blobs lie, in the store of that id or on its engine. Throws `refused` where a gateway came first.
    func bindMigrated(to storeID: [UInt8], engine: String?) async throws {
        var place: BSONDocument = ["_id": "blobs", "store": .binary(storeID)]
        if let engine {
            place.append("engine", .text(engine))
            place.append("claimed", true)
        }
        let document = place
        try await perform { (database) throws(MongoError) in
            try database.insert([document], ignoringDuplicates: true, into: MongoSchema.store)
        }
        guard let found = try await blobsPlace(), found.store == storeID, found.engine == engine else {
            throw refused("a gateway uses it")
        }
    }

    /// Gateways may open the database from now on.
    public func endMigration() async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.delete(Self.migration, from: MongoSchema.store)
        }
    }

    /// Whether the database holds the metadata of the store of that id: a migration from it came to its end, whether or not that was said.
    public func holdsMetadata(of storeID: [UInt8]) async throws(MetadataError) -> Bool {
        let found = try await perform { (database) throws(MongoError) in
            try database.findOne(Self.migration, in: MongoSchema.store)
        }
        if found == nil { return try await blobsPlace()?.store == storeID }
        guard let record = found?["note"]?.binary, found?["from"]?.binary == storeID else { return false }
        return try MigrationNote(record).isVerified
    }

    /// Where the blobs of the database lie: the id of the store that has them (16 bytes), and the engine's address where they are on one.
    /// Nil where no gateway ever used the database.
    public func blobsPlace() async throws(MetadataError) -> (store: [UInt8], engine: String?)? {
        let found = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": "blobs"], in: MongoSchema.store)
        }
        guard let store = found?["store"]?.binary else { return nil }
        return (store, found?["engine"]?.text.map { String(decoding: $0, as: UTF8.self) })
    }

    /// The highest number of a blob that was handed out here; 0 where none was.
    public func lastReservedBlob() async throws(MetadataError) -> BlobID {
        let found = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": "blobs"], in: MongoSchema.counters)
        }
        return BlobID(UInt64(max(0, found?["next"]?.integer ?? 0)))
    }

    /// Throws `refused` unless the metadata may move to the store of that id: it has not moved elsewhere, is whole, and no gateway was heard
    /// of lately.
    public func refuseUnlessMovable(to storeID: [UInt8]) async throws(MigrationError) {
        let since = Timestamp.now().milliseconds - 20_000
        let (note, live): (BSONView?, BSONView?)
        do {
            note = try await perform { (database) throws(MongoError) in
                try database.findOne(Self.migration, in: MongoSchema.store)
            }
            live = try await perform { (database) throws(MongoError) in
                try database.findOne(["seen": ["$gt": .date(since)]], in: MongoSchema.gateways)
            }
        } catch {
            throw .failed(error)
        }
        if let note, note["to"]?.binary != storeID {
            throw .refused(
                note["to"] == nil
                    ? "the database \(database.name) holds half of a migration"
                    : "the metadata of the database \(database.name) moved to another folder already")
        }
        if live != nil {
            throw .refused("a gateway uses the database \(database.name): stop all of them, and wait 20 seconds")
        }
    }

    /// Whether the metadata moved to the store of that id.
    public func hasMoved(to storeID: [UInt8]) async throws(MetadataError) -> Bool {
        try await perform { (database) throws(MongoError) in
            try database.findOne(Self.migration, in: MongoSchema.store)
        }?["to"]?.binary == storeID
    }

    /// No gateway opens the database any more: its metadata is that of the store of that id.
    public func markMoved(to storeID: [UInt8]) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.insert(
                [["_id": "migration", "to": .binary(storeID)]], ignoringDuplicates: true, into: MongoSchema.store)
        }
    }

    /// Removes all that a migration wrote.
    func clear() async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            for collection in Self.migratedCollections { try database.drop(collection) }
            try MongoSchema.makeIndexes(database)
        }
    }

    /// Numbers up to `number` are not handed out any more.
    func raise(_ counter: StaticString, to number: Int64) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": BSONValue(stringLiteral: counter)], .document(["$max": ["next": .int64(number)]]),
                        upsert: true)
                ], in: MongoSchema.counters)
        }
    }

    /// May be done twice.
    func write(_ rows: [MigratedRow]) async throws(MetadataError) {
        var documents = MigratedDocuments()
        for row in rows { try documents.add(row) }
        let all = documents
        try await perform { (database) throws(MongoError) in
            for (collection, some) in all.byCollection where !some.isEmpty {
                try database.insert(some, ignoringDuplicates: true, into: collection)
            }
        }
    }
}

/// Rows as documents, in the forms that the store gives them itself.
private struct MigratedDocuments {
    private var heads: [BSONDocument] = []
    private var versions: [BSONDocument] = []
    private var parts: [BSONDocument] = []
    private var uploads: [BSONDocument] = []
    private var buckets: [BSONDocument] = []
    private var users: [BSONDocument] = []
    private var garbage: [BSONDocument] = []

    var byCollection: [(StaticString, [BSONDocument])] {
        [
            (MongoSchema.parts, parts), (MongoSchema.versions, versions), (MongoSchema.heads, heads),
            (MongoSchema.uploads, uploads), (MongoSchema.buckets, buckets), (MongoSchema.users, users),
            (MongoSchema.garbage, garbage),
        ]
    }

    mutating func add(_ row: MigratedRow) throws(MetadataError) {
        switch row.change {
        case .bucket(let bucket): add(bucket)
        case .bucketConfigured(_, let configuration):
            guard !buckets.isEmpty else { throw .broken("migration: a configuration without its bucket") }
            buckets[buckets.count - 1].append("configuration", .document(BucketDocument.document(configuration)))
        case .user(let user):
            var document = MongoStore.document(user)
            document.append("added", .int64(HeadChange.newWrite()))
            users.append(document)
        case .version(let bucket, let version): add(version, in: bucket, row.blobs)
        case .asset(let asset, _):
            guard !heads.isEmpty else { throw .broken("migration: an asset without its object") }
            heads[heads.count - 1].append("asset", .document(MigratedAsset.document(asset)))
        case .upload(let upload): uploads.append(UploadDocument.document(upload))
        case .part(let upload, let part):
            var document = PartDocument.fields(
                part, blob: row.blobs.first.map { NewBlob($0) }, stamp: HeadChange.newWrite())
            document.append("_id", PartDocument.id(upload, part.number))
            parts.append(document)
        case .completed(let id, let bucket, let version, let moment):
            uploads.append([
                "_id": .text(id.utf8), "b": .int64(bucket.value), "k": .text(KeyText.encode(version.key.utf8)),
                "result": .binary(Records.encode(version)), "completed": .date(moment.milliseconds),
            ])
        case .garbage(let blobs, let position):
            for blob in blobs {
                garbage.append([
                    "_id": .int64(Int64(bitPattern: blob.value)), "o": .int64(position), "i": .int64(0),
                ])
            }
        default: throw .broken("migration: a row of another kind")
        }
    }

    private mutating func add(_ bucket: Bucket) {
        var document: BSONDocument = [
            "_id": .int64(bucket.id.value), "name": .text(bucket.name.utf8), "owner": .text(bucket.owner),
            "created": .int64(bucket.created.milliseconds), "versioning": .int32(Int32(bucket.versioning.rawValue)),
        ]
        document.append("assets", bucket.assets.map { .bool($0) })
        buckets.append(document)
    }

    private mutating func add(_ version: ObjectVersion, in bucket: BucketID, _ blobs: [StoredBlob]) {
        let key = HeadKey(bucket, version.key)
        let number = BSONValue.int64(version.sequence)
        let write = HeadChange.newWrite()
        var fields = VersionDocument.fields(of: version, blob: blobs.first.map { NewBlob($0) }, write: write)
        fields.append(contentsOf: ["s": number, "r": number, "m": .int64(version.modified.milliseconds)])
        if case .parts(let manifest) = version.content { addBlobs(of: manifest, version, blobs) }
        guard version.isLatest else {
            versions.append(["_id": key.row(version.sequence), "r": number, "d": .document(fields)])
            return
        }
        var head: BSONDocument = ["_id": key.id, "seq": number, "latest": .document(fields)]
        if !version.isDeleteMarker { head.append("live", true) }
        head.append("outbox", [])
        head.append("w", .int64(write))
        heads.append(head)
    }

    /// Rows that tell of the blobs of a version in parts, as those of a completed upload do. Their upload is one that never was: a blob
    /// has one owner, so that its number names the version.
    private mutating func addBlobs(of manifest: [StoredPart], _ version: ObjectVersion, _ blobs: [StoredBlob]) {
        guard let first = blobs.first else { return }
        let digits = Hex.encode(first.id.value, width: 16)
        guard let upload = UploadID(digits + digits) else { return }
        let known = Dictionary(blobs.map { ($0.id, $0) }) { first, _ in first }
        for part in manifest {
            guard let blob = part.blob.flatMap({ known[$0] }) else { continue }
            let row = UploadedPart(
                number: part.number, size: part.size, md5: [], checksum: nil, modified: version.modified, blob: blob.id)
            var document = PartDocument.fields(row, blob: NewBlob(blob), stamp: HeadChange.newWrite())
            document.append("_id", PartDocument.id(upload, part.number))
            document.append("done", true)
            parts.append(document)
        }
    }
}

extension NewBlob {
    fileprivate init(_ blob: StoredBlob) {
        self.init(id: blob.id, size: blob.size, crc32c: blob.crc32c, bytes: nil)
    }
}
