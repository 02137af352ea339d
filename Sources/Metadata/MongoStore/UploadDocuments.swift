import Bytes
import Digests
import Mongo
import Threads

/// An upload: `{_id: upload, b, k, owner, initiated (ms), a, t, algorithm, kind}` and its state:
///
/// - `open` is true while parts can be added, also while a Complete is under way; then `token`, `since` and `version` say whose that is,
///   since when, and which id its version gets.
/// - `aborting` holds the token of an abort that removes its parts, `ending` since when (a date).
/// - `completed` (a date) and `result` remain for 48 hours after a Complete.
struct UploadDocument {
    let view: BSONView

    var isOpen: Bool { view["open"]?.isTrue == true }
    /// Of the Complete that is under way.
    var token: Int64? { view["token"]?.integer }
    var since: Int64 { view["since"]?.date ?? 0 }
    var newVersion: VersionID? { view["version"]?.text.flatMap { VersionID($0) } }
    /// The result of a Complete, and when that was.
    var completed: (result: [UInt8], at: Int64)? {
        guard let result = view["result"]?.binary, let at = view["completed"]?.date else { return nil }
        return (result, at)
    }

    func upload() throws(MetadataError) -> Upload {
        guard let id = view["_id"]?.text.flatMap({ UploadID($0) }), let bucket = view["b"]?.integer,
            let key = view["k"]?.text.flatMap({ KeyText.decode($0) }).flatMap({ ObjectKey($0) })
        else { throw .broken("uploads: a malformed document") }
        func number(_ name: StaticString) -> UInt8? { view[name]?.integer.flatMap { UInt8(exactly: $0) } }
        return Upload(
            id: id, bucket: BucketID(bucket), key: key,
            owner: String(decoding: view["owner"]?.text ?? [], as: UTF8.self),
            initiated: Timestamp(milliseconds: view["initiated"]?.integer ?? 0),
            attributes: try Records.attributes(view["a"]?.binary), tags: try Records.tags(view["t"]?.binary),
            checksumAlgorithm: number("algorithm").flatMap { DigestAlgorithm(rawValue: $0) },
            checksumKind: number("kind").flatMap { Checksum.Kind(rawValue: $0) })
    }

    static func document(_ upload: Upload) -> BSONDocument {
        var document: BSONDocument = [
            "_id": .text(upload.id.utf8), "b": .int64(upload.bucket.value), "k": .text(KeyText.encode(upload.key.utf8)),
            "owner": .text(upload.owner), "initiated": .int64(upload.initiated.milliseconds), "open": true,
        ]
        document.append("a", Records.encode(upload.attributes).map { .binary($0) })
        document.append("t", Records.encode(upload.tags).map { .binary($0) })
        document.append("algorithm", upload.checksumAlgorithm.map { .int32(Int32($0.rawValue)) })
        document.append("kind", upload.checksumKind.map { .int32(Int32($0.rawValue)) })
        return document
    }
}

extension MongoStore {
    public func createUpload(_ upload: Upload) async throws(MetadataError) {
        let bucket = try await openBucket(upload.bucket)
        try await perform { (database) throws(MongoError) in
            try database.insert([UploadDocument.document(upload)], ignoringDuplicates: true, into: MongoSchema.uploads)
        }
        try await confirm(bucket)
    }

    public func upload(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) -> Upload? {
        guard let found = try await uploadDocument(id, of: key, in: bucket), found.isOpen else { return nil }
        return try found.upload()
    }

