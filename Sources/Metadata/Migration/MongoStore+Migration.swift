import Bytes
import Mongo

/// Reading all of a database whose gateways are stopped. `settle` comes first: afterwards rows say all, and outboxes are empty.
extension MongoStore: MigrationSource {
    func migratedBuckets() async throws(MetadataError) -> [Bucket] {
        try await buckets(after: nil, prefix: [], limit: Int(Int32.max))
    }

    func migratedVersions(
        in bucket: BucketID, after key: [UInt8], below sequence: Int64, limit: Int
    ) async throws(MetadataError) -> [MigratedRow] {
        var found = FoundRows(bucket: bucket)
        if !key.isEmpty {
            let rest = try await formerRows(
                ["_id.k": .text(KeyText.encode(key)), "_id.s": ["$lt": .int64(sequence)]], of: bucket, limit: limit)
            for row in rest.rows { try found.add(row.version, of: row.key, isLatest: false) }
        }
        var last = key
        while found.rows.isEmpty {
            let heads = try await heads(of: bucket, after: last, limit: limit)
            guard let first = heads.first, let end = heads.last else { break }
            last = end.key.key.utf8
            let range: BSONValue = [
                "$gte": .text(KeyText.encode(first.key.key.utf8)), "$lte": .text(KeyText.encode(last)),
            ]
            let former = try await formerRows(["_id.k": range], of: bucket, limit: limit)
            try found.merge(heads, former.rows, isComplete: former.isComplete)
            if found.rows.isEmpty, !former.isComplete { throw .broken("versions: rows of keys without a head") }
        }
        return try await withBlobs(found.rows)
    }

    private func heads(
        of bucket: BucketID, after key: [UInt8], limit: Int
    ) async throws(MetadataError) -> [Head] {
        let query = MongoDatabase.Query(
            [
                "_id": [
                    "$gt": ["b": .int64(bucket.value), "k": .text(KeyText.encode(key))],
                    "$lt": ["b": .int64(bucket.value &+ 1), "k": ""],
                ]
            ], sort: ["_id": 1], limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents
        }
        var heads: [Head] = []
        for view in views {
            let head = try Head(view)
            guard head.outbox.isEmpty else {
                throw .unavailable("\(head.key.key.text) changed meanwhile: stop all gateways of the database")
            }
            heads.append(head)
        }
        return heads
    }

