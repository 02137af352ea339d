import Bytes
import Mongo

extension MongoStore {
    public func publish(_ new: NewVersion) async throws(MetadataError) -> ObjectVersion {
        if case .blob(let id) = new.content, let blob = new.blob, blob.id != id {
            throw .broken("a version names another blob than its own")
        }
        if let blob = new.blob, let bytes = blob.bytes {
            try await keep(bytes, of: blob.id)
        } else {
            try makeDurable(new.content.blobs)
        }
        if case .parts(let parts) = new.content { try await addBlobs(of: parts) }
        let version = ObjectVersion(
            key: new.key, versionID: .null, isLatest: true, isDeleteMarker: false, modified: Timestamp(milliseconds: 0),
            sequence: 0, owner: new.owner, size: new.size, etag: new.etag, attributes: new.attributes,
            checksum: new.checksum, tags: new.tags, content: new.content)
        do throws(MetadataError) {
            return try await putOnTop(
                version, blob: new.blob, in: new.bucket, conditions: new.conditions, event: new.event)
        } catch {
            if let blob = new.blob, blob.bytes != nil { await discard(blob.id, after: error) }
            throw error
        }
    }

    /// Makes `version` the latest; gives it its place and date, and the id `newID` where the bucket is versioned. A write that may have been
    /// done before must have the same `write` and `newID`.
    func putOnTop(
        _ version: ObjectVersion, blob: NewBlob? = nil, in id: BucketID, conditions: WriteConditions,
        event: EventDraft? = nil, latestSequence: Int64? = nil, write: Int64 = HeadChange.newWrite(),
        newID: VersionID = MongoStore.newVersionID(), mayBeDone: Bool = false
    ) async throws(MetadataError) -> ObjectVersion {
        let bucket = try await openBucket(id)
        var version = version
        let change = try await topChange(
            &version, blob: blob, in: bucket.bucket, conditions: conditions, event: event,
            latestSequence: latestSequence, write: write, newID: newID)
        let done: HeadChange.Done
        if mayBeDone || version.content.blobs.count > TopChange.partsMax || writer.isContended(change.key) {
            done = try await putAlone(change, of: version, mayBeDone: mayBeDone)
        } else {
            switch await putTogether(change) {
            case .done(let together): done = together
            case .failed(let error): throw error
            case .alone(let mayBeDone): done = try await putAlone(change, of: version, mayBeDone: mayBeDone)
            }
        }
        if event != nil { noteNews() }
        try await confirm(bucket)
        version.sequence = done.sequence
        version.modified = Timestamp(milliseconds: done.modified)
        return version
    }

    /// The change that makes `version` the latest, which gets its id.
    func topChange(
        _ version: inout ObjectVersion, blob: NewBlob?, in bucket: Bucket, conditions: WriteConditions,
        event: EventDraft?, latestSequence: Int64? = nil, write: Int64, newID: VersionID
    ) async throws(MetadataError) -> TopChange {
        version.versionID = bucket.versioning == .enabled ? newID : .null
        let key = HeadKey(bucket.id, version.key)
        var change = TopChange(
            key: key, write: write, versionID: version.versionID,
            fields: VersionDocument.fields(of: version, blob: blob, write: write),
            isDeleteMarker: version.isDeleteMarker, conditions: conditions, latestSequence: latestSequence,
            asset: try await followed(version, in: bucket))
        if let event {
            change.event = HeadEvent(event, of: key, version.versionID, size: version.size, etag: version.etag)
        }
        return change
    }

    private func putAlone(
        _ top: TopChange, of version: ObjectVersion, mayBeDone: Bool
    ) async throws(MetadataError) -> HeadChange.Done {
        var (filter, needsObject) = top.conditions.filter
        if let latest = top.latestSequence { filter.append(Self.isLatest(latest)) }
        // A head that is there and of another version does not match, and cannot be made either.
        if top.latestSequence ?? 0 > 0 { needsObject = true }
        let change = HeadChange(
            key: top.key, write: top.write, conditions: filter, makesHead: !needsObject,
            stages: HeadPipeline.stages(
                write: top.write, entries: HeadPipeline.entriesBelow(newVersion: top.versionID, write: top.write),
                latest: .new(top.fields, isDeleteMarker: top.isDeleteMarker), asset: top.asset, event: top.event),
            newVersion: top.versionID, newBlob: version.content.blobs.first, mayBeDone: mayBeDone,
            hasEvent: top.event != nil)
        let done = try await self.change(change) { (head) throws(MetadataError) in
            try top.conditions.check(against: try head?.latest?.head())
            if let latest = top.latestSequence, latest != head?.latest?.sequence ?? 0 { throw .superseded }
            return false
        }
        guard let done else { throw .broken("a write ended without an outcome") }
        return done
    }

