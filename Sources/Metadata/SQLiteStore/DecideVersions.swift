import Bytes

extension Decider {
    mutating func publish(_ new: NewVersion, _ decision: inout Decision) throws(MetadataError) -> ObjectVersion {
        let bucket = try bucket(new.bucket)
        let latest = try rows.head(of: new.key, in: new.bucket, nil)
        try new.conditions.check(against: latest)
        let version = ObjectVersion(
            key: new.key, versionID: .null, isLatest: true, isDeleteMarker: false, modified: now, sequence: 0,
            owner: new.owner, size: new.size, etag: new.etag, attributes: new.attributes, checksum: new.checksum,
            tags: new.tags, content: new.content)
        if case .blob(let id) = new.content {
            guard new.blob == nil || new.blob?.id == id else {
                throw .broken("a version names another blob than its own")
            }
            adopt(new.blob ?? NewBlob(id: id, size: new.size, crc32c: nil, bytes: nil), &decision)
        } else if case .parts(let parts) = new.content {
            for part in parts {
                guard let blob = part.blob else { continue }
                decision.changes.append(.blobAdded(blob, size: part.size, crc32c: nil, isInLog: false))
            }
        }
        let published = try putOnTop(version, of: latest, in: bucket, &decision)
        note(new.event, of: published, in: bucket, &decision)
        return published
    }

    /// Gives `version` its id and place, above `latest`, as the bucket's versioning state says.
    mutating func putOnTop(
        _ version: ObjectVersion, of latest: VersionHead?, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) -> ObjectVersion {
        var version = version
        version.versionID = bucket.versioning == .enabled ? Self.newVersionID() : .null
        if version.versionID == .null {
            try replaceNull(of: version.key, latest: latest, in: bucket, &decision)
        } else if let latest {
            decision.changes.append(.latest(bucket.id, version.key, sequence: latest.sequence, false))
        }
        version.sequence = draw()
        decision.changes.append(.version(bucket.id, version))
        if bucket.hasAssets { try follow(version, in: bucket, &decision) }
        return version
    }

    /// Removes the `null` version that a new one takes the place of; a latest version of another id becomes a former one.
    private mutating func replaceNull(
        of key: ObjectKey, latest: VersionHead?, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) {
        guard let latest else { return }
        var null: VersionHead? = latest
        if latest.versionID != .null {
            decision.changes.append(.latest(bucket.id, key, sequence: latest.sequence, false))
            null = try rows.head(of: key, in: bucket.id, .null)
        }
        if let null { try remove(null, of: key, in: bucket.id, &decision) }
    }

    private mutating func remove(
        _ head: VersionHead, of key: ObjectKey, in bucket: BucketID, _ decision: inout Decision
    ) throws(MetadataError) {
        decision.changes.append(.versionRemoved(bucket, key, sequence: head.sequence))
        drop(try rows.blobs(of: head), &decision)
    }

    mutating func delete(_ request: DeleteRequest, _ decision: inout Decision) throws(MetadataError) -> DeleteResult {
        let bucket = try bucket(request.bucket)
        guard request.version == nil else { return try deleteNamed(request, in: bucket, &decision) }
        let latest = try rows.head(of: request.key, in: request.bucket, nil)
        try request.conditions.check(against: latest)
        try request.check(latest)
        let event = latest?.isDeleteMarker == false ? request.event : nil
        if bucket.versioning == .unversioned {
            if let latest { try remove(latest, of: request.key, in: bucket.id, &decision) }
            noteRemoval(event, of: request.key, version: nil, in: bucket.id, &decision)
            if bucket.hasAssets { try followRemoval(of: request.key, in: bucket, &decision) }
            return DeleteResult(versionID: nil, isDeleteMarker: false)
        }
        let marker = ObjectVersion(
            key: request.key, versionID: .null, isLatest: true, isDeleteMarker: true, modified: now, sequence: 0,
            owner: request.owner, size: 0, etag: ETag(md5: []), attributes: ObjectAttributes(), checksum: nil,
            tags: [], content: .empty)
        let made = try putOnTop(marker, of: latest, in: bucket, &decision)
        note(event, of: made, in: bucket, &decision)
        return DeleteResult(versionID: made.versionID, isDeleteMarker: true)
    }

