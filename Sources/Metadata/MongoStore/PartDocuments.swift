import Bytes
import Digests
import Mongo

/// A part: `{_id: {u: upload, n: number}, blob, size, crc, md5, algorithm, sum, modified (ms), stamp, old, done}`.
///
/// `stamp` is random for each time the part was sent; `old` are blobs of former times that are not garbage yet. `done` is true once
/// a Complete took the part: it cannot be replaced then, and the row stays to tell of its blob until that is dropped.
struct PartDocument {
    let view: BSONView
    let number: Int

    init?(view: BSONView) {
        guard let number = view["_id"]?.document?["n"]?.integer.flatMap({ Int(exactly: $0) }) else { return nil }
        (self.view, self.number) = (view, number)
    }

    var blob: BlobID? { view["blob"]?.integer.map { BlobID(UInt64(bitPattern: $0)) } }
    var old: [BlobID] { (view["old"]?.array ?? []).compactMap { $0.integer.map { BlobID(UInt64(bitPattern: $0)) } } }
    var stamp: Int64 { view["stamp"]?.integer ?? 0 }
    private var size: UInt64 { UInt64(bitPattern: view["size"]?.integer ?? 0) }

    var part: UploadedPart {
        var checksum: PartChecksum?
        if let algorithm = view["algorithm"]?.integer.flatMap({ UInt8(exactly: $0) })
            .flatMap({ DigestAlgorithm(rawValue: $0) }), let sum = view["sum"]?.binary
        {
            checksum = PartChecksum(algorithm: algorithm, value: sum)
        }
        return UploadedPart(
            number: number, size: size, md5: view["md5"]?.binary ?? [], checksum: checksum,
            modified: Timestamp(milliseconds: view["modified"]?.integer ?? 0), blob: blob)
    }

    var storedBlob: StoredBlob? {
        blob.map {
            StoredBlob(
                id: $0, size: size, crc32c: view["crc"]?.integer.map { UInt32(truncatingIfNeeded: $0) },
                location: .file)
        }
    }

    static func id(_ upload: UploadID, _ number: Int) -> BSONValue {
        ["u": .text(upload.utf8), "n": .int64(Int64(number))]
    }

    static func fields(_ part: UploadedPart, blob: NewBlob?, stamp: Int64) -> BSONDocument {
        var fields: BSONDocument = [
            "size": .int64(Int64(bitPattern: part.size)), "md5": .binary(part.md5),
            "modified": .int64(part.modified.milliseconds), "stamp": .int64(stamp),
        ]
        fields.append("blob", part.blob.map { .int64(Int64(bitPattern: $0.value)) })
        fields.append("crc", blob?.crc32c.map { .int64(Int64($0)) })
        fields.append("algorithm", part.checksum.map { .int32(Int32($0.algorithm.rawValue)) })
        fields.append("sum", part.checksum.map { .binary($0.value) })
        return fields
    }
}

extension MongoStore {
    /// The upload is looked at before and after: an abort or a Complete that came between did not see the part.
    public func putPart(
        _ part: UploadedPart, blob: NewBlob?, of upload: UploadID, key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        guard blob?.bytes == nil else { throw .broken("MongoDB keeps no bytes of parts") }
        guard try await uploadDocument(upload, of: key, in: bucket)?.isOpen == true else { throw .noSuchUpload }
        if let blob = part.blob { try makeDurable([blob]) }
        let stamp = HeadChange.newWrite()
        let id = PartDocument.id(upload, part.number)
        // Sent again it must not drop its own blob.
        let replaced: BSONValue = [
            "$cond": [
                ["$or": [["$eq": ["$stamp", .int64(stamp)]], ["$eq": [["$type": "$blob"], "missing"]]]], [], ["$blob"],
            ]
        ]
        let change: [BSONDocument] = [
            [
                "$replaceWith": [
                    "$mergeObjects": [
                        .literal(.document(PartDocument.fields(part, blob: blob, stamp: stamp))),
                        ["_id": "$_id", "old": ["$concatArrays": [["$ifNull": ["$old", []]], replaced]]],
                    ]
                ]
            ]
        ]
        let row = try await perform { (database) throws(MongoError) -> BSONView? in
            do throws(MongoError) {
                return try database.findAndModify(
                    ["_id": id, "done": ["$ne": true]], .pipeline(change), upsert: true, in: MongoSchema.parts)
            } catch .duplicateKey {
                // A Complete took the part, or two came at once.
                let found = try database.findOne(["_id": id], projection: ["done": 1], in: MongoSchema.parts)
                if found?["done"]?.isTrue == true { return nil }
                throw .writeConflict
            }
        }
        guard let row = row.flatMap({ PartDocument(view: $0) }) else { throw .noSuchUpload }
        try await dropReplaced(row.old, id)
        var retry = Retry(patience: configuration.patience)
        while true {
            guard let found = try await uploadDocument(upload, of: key, in: bucket), found.isOpen else {
                try await perform { (database) throws(MongoError) in
                    try database.delete(
                        ["_id": id, "stamp": .int64(stamp), "done": ["$ne": true]], from: MongoSchema.parts)
                }
                throw .noSuchUpload
            }
            if found.token == nil { return }
            guard await retry.wait(on: pool) else { throw .unavailable("the upload is being completed") }
        }
    }