    /// In any state.
    func uploadDocument(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) -> UploadDocument? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(Self.filter(id, key, bucket), in: MongoSchema.uploads)
        }
        return view.map { UploadDocument(view: $0) }
    }

    static func filter(_ id: UploadID, _ key: ObjectKey, _ bucket: BucketID) -> BSONDocument {
        ["_id": .text(id.utf8), "b": .int64(bucket.value), "k": .text(KeyText.encode(key.utf8))]
    }

    public func listUploads(_ query: ListUploadsQuery) async throws(MetadataError) -> ListUploadsPage {
        var pager = Pager<Upload, UploadID>(limit: query.limit)
        if query.limit > 0 { try await fill(&pager, query) }
        return ListUploadsPage(
            uploads: pager.entries, commonPrefixes: pager.commonPrefixes, isTruncated: pager.isTruncated,
            nextKeyMarker: pager.nextKey, nextUploadMarker: pager.nextID)
    }

    private func fill(
        _ pager: inout Pager<Upload, UploadID>, _ query: ListUploadsQuery
    ) async throws(MetadataError) {
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        if let marker = query.uploadMarker, let key = query.keyMarker, key.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key, prefix: query.prefix, delimiter: delimiter) == nil
        {
            // As with versions: an upload that ended since names no place, so its key is shown from its first upload.
            let named = try await perform { (database) throws(MongoError) in
                try database.findOne(["_id": .text(marker.utf8)], in: MongoSchema.uploads)
            }
            let initiated = BSONValue.int64(named?["initiated"]?.integer ?? Int64.min)
            let later: [BSONDocument] = [
                ["initiated": ["$gt": initiated]], ["initiated": initiated, "_id": ["$gt": .text(marker.utf8)]],
            ]
            let rest = try await openUploads(
                ["b": .int64(query.bucket.value), "k": .text(KeyText.encode(key)), "$or": .documents(later)],
                limit: query.limit + 1)
            for upload in rest { pager.add(upload, key: upload.key, id: upload.id) }
        }
        guard !pager.isTruncated,
            var start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.keyMarker)
        else { return }
        // Uploads of one key can be many, so that the next batch begins after one of them.
        var after: UploadID?
        while true {
            var range: [BSONDocument] = [["k": ["$gt": .text(KeyText.encode(start))]]]
            let same: BSONValue = .text(KeyText.encode(start))
            if let after {
                range += [["k": same, "initiated": ["$gt": .int64(lastInitiated(pager))]]]
                range += [
                    ["k": same, "initiated": .int64(lastInitiated(pager)), "_id": ["$gt": .text(after.utf8)]]
                ]
            } else {
                range += [["k": same]]
            }
            let uploads = try await openUploads(
                ["b": .int64(query.bucket.value), "$or": .documents(range)], limit: query.limit + 1)
            var seek: [UInt8]?
            for upload in uploads {
                if let seek, upload.key.utf8.lexicographicallyPrecedes(seek) { continue }
                guard upload.key.utf8.starts(with: query.prefix) else { return }
                guard
                    let common = KeyOrder.commonPrefix(
                        of: upload.key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    pager.add(upload, key: upload.key, id: upload.id)
                    if pager.isTruncated { return }
                    (start, after, seek) = (upload.key.utf8, upload.id, nil)
                    continue
                }
                pager.add(commonPrefix: common)
                guard !pager.isTruncated, let next = KeyOrder.end(of: common) else { return }
                (seek, start, after) = (next, next, nil)
            }
            if uploads.count <= query.limit { return }
        }
    }

    private func lastInitiated(_ pager: Pager<Upload, UploadID>) -> Int64 {
        pager.entries.last?.initiated.milliseconds ?? Int64.min
    }

    private func openUploads(_ filter: BSONDocument, limit: Int) async throws(MetadataError) -> [Upload] {
        var filter = filter
        filter.append("open", true)
        let query = MongoDatabase.Query(
            filter, sort: ["b": 1, "k": 1, "initiated": 1, "_id": 1], hint: MongoSchema.uploadOrder, limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.uploads).documents
        }
        var uploads: [Upload] = []
        for view in views { uploads.append(try UploadDocument(view: view).upload()) }
        return uploads
    }

    public func abortUpload(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        let token = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            var filter = Self.filter(id, key, bucket)
            filter.append(
                "$or", .documents([["open": true, "token": ["$exists": false]], ["aborting": .int64(token)]]))
            let isOurs = try await perform { (database) throws(MongoError) in
                try database.update(
                    [
                        MongoDatabase.Update(
                            filter,
                            .pipeline([
                                ["$set": ["aborting": .int64(token), "ending": "$$NOW", "open": "$$REMOVE"]]
                            ]))
                    ], in: MongoSchema.uploads)
            }
            if isOurs > 0 { return try await endUpload(id) }
            // A Complete is under way, or there is nothing to abort.
            guard let found = try await uploadDocument(id, of: key, in: bucket), found.isOpen else {
                throw .noSuchUpload
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the upload is being completed") }
        }
    }

    /// Uploads of a bucket that were not completed.
    func uploads(of bucket: BucketID) async throws(MetadataError) -> [UploadID] {
        let query = MongoDatabase.Query(
            ["b": .int64(bucket.value), "completed": ["$exists": false]], projection: ["_id": 1], limit: Int(Int32.max))
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.uploads).documents
        }
        return views.compactMap { $0["_id"]?.text.flatMap { UploadID($0) } }
    }

    /// Ends what aborts left whose gateways died between their steps. Two may do so at once.
    func endAbandonedAborts() async throws(MetadataError) {
        let before = Timestamp.now().milliseconds - Int64(clamping: configuration.abandonedAfter.millisecondsClamped)
        let query = MongoDatabase.Query(
            ["ending": ["$lt": .date(before)]], projection: ["_id": 1], sort: ["ending": 1], limit: 100)
        while true {
            let views = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.uploads).documents
            }
            for id in views.compactMap({ $0["_id"]?.text.flatMap { UploadID($0) } }) { try await endUpload(id) }
            if views.count < query.limit { return }
        }
    }

    /// Drops the parts, then the upload.
    func endUpload(_ id: UploadID) async throws(MetadataError) {
        try await dropParts(["_id.u": .text(id.utf8)])
        try await perform { (database) throws(MongoError) in
            try database.delete(["_id": .text(id.utf8)], from: MongoSchema.uploads)
        }
    }
}
