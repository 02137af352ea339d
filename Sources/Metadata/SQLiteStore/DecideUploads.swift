import Bytes

extension Decider {
    /// How long the result of a Complete is kept for a client that lost the answer, in milliseconds: 48 hours.
    static let completedKeptMilliseconds: Int64 = 48 * 3_600_000

    func createUpload(_ upload: Upload, _ decision: inout Decision) throws(MetadataError) -> Answer {
        _ = try bucket(upload.bucket)
        if try rows.upload(upload.id) != nil { throw .broken("an upload id was made twice") }
        decision.changes.append(.upload(upload))
        return .done
    }

    mutating func putPart(
        _ part: UploadedPart, _ blob: NewBlob?, of id: UploadID, _ key: ObjectKey, in bucket: BucketID,
        _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        guard try rows.upload(id, of: key, in: bucket) != nil else { throw .noSuchUpload }
        if let blob = try rows.part(part.number, of: id)?.blob { drop([blob], &decision) }
        decision.changes.append(.part(id, part))
        if let id = part.blob {
            guard blob == nil || blob?.id == id else { throw .broken("a part names another blob than its own") }
            adopt(blob ?? NewBlob(id: id, size: part.size, crc32c: nil, bytes: nil), &decision)
        }
        return .done
    }

    mutating func abort(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID, _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        guard try rows.upload(id, of: key, in: bucket) != nil else { throw .noSuchUpload }
        decision.changes.append(.uploadRemoved(id))
        drop(try rows.parts(of: id, after: Int.min, limit: Int.max).compactMap(\.blob), &decision)
        return .done
    }

    mutating func complete(
        _ request: CompleteRequest, _ decision: inout Decision
    ) throws(MetadataError) -> ObjectVersion {
        let bucket = try bucket(request.bucket)
        guard let upload = try rows.upload(request.upload, of: request.key, in: request.bucket) else {
            return try formerResult(of: request)
        }
        let uploaded = try rows.parts(of: upload.id, after: Int.min, limit: Int.max)
        let listed = try request.select(from: uploaded)
        let size = try request.size(of: listed)
        let latest = try rows.head(of: request.key, in: request.bucket, nil)
        try request.conditions.check(against: latest)

        let algorithm = request.checksum?.algorithm ?? upload.checksumAlgorithm
        let parts = listed.map { part in
            StoredPart(
                number: part.number, blob: part.blob, size: part.size,
                checksum: part.checksum.flatMap { $0.algorithm == algorithm ? $0.value : nil })
        }
        let version = ObjectVersion(
            key: request.key, versionID: .null, isLatest: true, isDeleteMarker: false, modified: now, sequence: 0,
            owner: upload.owner, size: size, etag: request.etag, attributes: upload.attributes,
            checksum: request.checksum, tags: upload.tags, content: .parts(parts))
        let published = try putOnTop(version, of: latest, in: bucket, &decision)
        note(request.event, of: published, in: bucket, &decision)
        let kept = Set(listed.map(\.number))
        drop(uploaded.filter { !kept.contains($0.number) }.compactMap(\.blob), &decision)
        decision.changes.append(.uploadRemoved(upload.id))
        var result = published
        result.content = .empty
        decision.changes.append(.completed(upload.id, bucket.id, result, at: now))
        return published
    }

    /// Of a Complete that succeeded within the last 48 hours: its version as it was then, without its content unless the
    /// version still exists.
    private func formerResult(of request: CompleteRequest) throws(MetadataError) -> ObjectVersion {
        guard let former = try rows.completed(request.upload, in: request.bucket),
            former.version.key == request.key,
            now.milliseconds - former.at.milliseconds <= Self.completedKeptMilliseconds
        else { throw .noSuchUpload }
        let id = former.version.versionID
        if let current = try rows.version(of: request.key, in: request.bucket, id),
            current.sequence == former.version.sequence
        {
            return current
        }
        return former.version
    }
}

extension CompleteRequest {
    /// The uploaded parts that the request lists, by number; each must exist, once, with the listed MD5 and checksum.
    func select(from uploaded: [UploadedPart]) throws(MetadataError) -> [UploadedPart] {
        let known = Dictionary(uploaded.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
        var selected: [UploadedPart] = []
        var last: Int?
        for part in parts.sorted(by: { $0.number < $1.number }) {
            guard let found = known[part.number], part.number != last, found.md5 == part.md5,
                part.checksum == nil || part.checksum == found.checksum?.value
            else { throw .invalidPart(number: part.number) }
            last = part.number
            selected.append(found)
        }
        if selected.isEmpty { throw .invalidPart(number: 0) }
        return selected
    }

    /// All parts' bytes; each part but the last is large enough, and the sum is what the client said.
    func size(of parts: [UploadedPart]) throws(MetadataError) -> UInt64 {
        var total: UInt64 = 0
        for (index, part) in parts.enumerated() {
            if index < parts.count - 1, part.size < partSizeMin {
                throw .partTooSmall(number: part.number, size: part.size, sizeMin: partSizeMin)
            }
            let (sum, overflow) = total.addingReportingOverflow(part.size)
            if overflow { throw .invalidPart(number: part.number) }
            total = sum
        }
        if let size, size != total { throw .invalidPart(number: parts.last?.number ?? 0) }
        return total
    }
}
