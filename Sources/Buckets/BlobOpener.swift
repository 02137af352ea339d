import Files
import Metadata
import RedoLog
import Threads

/// Finds the bytes of blobs, wherever they lie.
struct BlobOpener: Sendable {
    let metadata: any MetadataStore
    let blobs: LocalBlobs
    let segments: SegmentFiles
    let pool: Pool

    /// The bytes of one extent. `known` is what the version's row said of its blob. Throws `gone` where the blob is not there
    /// any more, or not where it was.
    func open(_ extent: BlobExtent, known: StoredBlob?) async throws -> OpenedBytes {
        let stored = try await place(of: extent, known: known)
        let (file, bytes): (BlobFile?, OpenedBytes?) = try pool.blocking { () throws(BucketsError) in
            guard let payload = try payload(stored) else { return try openFile(of: extent, stored) }
            let bytes = try payload.read(reporting: blobs.damage)
            if extent.length == extent.blobSize { return (nil, .memory(bytes)) }
            let start = Int(extent.offset)
            return (nil, .memory([UInt8](bytes[start..<start + Int(extent.length)])))
        }
        if let bytes { return bytes }
        return .several(try await BlobSequence.open([extent], file: file, pin: nil, opener: self))
    }

    /// The bytes too where no more than one window of them had to be checked.
    private func openFile(
        of extent: BlobExtent, _ stored: StoredBlob
    ) throws(BucketsError) -> (BlobFile?, OpenedBytes?) {
        let file = try blobs.open(extent.blob, size: extent.blobSize, proof: stored.proof)
        guard file.table != nil else { return (file, .one(extent.slice(of: file.file))) }
        guard extent.length <= windowBytes else { return (file, nil) }
        try blobs.verify(file, extent.offset..<extent.offset + extent.length)
        if extent.length == extent.blobSize { blobs.verified.insert(extent.blob) }
        return (file, .one(extent.slice(of: file.file)))
    }

    /// Pins and opens several extents of a version. Throws `gone` where the version is another by now.
    func open(
        _ extents: [BlobExtent], of version: ObjectVersion, in bucket: BucketID,
        whenAwaited: @escaping @Sendable () -> Void
    ) async throws -> BlobSequence {
        let pin = try blobs.pins.pin(extents, whenAwaited: whenAwaited)
        // Only a row that names the blobs after they were pinned proves that none of them is being removed.
        let current = try await metadata.version(of: version.key, in: bucket, version: version.versionID)
        guard let current, current.content == version.content else {
            throw BucketsError.gone(extents.first?.blob ?? BlobID(0))
        }
        var payloads: [Int: SegmentPayload] = [:]
        for (index, extent) in extents.enumerated() where extent.mayLieInLog {
            let stored = try await place(of: extent, known: nil)
            payloads[index] = try pool.blocking { () throws(BucketsError) in try payload(stored) }
        }
        return try await BlobSequence.open(extents, payloads: payloads, pin: pin, opener: self)
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

    /// Nil for a blob in a file.
    func payload(_ stored: StoredBlob) throws(BucketsError) -> SegmentPayload? {
        try SegmentPayload.open(stored, in: segments)
    }

    /// The bytes of an extent in the log, checked.
    func slice(of extent: BlobExtent, in payload: SegmentPayload) throws(BucketsError) -> BlobSlice {
        try pool.blocking { () throws(BucketsError) in
            _ = try payload.read(reporting: blobs.damage)
            return BlobSlice(file: payload.file, offset: payload.offset + extent.offset, length: extent.length)
        }
    }

    /// The bytes of an extent from `done` on, as many as are checked at once. Blocks for the disk.
    func window(of extent: BlobExtent, in file: BlobFile, from done: UInt64) throws(BucketsError) -> BlobSlice {
        var slice = extent.slice(of: file.file)
        slice.offset += done
        slice.length -= done
        guard file.table != nil else { return slice }
        // Up to the end of a block, so that none is read twice.
        let end = (slice.offset / windowBytes + 1) * windowBytes
        slice.length = min(slice.length, end - slice.offset)
        try blobs.verify(file, slice.offset..<slice.offset + slice.length)
        return slice
    }

    /// A multiple of a block.
    private var windowBytes: UInt64 {
        let block = UInt64(BlobTrailer.blockLength)
        return max(1, blobs.configuration.verifyWindowBytes / block) * block
    }
}

extension BlobExtent {
    /// Larger blobs have files, whoever wrote them.
    fileprivate var mayLieInLog: Bool { blobSize <= UInt64(BlobsConfiguration.inlineBytesLimit) }

    fileprivate func slice(of file: any DiskFile) -> BlobSlice {
        BlobSlice(file: file, offset: offset, length: length)
    }
}