    /// By key, newest first. `isComplete`: no more match.
    private func formerRows(
        _ range: BSONDocument, of bucket: BucketID, limit: Int
    ) async throws(MetadataError) -> (rows: [FormerRow], isComplete: Bool) {
        var filter: BSONDocument = ["_id.b": .int64(bucket.value)]
        filter.append(contentsOf: range)
        filter.append("d", ["$exists": true])
        let query = MongoDatabase.Query(
            filter, sort: ["_id.b": 1, "_id.k": 1, "_id.s": -1], hint: MongoSchema.newestFirst, limit: limit)
        let found = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.versions)
        }
        var rows: [FormerRow] = []
        for view in found.documents {
            guard let key = HeadKey(id: view["_id"]?.document)?.key, let version = view["d"]?.document else {
                throw .broken("versions: a row without key or version")
            }
            rows.append(FormerRow(key: key, version: VersionDocument(view: version)))
        }
        return (rows, found.isComplete && rows.count < limit)
    }

    /// Of versions in parts, rows of `parts` tell of the blobs.
    private func withBlobs(_ rows: [MigratedRow]) async throws(MetadataError) -> [MigratedRow] {
        var wanted: [BlobID] = []
        for case .version(_, let version) in rows.map(\.change) {
            if case .parts = version.content { wanted += version.content.blobs }
        }
        let known = try await partBlobs(wanted)
        return rows.map { row in
            guard case .version(_, let version) = row.change else { return row }
            var row = row
            switch version.content {
            case .empty: break
            case .blob: row.blobs = version.blob.map { [$0] } ?? []
            case .parts(let parts):
                row.blobs = parts.compactMap { part in
                    part.blob.map {
                        known[$0] ?? StoredBlob(id: $0, size: part.size, crc32c: nil, location: .file)
                    }
                }
            }
            return row
        }
    }

    private func partBlobs(_ ids: [BlobID]) async throws(MetadataError) -> [BlobID: StoredBlob] {
        var known: [BlobID: StoredBlob] = [:]
        for start in stride(from: 0, to: ids.count, by: 5_000) {
            let numbers = ids[start..<min(ids.count, start + 5_000)].map {
                BSONValue.int64(Int64(bitPattern: $0.value))
            }
            let views = try await perform { (database) throws(MongoError) in
                try database.find(
                    MongoDatabase.Query(
                        ["blob": ["$in": .array(numbers)]], projection: ["blob": 1, "size": 1, "crc": 1],
                        limit: numbers.count), in: MongoSchema.parts
                ).documents
            }
            for blob in views.compactMap({ PartDocument(view: $0)?.storedBlob }) { known[blob.id] = blob }
        }
        return known
    }

    func migratedUploads(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow] {
        var last = id
        while true {
            let documents = try await uploadDocuments(["open": true], after: last, limit: limit)
            guard let end = documents.last else { return [] }
            var found: [MigratedRow] = []
            for document in documents where try await publishedVersion(of: document) == nil {
                let upload = try document.upload()
                found.append(MigratedRow(.upload(upload)))
                for row in try await rows(of: upload.id, after: Int.min, limit: Int.max) {
                    found.append(
                        MigratedRow(.part(upload.id, row.part), blobs: row.storedBlob.map { [$0] } ?? []))
                }
            }
            if !found.isEmpty { return found }
            last = try end.upload().id
        }
    }

    func migratedResults(after id: UploadID?, limit: Int) async throws(MetadataError) -> [MigratedRow] {
        var last = id
        while true {
            let documents = try await uploadDocuments([:], after: last, limit: limit)
            guard let end = documents.last else { return [] }
            var found: [MigratedRow] = []
            for document in documents {
                let upload = try document.upload()
                if let (result, at) = document.completed {
                    let version = try Records.version(result)
                    found.append(
                        MigratedRow(.completed(upload.id, upload.bucket, version, at: Timestamp(milliseconds: at))))
                } else if var version = try await publishedVersion(of: document) {
                    version.content = .empty
                    version.blob = nil
                    let moment = Timestamp(milliseconds: document.since)
                    found.append(MigratedRow(.completed(upload.id, upload.bucket, version, at: moment)))
                }
            }
            if !found.isEmpty { return found }
            last = try end.upload().id
        }
    }

    private func uploadDocuments(
        _ filter: BSONDocument, after id: UploadID?, limit: Int
    ) async throws(MetadataError) -> [UploadDocument] {
        var filter = filter
        filter.append("_id", ["$gt": .text(id?.utf8 ?? [])])
        let query = MongoDatabase.Query(filter, sort: ["_id": 1], limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.uploads).documents
        }
        return views.map { UploadDocument(view: $0) }
    }

    /// What a Complete made that died before it said so; nil where none did. Its parts are the version's then.
    private func publishedVersion(of document: UploadDocument) async throws(MetadataError) -> ObjectVersion? {
        guard document.isOpen, document.token != nil else { return nil }
        let upload = try document.upload()
        let taken = try await rows(of: upload.id, after: Int.min, limit: Int.max)
        guard let blob = taken.first(where: { $0.view["done"]?.isTrue == true && $0.blob != nil })?.blob else {
            return nil
        }
        let key = HeadKey(upload.bucket, upload.key)
        guard let view = try await perform({ (database) throws(MongoError) in try key.read(database) }) else {
            return nil
        }
        let latest = try Head(view).latest
        for version in [latest].compactMap(\.self) + (try await formerRows(of: key, below: Int64.max, limit: 1_000))
        where try version.blobs().contains(blob) {
            return try version.version(of: upload.key, isLatest: version.sequence == latest?.sequence)
        }
        return nil
    }

    /// Does what was begun and left: moves outboxes on, ends aborts whose gateways died, and lists replaced parts as garbage.
    func settle() async throws(MetadataError) {
        try await relayAll()
        let ended = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(
                    ["open": ["$ne": true], "completed": ["$exists": false]], projection: ["_id": 1],
                    limit: Int(Int32.max)), in: MongoSchema.uploads
            ).documents
        }
        for id in ended.compactMap({ $0["_id"]?.text.flatMap { UploadID($0) } }) { try await endUpload(id) }
        while true {
            let views = try await perform { (database) throws(MongoError) in
                try database.find(
                    MongoDatabase.Query(["old.0": ["$exists": true]], limit: 1_000), in: MongoSchema.parts
                ).documents
            }
            let rows = views.compactMap { PartDocument(view: $0) }
            if rows.isEmpty { return }
            try await addGarbage(now: rows.flatMap(\.old))
            let changes = rows.compactMap { row in
                row.view["_id"]?.document.map {
                    MongoDatabase.Update(["_id": .raw($0)], .document(["$unset": ["old": ""]]))
                }
            }
            try await perform { (database) throws(MongoError) in
                try database.update(changes, in: MongoSchema.parts)
            }
        }
    }
}

private struct FormerRow {
    var key: ObjectKey
    var version: VersionDocument
}

/// The versions of a range of keys, put together from heads and rows.
private struct FoundRows {
    let bucket: BucketID
    var rows: [MigratedRow] = []

    init(bucket: BucketID) { self.bucket = bucket }

    mutating func add(_ version: VersionDocument, of key: ObjectKey, isLatest: Bool) throws(MetadataError) {
        rows.append(MigratedRow(.version(bucket, try version.version(of: key, isLatest: isLatest))))
    }

    /// Both by key, rows newest first. Where the rows are not complete, what lies behind the last of them is left for later.
    mutating func merge(
        _ heads: [Head], _ former: [FormerRow], isComplete: Bool
    ) throws(MetadataError) {
        let end = isComplete ? nil : former.last?.key
        var rest = former[...]
        for head in heads {
            let key = head.key.key
            if let end, end < key { return }
            guard let latest = head.latest else { continue }
            try add(latest, of: key, isLatest: true)
            if let asset = try head.asset() { rows.append(MigratedRow(.asset(asset, change: 0))) }
            rest = rest.drop { $0.key < key }
            while let row = rest.first, row.key == key {
                rest.removeFirst()
                // One that is the latest again may have a row from when it was not.
                if row.version.sequence < latest.sequence { try add(row.version, of: key, isLatest: false) }
            }
        }
    }
}
