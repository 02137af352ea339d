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
        return try pool.blocking { () throws(BucketsError) -> OpenedBytes in
            guard let payload = try SegmentPayload.open(stored, in: segments) else {
                return .one(try blobs.open(extent))
            }
            let bytes = try payload.read()
            if extent.length == extent.blobSize { return .memory(bytes) }
            let start = Int(extent.offset)
            return .memory([UInt8](bytes[start..<start + Int(extent.length)]))
        }
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
            payloads[index] = try pool.blocking { () throws(BucketsError) in
                try SegmentPayload.open(stored, in: segments)
            }
        }
        return try BlobSequence(extents, payloads: payloads, pin: pin, opener: self)
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
}

extension BlobExtent {
    /// Larger blobs have files, whoever wrote them.
    fileprivate var mayLieInLog: Bool { blobSize <= UInt64(BlobsConfiguration.inlineBytesLimit) }
}
