public import Bytes
public import Digests
import Files
public import Metadata
import Synchronization
public import Threads

/// The only writer of objects: bytes are staged, and published with their row.
public final class ObjectStore: Sendable {
    public let metadata: any MetadataStore
    public let blobs: LocalBlobs
    /// Woken by every write that may leave garbage. Runs after `start()`.
    public let sweeper: Sweeper
    public let pool: Pool
    private let inDoubt = Atomic<UInt64>(0)

    public init(metadata: any MetadataStore, blobs: LocalBlobs, pool: Pool) {
        (self.metadata, self.blobs, self.pool) = (metadata, blobs, pool)
        sweeper = Sweeper(metadata: metadata, blobs: blobs, pool: pool)
    }

    // MARK: Staging

    /// Takes all bytes of `source` and makes them durable under no name, with MD5 and `digests` computed on the way.
    /// Throws `tooLarge` above `sizeMax` bytes, `diskFull`, `system`, or what `source` throws; nothing is left then.
    public func stage(_ source: ByteSource, digests: DigestSet, sizeMax: UInt64) async throws -> StagedBlob {
        let writer = try BlobWriter(blobs: blobs, pool: pool, digests: digests, sizeMax: sizeMax)
        do {
            while try await source.read({ try writer.append($0) }) { try writer.relieve() }
            return try writer.finish()
        } catch {
            writer.discard()
            throw error
        }
    }

    /// Stages the content of a version, or a range of it, anew. With `allowLink` the whole of a blob is given a second name
    /// where the version has every digest that is asked for; else the bytes are copied, with `keepAlive` called between
    /// pieces of at most 256 KiB. Throws as `open` and `stage` do.
    public func stageCopy(
        of version: ObjectVersion, in bucket: BucketID, range: Range<UInt64>?, digests: DigestSet, allowLink: Bool,
        keepAlive: (@Sendable () async throws -> Void)? = nil
    ) async throws -> StagedBlob {
        if allowLink, range == nil || range == 0..<version.size, let linked = try link(version, digests: digests) {
            return linked
        }
        let bytes = try await open(version, in: bucket, range: range)
        let writer = try BlobWriter(blobs: blobs, pool: pool, digests: digests, sizeMax: .max)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        do {
            try await bytes.forEach { slice in
                var done: UInt64 = 0
                while done < slice.length {
                    let count = Int(min(slice.length - done, UInt64(buffer.count)))
                    let got = try pool.blocking { try slice.file.read(at: slice.offset + done, into: &buffer) }
                    guard got >= count else { throw BucketsError.damaged("a blob of \(version.key.text) is too short") }
                    try writer.append(buffer.span.extracting(first: count))
                    try writer.relieve()
                    done += UInt64(count)
                    try await keepAlive?()
                    // A long copy lets others have the thread.
                    await pool.yield()
                }
            }
            return try writer.finish()
        } catch {
            writer.discard()
            throw error
        }
    }

    /// Nil when the bytes have to be copied.
    private func link(_ version: ObjectVersion, digests: DigestSet) throws(BucketsError) -> StagedBlob? {
        guard case .blob(let source) = version.content else { return nil }
        var values = DigestValues()
        if version.etag.partCount == nil { values[.md5] = version.etag.md5 }
        if let checksum = version.checksum, checksum.kind == .fullObject {
            values[checksum.algorithm] = checksum.value
        }
        let asked = digests.union(.md5)
        for algorithm in DigestAlgorithm.allCases where asked.contains(DigestSet(algorithm)) {
            if values[algorithm] == nil { return nil }
        }
        try blobs.checkSpace()
        return try pool.blocking { () throws(BucketsError) -> StagedBlob? in
            guard let id = try blobs.link(existing: source) else { return nil }
            return StagedBlob(blobs: blobs, pool: pool, linked: id, size: version.size, digests: values)
        }
    }

    // MARK: Publishing

    /// Publishes `staged` as a new version, whose `size` and `content` are filled in from it. On success the blob belongs
    /// to the version; when the store refuses, `staged` keeps it and may be published again.
    public func publish(_ staged: StagedBlob, as new: NewVersion) async throws(MetadataError) -> ObjectVersion {
        var new = new
        new.size = staged.size
        new.content = staged.content
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
            try await metadata.putPart(part, blob: nil, of: upload, key: key, in: bucket)
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
        do {
            try pool.blocking { () throws(BucketsError) in try staged.name() }
        } catch {
            throw .unavailable("a blob cannot be named: \(error)")
        }
    }

    private func handOver(_ staged: StagedBlob) {
        staged.release()
        sweeper.wake()
    }

    /// A store that failed may have committed all the same. The file stays then: an orphan is found by `ogw check`, bytes
    /// that an acknowledged row names are not to be had again.
    private func keepIfInDoubt(_ staged: StagedBlob, after error: MetadataError) {
        switch error {
        case .unavailable, .broken:
            if staged.blob != nil { inDoubt.add(1, ordering: .relaxed) }
            staged.release()
        default: break
        }
    }

    /// Blobs since the opening whose publication the store neither confirmed nor refused, for metrics.
    public var inDoubtCount: UInt64 { inDoubt.load(ordering: .relaxed) }

    // MARK: Reading

    /// Opens the bytes of a version, in order: those of `range`, or all. Bytes in several blobs are pinned and their files
    /// opened as they are taken. Throws `gone` when the version was replaced or deleted since its row was read (look it up
    /// again), `invalidRange`, `damaged`, `overloaded`, or a `MetadataError`.
    public func open(
        _ version: ObjectVersion, in bucket: BucketID, range: Range<UInt64>?
    ) async throws -> OpenedBytes {
        let extents = try BlobExtent.extents(of: version, range: range)
        guard let first = extents.first else { return .none }
        if extents.count == 1 {
            return .one(try pool.blocking { () throws(BucketsError) in try blobs.open(first) })
        }
        let pin = try blobs.pins.pin(extents) { [sweeper] in sweeper.wake() }
        // Only a row that names the blobs after they were pinned proves that none of them is being removed.
        let current = try await metadata.version(of: version.key, in: bucket, version: version.versionID)
        guard let current, current.content == version.content else { throw BucketsError.gone(first.blob) }
        let slice = try pool.blocking { () throws(BucketsError) in try blobs.open(first) }
        return .several(BlobSequence(blobs: blobs, pool: pool, extents: extents, pin: pin, first: slice))
    }
}