    /// Conditions are about the named version. One that does not exist is as good as removed.
    private mutating func deleteNamed(
        _ request: DeleteRequest, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) -> DeleteResult {
        let head = try rows.head(of: request.key, in: request.bucket, request.version)
        try request.conditions.check(against: head)
        guard let head else { return DeleteResult(versionID: request.version, isDeleteMarker: false) }
        if head.isLatest { try request.check(head) }
        try remove(head, of: request.key, in: request.bucket, &decision)
        if head.isLatest {
            try noteEvent(of: request, removing: head, in: bucket, &decision)
            let next = try rows.head(of: request.key, in: request.bucket, before: head.sequence)
            if let next { decision.changes.append(.latest(request.bucket, request.key, sequence: next.sequence, true)) }
            if bucket.hasAssets {
                let version = try next.flatMap { (next) throws(MetadataError) in
                    try rows.version(of: request.key, in: request.bucket, next.versionID)
                }
                if let version {
                    try follow(version, in: bucket, &decision)
                } else {
                    try followRemoval(of: request.key, in: bucket, &decision)
                }
            }
        }
        return DeleteResult(versionID: head.versionID, isDeleteMarker: head.isDeleteMarker)
    }

    /// Of the removal of the latest version: the object is gone, or comes back where it was a delete marker and a version is below.
    private mutating func noteEvent(
        of request: DeleteRequest, removing head: VersionHead, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) {
        guard let event = request.event else { return }
        guard event.name == .restored else {
            if !head.isDeleteMarker {
                noteRemoval(event, of: request.key, version: head.versionID, in: bucket.id, &decision)
            }
            return
        }
        guard head.isDeleteMarker,
            let next = try rows.head(of: request.key, in: bucket.id, before: head.sequence), !next.isDeleteMarker,
            let version = try rows.version(of: request.key, in: bucket.id, next.versionID)
        else { return }
        note(event, of: version, in: bucket, &decision)
    }

    mutating func setTags(
        _ tags: [Tag], of key: ObjectKey, in bucket: BucketID, _ version: VersionID?, _ event: EventDraft?,
        _ decision: inout Decision
    ) throws(MetadataError) -> VersionID {
        let found = try self.bucket(bucket)
        guard let head = try rows.head(of: key, in: bucket, version) else {
            throw version == nil ? .noSuchKey : .noSuchVersion
        }
        if head.isDeleteMarker { throw .noSuchKey }
        decision.changes.append(.tags(bucket, key, sequence: head.sequence, tags))
        if found.hasAssets, head.isLatest { try followTags(of: key, in: found, &decision) }
        if let event {
            decision.changes.append(
                .event(
                    ObjectEvent(
                        position: draw(), moment: now, bucket: bucket, key: key, versionID: head.versionID,
                        sequence: head.sequence, size: head.size, etag: head.etag, draft: event)))
        }
        return head.versionID
    }
}

extension DeleteRequest {
    /// Whether the event is still that of the latest version.
    fileprivate func check(_ latest: VersionHead?) throws(MetadataError) {
        if let latestSequence, latestSequence != latest?.sequence ?? 0 { throw .superseded }
    }
}

extension WriteConditions {
    /// A delete marker counts as no object, and so does nil. A condition that needs an object throws `noSuchKey` where
    /// there is none.
    func check(against version: VersionHead?) throws(MetadataError) {
        if isEmpty { return }
        let current = version.flatMap { $0.isDeleteMarker ? nil : $0 }
        switch (ifNoneMatch, current) {
        case (nil, _), (_, nil): break
        case (.any, .some): throw .preconditionFailed
        case (.etags(let etags), .some(let current)):
            if etags.contains(current.etag.unquoted) { throw .preconditionFailed }
        }
        if ifMatch == nil, ifModifiedAt == nil, ifSize == nil { return }
        guard let current else {
            // Size and date are asked of deletes only, and hold where there is nothing to delete (API/DeleteObject).
            if ifMatch == nil { return }
            throw .noSuchKey
        }
        if case .etags(let etags) = ifMatch, !etags.contains(current.etag.unquoted) { throw .preconditionFailed }
        if let ifModifiedAt, ifModifiedAt.seconds != current.modified.seconds { throw .preconditionFailed }
        if let ifSize, ifSize != current.size { throw .preconditionFailed }
    }
}
