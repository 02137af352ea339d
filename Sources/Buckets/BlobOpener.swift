import Digests
import Files
import Metadata
import RedoLog
import Threads

/// Finds the bytes of blobs, wherever they lie.
struct BlobOpener: Sendable {
    let metadata: any MetadataStore
    let blobs: any BlobStore
    /// Nil where no blob lies in a log.
    let segments: SegmentFiles?
    let pool: Pool

    /// The bytes of one extent. `known` is what the version's row said of its blob. Throws `gone` where the blob is not there
    /// any more, or not where it was.
    func open(_ extent: BlobExtent, known: StoredBlob?, pin: PinTable.Pin? = nil) async throws -> OpenedBytes {
        let stored = try await place(of: extent, known: known)
        guard let bytes = try await bytes(of: stored) else {
            return try await blobs.open(extent, stored, pin: pin, opener: self)
        }
        if extent.length == extent.blobSize { return .memory(bytes) }
        let start = Int(extent.offset)
        return .memory([UInt8](bytes[start..<start + Int(extent.length)]))
    }

    /// Pins and opens extents of a version. Throws `gone` where the version is another by now.
    func open(
        _ extents: [BlobExtent], of version: ObjectVersion, in bucket: BucketID,
        whenAwaited: @escaping @Sendable () -> Void
    ) async throws -> OpenedBytes {
        let pin = try blobs.pins.pin(extents, whenAwaited: whenAwaited)
        // Only a row that names the blobs after they were pinned proves that none of them is being removed.
        let current = try await metadata.version(of: version.key, in: bucket, version: version.versionID)
        guard let current, current.content == version.content else {
            throw BucketsError.gone(extents.first?.blob ?? BlobID(0))
        }
        if extents.count == 1, let only = extents.first { return try await open(only, known: current.blob, pin: pin) }
        var payloads: [Int: SegmentPayload] = [:]
        for (index, extent) in extents.enumerated() where segments != nil && extent.mayLieInLog {
            let stored = try await place(of: extent, known: nil)
            payloads[index] = try pool.blocking { () throws(BucketsError) in try payload(stored) }
        }
        return try await blobs.open(extents, payloads: payloads, pin: pin, opener: self)
    }

    /// What is known of the one blob of a version. Throws `gone` where no row names it.
    func stored(_ blob: BlobID, known: StoredBlob?) async throws -> StoredBlob {
        if let known, known.id == blob { return known }
        guard let found = try await metadata.blob(blob) else { throw BucketsError.gone(blob) }
        return found
    }

    private func place(of extent: BlobExtent, known: StoredBlob?) async throws -> StoredBlob {
        let stored = try await stored(extent.blob, known: known)
        guard stored.size == extent.blobSize else {
            throw BucketsError.damaged(
                "blob \(stored.id.value) has \(stored.size) bytes instead of \(extent.blobSize)")
        }
        return stored
    }

    /// All bytes of a blob in the log or in the metadata store, checked; nil for one in a file. Throws `gone` where it is not there any more.
    func bytes(of stored: StoredBlob) async throws -> [UInt8]? {
        switch stored.location {
        case .file: return nil
        case .segment:
            return try pool.blocking { () throws(BucketsError) in
                try payload(stored)?.read(reporting: blobs.damage)
            }
        case .metadata:
            return try await check(stored) { blobs.damage.error(stored.id, $0) }
        }
    }

    /// The bytes of a blob in the metadata store, compared with what was written.
    func check(_ stored: StoredBlob, damage: (String) -> BucketsError) async throws -> [UInt8] {
        guard let bytes = try await metadata.bytes(of: stored.id) else { throw BucketsError.gone(stored.id) }
        guard UInt64(bytes.count) == stored.size, CRC32C.of(bytes) == stored.crc32c else {
            throw damage("its bytes in the metadata store do not match their check value")
        }
        return bytes
    }

    /// Nil for a blob that does not lie in the log.
    func payload(_ stored: StoredBlob) throws(BucketsError) -> SegmentPayload? {
        guard let segments else {
            guard case .segment = stored.location else { return nil }
            throw .damaged("blob \(stored.id.value) is said to lie in a log that is not there")
        }
        return try SegmentPayload.open(stored, in: segments)
    }

    /// The bytes of an extent in the log, checked.
    func slice(of extent: BlobExtent, in payload: SegmentPayload) throws(BucketsError) -> BlobSlice {
        try pool.blocking { () throws(BucketsError) in
            _ = try payload.read(reporting: blobs.damage)
            return BlobSlice(file: payload.file, offset: payload.offset + extent.offset, length: extent.length)
        }
    }
}

extension BlobExtent {
    /// Larger blobs have files, whoever wrote them.
    var mayLieInLog: Bool { blobSize <= UInt64(BlobsConfiguration.inlineBytesLimit) }

    func slice(of file: any DiskFile) -> BlobSlice {
        BlobSlice(file: file, offset: offset, length: length)
    }
}