    private func dropReplaced(_ old: [BlobID], _ id: BSONValue) async throws(MetadataError) {
        if old.isEmpty { return }
        try await addGarbage(now: old)
        let numbers = old.map { BSONValue.int64(Int64(bitPattern: $0.value)) }
        try await perform { (database) throws(MongoError) in
            try database.update(
                [MongoDatabase.Update(["_id": id], .document(["$pullAll": ["old": .array(numbers)]]))],
                in: MongoSchema.parts)
        }
    }

    public func parts(
        of upload: UploadID, after: Int, limit: Int
    ) async throws(MetadataError) -> [UploadedPart] {
        guard limit > 0 else { return [] }
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(
                ["_id": .text(upload.utf8), "open": true], projection: ["_id": 1], in: MongoSchema.uploads)
        }
        if view == nil { return [] }
        return try await rows(of: upload, after: after, limit: limit).map(\.part)
    }

    /// In order of number.
    func rows(of upload: UploadID, after: Int, limit: Int) async throws(MetadataError) -> [PartDocument] {
        var found: [PartDocument] = []
        var after = after
        while found.count < limit {
            let batch = min(limit - found.count, 10_001)
            let query = MongoDatabase.Query(
                ["_id.u": .text(upload.utf8), "_id.n": ["$gt": .int64(Int64(after))]], sort: ["_id.u": 1, "_id.n": 1],
                hint: "number", limit: batch)
            let views = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.parts).documents
            }
            let rows = views.compactMap { PartDocument(view: $0) }
            found += rows
            guard let last = rows.last, rows.count == batch else { break }
            after = last.number
        }
        return found
    }

    /// Makes all blobs of rows that match garbage, and then removes the rows.
    func dropParts(_ filter: BSONDocument) async throws(MetadataError) {
        while true {
            let query = MongoDatabase.Query(filter, limit: 5_000)
            let views = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.parts).documents
            }
            let rows = views.compactMap { PartDocument(view: $0) }
            if rows.isEmpty { return }
            try await addGarbage(now: rows.flatMap { $0.old + ($0.blob.map { [$0] } ?? []) })
            let stamps = rows.map { BSONValue.int64($0.stamp) }
            let ids = rows.compactMap { $0.view["_id"]?.document.map { BSONValue.raw($0) } }
            // A part that was sent again meanwhile stays for the next round.
            try await perform { (database) throws(MongoError) in
                try database.delete(
                    ["_id": ["$in": .array(ids)], "stamp": ["$in": .array(stamps)]], from: MongoSchema.parts)
            }
        }
    }

    /// Rows that tell of the blobs of a version that is published with several.
    func addBlobs(of parts: [StoredPart]) async throws(MetadataError) {
        guard case .id(let digits) = Self.newVersionID(), let upload = UploadID(digits) else { return }
        let rows = parts.filter { $0.blob != nil }.map { part in
            var row = PartDocument.fields(
                UploadedPart(
                    number: part.number, size: part.size, md5: [], checksum: nil, modified: .now(), blob: part.blob),
                blob: nil, stamp: HeadChange.newWrite())
            row.append("_id", PartDocument.id(upload, part.number))
            row.append("done", true)
            return row
        }
        try await perform { (database) throws(MongoError) in
            try database.insert(rows, ignoringDuplicates: true, into: MongoSchema.parts)
        }
    }
}
