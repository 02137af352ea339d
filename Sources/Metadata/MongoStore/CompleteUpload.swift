import Bytes
import Mongo
import Threads

extension MongoStore {
    /// One Complete of an upload at a time goes on. It takes the parts that it lists, so that none of them can be replaced, and then
    /// makes its one change of the head, whose id follows from the upload: who comes after one that died finds out whether
    /// that was done.
    public func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion {
        _ = try await openBucket(request.bucket)
        let token = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            guard let found = try await uploadDocument(request.upload, of: request.key, in: request.bucket) else {
                throw .noSuchUpload
            }
            if let completed = found.completed { return try await formerResult(completed, of: request) }
            guard found.isOpen else { throw .noSuchUpload }
            if let claimed = try await claim(request, found, token) {
                return try await complete(request, claimed, token, mayBeDone: found.token != nil)
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the upload is being completed") }
        }
    }

    /// Nil where another Complete is under way.
    private func claim(
        _ request: CompleteRequest, _ found: UploadDocument, _ token: Int64
    ) async throws(MetadataError) -> UploadDocument? {
        var holders: [BSONDocument] = [["token": ["$exists": false]], ["token": .int64(token)]]
        if let other = found.token {
            let age_ms = Timestamp.now().milliseconds - found.since
            if age_ms > Int64(clamping: configuration.abandonedAfter.millisecondsClamped) {
                holders.append(["token": .int64(other)])
            }
        }
        var filter = Self.filter(request.upload, request.key, request.bucket)
        filter.append("open", true)
        filter.append("$or", .documents(holders))
        let id = Self.newVersionID()
        let view = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                filter,
                .pipeline([
                    [
                        "$set": [
                            "token": .int64(token), "since": "$$NOW",
                            "version": ["$ifNull": ["$version", .literal(.text(id.utf8))]],
                        ]
                    ]
                ]), in: MongoSchema.uploads)
        }
        return view.map { UploadDocument(view: $0) }
    }

    private func complete(
        _ request: CompleteRequest, _ claimed: UploadDocument, _ token: Int64, mayBeDone: Bool
    ) async throws(MetadataError) -> ObjectVersion {
        let published: ObjectVersion
        do throws(MetadataError) {
            published = try await publish(request, claimed, mayBeDone: mayBeDone)
        } catch {
            // Where the outcome is unknown, the next one finds out.
            if case .unavailable = error { throw error }
            try await release(request.upload, token)
            throw error
        }
        var result = published
        result.content = .empty
        result.blob = nil
        let record = Records.encode(result)
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .text(request.upload.utf8), "token": .int64(token)],
                        .document([
                            "$set": ["result": .binary(record), "completed": .date(Timestamp.now().milliseconds)],
                            "$unset": ["open": "", "token": "", "since": ""],
                        ]))
                ], in: MongoSchema.uploads)
        }
        try await dropParts(["_id.u": .text(request.upload.utf8), "done": ["$ne": true]])
        try await dropReplacedParts(of: request.upload)
        return published
    }

    private func publish(
        _ request: CompleteRequest, _ claimed: UploadDocument, mayBeDone: Bool
    ) async throws(MetadataError) -> ObjectVersion {
        let upload = try claimed.upload()
        let rows = try await rows(of: upload.id, after: Int.min, limit: Int.max)
        let listed = try request.select(from: rows.map(\.part))
        let size = try request.size(of: listed)
        try await take(listed, rows, of: upload.id)
        let algorithm = request.checksum?.algorithm ?? upload.checksumAlgorithm
        let parts = listed.map { part in
            StoredPart(
                number: part.number, blob: part.blob, size: part.size,
                checksum: part.checksum.flatMap { $0.algorithm == algorithm ? $0.value : nil })
        }
        let version = ObjectVersion(
            key: request.key, versionID: .null, isLatest: true, isDeleteMarker: false,
            modified: Timestamp(milliseconds: 0), sequence: 0, owner: upload.owner, size: size, etag: request.etag,
            attributes: upload.attributes, checksum: request.checksum, tags: upload.tags, content: .parts(parts))
        return try await putOnTop(
            version, in: request.bucket, conditions: request.conditions, event: request.event,
            write: Self.write(of: upload.id),
            newID: claimed.newVersion ?? Self.newVersionID(), mayBeDone: mayBeDone)
    }

    /// The upload's id is random, and so is this.
    private static func write(of upload: UploadID) -> Int64 {
        var number: UInt64 = 0
        for digit in upload.utf8.prefix(15) { number = number << 4 | UInt64(Hex.value(of: digit) ?? 0) }
        return Int64(bitPattern: number | 1)
    }

    /// From here on no part that is listed can be replaced. Throws `invalidPart` where one was since it was read.
    private func take(
        _ listed: [UploadedPart], _ rows: [PartDocument], of upload: UploadID
    ) async throws(MetadataError) {
        let numbers = Set(listed.map(\.number))
        let stamps = rows.filter { numbers.contains($0.number) }.map { BSONValue.int64($0.stamp) }
        let taken = try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id.u": .text(upload.utf8), "stamp": ["$in": .array(stamps)]],
                        .document(["$set": ["done": true]]), many: true)
                ], in: MongoSchema.parts)
        }
        if taken != Int64(listed.count) { throw .invalidPart(number: listed.first?.number ?? 0) }
    }

    private func release(_ upload: UploadID, _ token: Int64) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            // Somebody who took it for abandoned goes on with the parts as they are.
            let held: BSONDocument = ["_id": .text(upload.utf8), "token": .int64(token)]
            guard try database.findOne(held, projection: ["_id": 1], in: MongoSchema.uploads) != nil else { return }
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id.u": .text(upload.utf8), "done": true], .document(["$unset": ["done": ""]]), many: true)
                ], in: MongoSchema.parts)
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .text(upload.utf8), "token": .int64(token)],
                        .document(["$unset": ["token": "", "since": "", "version": ""]]))
                ], in: MongoSchema.uploads)
        }
    }

    /// Blobs that parts had before they were sent again, and that a `putPart` did not come to drop.
    private func dropReplacedParts(of upload: UploadID) async throws(MetadataError) {
        let views = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(["_id.u": .text(upload.utf8), "old.0": ["$exists": true]], limit: 10_001),
                in: MongoSchema.parts
            ).documents
        }
        let old = views.compactMap { PartDocument(view: $0) }.flatMap(\.old)
        try await addGarbage(now: old)
        try await perform { (database) throws(MongoError) in
            // A part of no bytes tells of no blob.
            try database.delete(
                ["_id.u": .text(upload.utf8), "done": true, "blob": ["$exists": false]], from: MongoSchema.parts)
        }
    }

    /// Of a Complete that succeeded within the last 48 hours: its version as it was then, without its content unless the
    /// version still exists.
    private func formerResult(
        _ completed: (result: [UInt8], at: Int64), of request: CompleteRequest
    ) async throws(MetadataError) -> ObjectVersion {
        guard Timestamp.now().milliseconds - completed.at <= Decider.completedKeptMilliseconds else {
            throw .noSuchUpload
        }
        let former = try Records.version(completed.result)
        let current = try await version(of: request.key, in: request.bucket, version: former.versionID)
        if let current, current.sequence == former.sequence { return current }
        return former
    }
}
