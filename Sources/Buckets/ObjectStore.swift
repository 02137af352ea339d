public import Bytes
public import Digests
import Files
public import Metadata
public import RedoLog
import Synchronization
public import Threads

/// The only writer of objects: bytes are staged, and published with their row.
public final class ObjectStore: Sendable {
    public let metadata: any MetadataStore
    let blobs: any BlobStore
    /// Woken by every write that may leave garbage. Runs after `start()`.
    public let sweeper: Sweeper
    public let pool: Pool
    let opener: BlobOpener
    private let inDoubt = Atomic<UInt64>(0)

    private init(metadata: any MetadataStore, store blobs: any BlobStore, segments: SegmentFiles?, pool: Pool) {
        (self.metadata, self.blobs, self.pool) = (metadata, blobs, pool)
        opener = BlobOpener(metadata: metadata, blobs: blobs, segments: segments, pool: pool)
        sweeper = Sweeper(metadata: metadata, blobs: blobs, pool: pool)
    }

    /// `segments` are those that the places in `metadata` are about; nil where it has no log.
    public convenience init(metadata: any MetadataStore, blobs: LocalBlobs, segments: SegmentFiles?, pool: Pool) {
        self.init(metadata: metadata, store: blobs, segments: segments, pool: pool)
    }

    /// As above, with the blobs on an engine.
    public convenience init(metadata: any MetadataStore, blobs: RemoteBlobs, segments: SegmentFiles?, pool: Pool) {
        self.init(metadata: metadata, store: blobs, segments: segments, pool: pool)
    }

    public convenience init(metadata: SQLiteStore, blobs: LocalBlobs, pool: Pool) {
        self.init(metadata: metadata, blobs: blobs, segments: metadata.segments, pool: pool)
    }

    public var damage: DamageReports { blobs.damage }
    /// Whether as much is free as configured, so that content may be written. May block.
    public func hasRoom() throws(BucketsError) -> Bool { try blobs.hasRoom() }
    /// Syncs of blob directories since the opening, for metrics.
    public var directorySyncCount: UInt64 { blobs.directorySyncCount }

    // MARK: Staging

    /// Takes all bytes of `source`, few into memory and many durably into a file without a name, with MD5 and `digests` computed
    /// on the way.
    /// Throws `tooLarge` above `sizeMax` bytes, `diskFull`, `system`, or what `source` throws; nothing is left then.
    /// `label` says in a file what it is written for. Content that is not to be inline lies in a file however small it is.
    public func stage(
        _ source: ByteSource, digests: DigestSet, sizeMax: UInt64, label: BlobLabel? = nil, mayBeInline: Bool = true
    ) async throws -> StagedBlob {
        let writer = try BlobWriter(
            blobs: blobs, pool: pool, digests: digests, sizeMax: sizeMax, label: label, mayBeInline: mayBeInline)
        do {
            while try await source.read({ try writer.append($0) }) { try await writer.relieve() }
            return try await writer.finish()
        } catch {
            writer.discard()
            throw error
        }
    }

    // MARK: Publishing

    /// Publishes `staged` as a new version, whose `size` and `content` are filled in from it. On success the blob belongs
    /// to the version; when the store refuses, `staged` keeps it and may be published again.
    public func publish(_ staged: StagedBlob, as new: NewVersion) async throws(MetadataError) -> ObjectVersion {
        var new = new
        new.size = staged.size
        new.content = staged.content
        new.blob = staged.new
        try name(staged)
        do throws(MetadataError) {
            let version = try await metadata.publish(new)
            handOver(staged)
            return version
        } catch {
            keepIfInDoubt(staged, after: error)
            throw error
        }
    }

    /// Calls `commit`, which publishes all of `staged` with the end of their job in one. They have places of their own: none is
    /// inline. When it throws, or the same end was noted before, they belong to no version and go.
    public func publish(
        _ staged: [StagedBlob], endingJob commit: () async throws(MetadataError) -> JobEnding
    ) async throws(MetadataError) -> JobEnding {
        for blob in staged { try name(blob) }
        do throws(MetadataError) {
            let ending = try await commit()
            if !ending.isRepeated { for blob in staged { blob.release() } }
            sweeper.wake()
            return ending
        } catch {
            for blob in staged { keepIfInDoubt(blob, after: error) }
            throw error
        }
    }