    /// As a condition of heads: the latest version is of that sequence, 0 for none.
    private static func isLatest(_ sequence: Int64) -> BSONDocument {
        sequence == 0 ? ["latest": ["$exists": false]] : ["latest.s": .int64(sequence)]
    }

    /// 32 random lower-case hexadecimal digits.
    static func newVersionID() -> VersionID {
        var random = SystemRandomNumberGenerator()
        return .id(Hex.encode(random.next(), width: 16) + Hex.encode(random.next(), width: 16))
    }

    public func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        if let version = request.version { return try await remove(version, request) }
        var retry = Retry(patience: configuration.patience)
        while true {
            let bucket = try await openBucket(request.bucket)
            if bucket.bucket.versioning != .unversioned {
                let marker = ObjectVersion(
                    key: request.key, versionID: .null, isLatest: true, isDeleteMarker: true,
                    modified: Timestamp(milliseconds: 0), sequence: 0, owner: request.owner, size: 0,
                    etag: ETag(md5: []), attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty)
                let made = try await putOnTop(
                    marker, in: request.bucket, conditions: request.conditions, event: request.event,
                    latestSequence: request.latestSequence)
                return DeleteResult(versionID: made.versionID, isDeleteMarker: true)
            }
            if try await removeNull(request, bucket) { return DeleteResult(versionID: nil, isDeleteMarker: false) }
            // Versioning was switched on meanwhile.
            guard await retry.wait(on: pool) else { throw .unavailable("the bucket's versioning keeps changing") }
            buckets.forget(request.bucket)
        }
    }

    /// False where the latest version is not the `null` one, so that the bucket is versioned by now.
    private func removeNull(_ request: DeleteRequest, _ bucket: OpenBucket) async throws(MetadataError) -> Bool {
        let write = HeadChange.newWrite()
        let key = HeadKey(request.bucket, request.key)
        let event = request.event.map { HeadEvent($0, of: key, nil) }
        var conditions = request.conditions.filter.conditions + [["latest.v": "null"]]
        if let latest = request.latestSequence { conditions.append(Self.isLatest(latest)) }
        // No delete marker was ever made where this is done.
        let change = HeadChange(
            key: key, write: write, conditions: conditions, makesHead: false,
            stages: HeadPipeline.stages(
                write: write, entries: HeadPipeline.dropLatest(write: write), latest: .none, asset: .gone,
                event: event), hasEvent: event != nil)
        var isVersioned = false
        let done = try await self.change(change) { (head) throws(MetadataError) in
            try request.conditions.check(against: try head?.latest?.head())
            if let latest = request.latestSequence, latest != head?.latest?.sequence ?? 0 { throw .superseded }
            guard let latest = head?.latest else { return true }
            isVersioned = !latest.isNull
            return isVersioned
        }
        if event != nil, done != nil { noteNews() }
        try await confirm(bucket)
        return !isVersioned
    }

    /// Removes a version for good. What is read first is still so when it is changed: else it is read again.
    private func remove(_ id: VersionID, _ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        let key = HeadKey(request.bucket, request.key)
        let bucket = try await openBucket(request.bucket)
        let write = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            let found = try await self.find(id, of: key)
            try request.conditions.check(against: try found?.version.head())
            guard let found else { return DeleteResult(versionID: id, isDeleteMarker: false) }
            let version = found.version
            let stages: [BSONDocument]
            var event: HeadEvent?
            if found.isLatest {
                if let latest = request.latestSequence, latest != version.sequence { throw .superseded }
                let next = try await newestFormer(of: found.head)
                event = try Self.event(of: request, removing: version, above: next?.version, at: key)
                stages = HeadPipeline.stages(
                    write: write, entries: HeadPipeline.dropLatest(write: write),
                    latest: next.map { .former($0.version, $0.tags) } ?? .none,
                    asset: try await followed(next?.version, of: request.key, in: bucket.bucket), event: event)
            } else {
                stages = HeadPipeline.stages(
                    write: write, entries: HeadPipeline.remove(version.sequence, write: write), latest: .kept)
            }
            if try await changeUnchanged(found.head, write: write, stages, hasEvent: event != nil) {
                if event != nil { noteNews() }
                try await confirm(bucket)
                return DeleteResult(versionID: version.versionID, isDeleteMarker: version.isDeleteMarker)
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the key keeps changing") }
        }
    }

    /// What the removal of the latest version tells: the object is gone, or comes back where it was a delete marker and a version is below.
    private static func event(
        of request: DeleteRequest, removing version: VersionDocument, above next: VersionDocument?, at key: HeadKey
    ) throws(MetadataError) -> HeadEvent? {
        guard let draft = request.event else { return nil }
        guard draft.name == .restored else {
            return version.isDeleteMarker ? nil : HeadEvent(draft, of: key, version.versionID)
        }
        guard version.isDeleteMarker, let next, !next.isDeleteMarker else { return nil }
        let head = try next.head()
        return HeadEvent(draft, of: key, head.versionID, sequence: head.sequence, size: head.size, etag: head.etag)
    }

    /// Carries out stages that were made for exactly this head; false where it has changed since.
    func changeUnchanged(
        _ head: Head, write: Int64, _ stages: [BSONDocument], hasEvent: Bool = false
    ) async throws(MetadataError) -> Bool {
        let change = HeadChange(
            key: head.key, write: write, conditions: [["seq": .int64(head.sequence)]], makesHead: false, stages: stages,
            hasEvent: hasEvent)
        return try await self.change(change) { (now) in now?.sequence != head.sequence } != nil
    }

    public func setTags(
        _ tags: [Tag], of key: ObjectKey, in bucket: BucketID, version id: VersionID?, event: EventDraft?
    ) async throws(MetadataError) -> VersionID {
        let open = try await openBucket(bucket)
        let write = HeadChange.newWrite()
        let record = Records.encode(tags)
        var retry = Retry(patience: configuration.patience)
        while true {
            guard let found = try await find(id, of: HeadKey(bucket, key)) else {
                throw id == nil ? .noSuchKey : .noSuchVersion
            }
            let version = found.version
            guard let versionID = version.versionID, !version.isDeleteMarker else { throw .noSuchKey }
            let told = try event.map { (draft) throws(MetadataError) in
                let head = try version.head()
                return HeadEvent(
                    draft, of: found.head.key, versionID, sequence: head.sequence, size: head.size, etag: head.etag)
            }
            let stages = Self.stages(of: record, on: found, in: open.bucket, write: write, event: told)
            if try await changeUnchanged(found.head, write: write, stages, hasEvent: told != nil) {
                if told != nil { noteNews() }
                try await confirm(open)
                return versionID
            }
            guard await retry.wait(on: pool) else { throw .unavailable("the key keeps changing") }
        }
    }

    /// Those that give a version that was found other tags.
    static func stages(
        of record: [UInt8]?, on found: FoundVersion, in bucket: Bucket, write: Int64, event: HeadEvent? = nil
    ) -> [BSONDocument] {
        guard found.isLatest else {
            return HeadPipeline.stages(
                write: write, entries: HeadPipeline.tag(found.version.sequence, record, write: write), latest: .kept,
                event: event)
        }
        return HeadPipeline.stages(
            write: write, entries: HeadPipeline.noEntries, latest: .tagged(record),
            asset: bucket.hasAssets ? .touched : .kept, event: event)
    }

    public func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>] {
        await pool.mapConcurrently(requests, widthMax: 16) { request in
            do throws(MetadataError) {
                return .success(try await self.delete(request))
            } catch {
                return .failure(error)
            }
        }
    }
}