    /// Records `staged` as a part of an upload. `number` is 1...10000.
    public func putPart(
        _ staged: StagedBlob, number: Int, checksum: PartChecksum?, upload: UploadID, key: ObjectKey,
        bucket: BucketID, now: Timestamp
    ) async throws(MetadataError) -> UploadedPart {
        guard let md5 = staged.digests[.md5] else { throw .broken("a staged part without its MD5") }
        let part = UploadedPart(
            number: number, size: staged.size, md5: md5, checksum: checksum, modified: now, blob: staged.blob)
        try name(staged)
        do throws(MetadataError) {
            try await metadata.putPart(part, blob: staged.new, of: upload, key: key, in: bucket)
            handOver(staged)
            return part
        } catch {
            keepIfInDoubt(staged, after: error)
            throw error
        }
    }

    public func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        let result = try await metadata.delete(request)
        sweeper.wake()
        return result
    }

    /// As `MetadataStore.delete`.
    public func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>] {
        let results = await metadata.delete(requests)
        sweeper.wake()
        return results
    }

    public func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion {
        let version = try await metadata.completeUpload(request)
        sweeper.wake()
        return version
    }

    public func abortUpload(
        _ id: UploadID, of key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        try await metadata.abortUpload(id, of: key, in: bucket)
        sweeper.wake()
    }

    private func name(_ staged: StagedBlob) throws(MetadataError) {
        guard staged.isFile else { return }
        do {
            try pool.blocking { () throws(BucketsError) in try staged.name() }
        } catch {
            throw error == .diskFull ? .diskFull : .unavailable("a blob cannot be named: \(error)")
        }
    }

    private func handOver(_ staged: StagedBlob) {
        staged.release()
        sweeper.wake()
    }

    /// A store that failed may have committed all the same. A file stays then: an orphan is found by `ogw check`, bytes
    /// that an acknowledged row names are not to be had again. Bytes in memory went with the commit, or not.
    private func keepIfInDoubt(_ staged: StagedBlob, after error: MetadataError) {
        switch error {
        case .unavailable, .broken:
            if staged.isFile { inDoubt.add(1, ordering: .relaxed) }
            staged.release()
        default: break
        }
    }

    /// Files since the opening whose publication the store neither confirmed nor refused, for metrics.
    public var inDoubtCount: UInt64 { inDoubt.load(ordering: .relaxed) }

    // MARK: Reading

    /// Opens the bytes of a version, in order: those of `range`, or all. Bytes in several blobs are pinned and their files
    /// opened as they are taken. Throws `gone` when the version was replaced or deleted, or its bytes were moved, since its row
    /// was read (look it up again), `invalidRange`, `damaged`, `overloaded`, or a `MetadataError`.
    public func open(
        _ version: ObjectVersion, in bucket: BucketID, range: Range<UInt64>?
    ) async throws -> OpenedBytes {
        let extents = try BlobExtent.extents(of: version, range: range)
        guard let first = extents.first else { return .none }
        if extents.count == 1, version.blob?.location == .metadata || !blobs.mustProve(first) {
            return try await opener.open(first, known: version.blob)
        }
        return try await opener.open(extents, of: version, in: bucket) { [sweeper] in sweeper.wake() }
    }

    /// Throws `damaged` where the row of a version says another size than its blobs have, as far as that is known without reading.
    public func check(_ version: ObjectVersion) throws(BucketsError) {
        _ = try BlobExtent.extents(of: version, range: 0..<0)
        guard let blob = version.blob, blob.size != version.size else { return }
        throw .damaged("blob \(blob.id.value) has \(blob.size) bytes instead of \(version.size)")
    }

    /// What is known of the one blob of a version.
    func stored(_ blob: BlobID, of version: ObjectVersion) async throws -> StoredBlob {
        try await opener.stored(blob, known: version.blob)
    }

    /// Whether parts of uploads may lie where their commit is: a store without a log keeps no parts, which are large but for the last.
    public var partsMayBeInline: Bool { opener.segments != nil }
}
