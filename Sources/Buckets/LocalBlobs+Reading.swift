import Files
import Metadata
import Threads

extension LocalBlobs {
    /// No other process has the folder.
    func mustProve(_ extent: BlobExtent) -> Bool { false }

    func open(
        _ extent: BlobExtent, _ stored: StoredBlob, pin: PinTable.Pin?, opener: BlobOpener
    ) async throws -> OpenedBytes {
        let (file, bytes) = try opener.pool.blocking { () throws(BucketsError) in try openFile(of: extent, stored) }
        if let bytes { return bytes }
        return .several(try await BlobSequence.open([extent], in: self, file: file, pin: pin, opener: opener))
    }

    func open(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], pin: PinTable.Pin, opener: BlobOpener
    ) async throws -> OpenedBytes {
        .several(try await BlobSequence.open(extents, in: self, payloads: payloads, pin: pin, opener: opener))
    }

    /// The bytes too where no more than one window of them had to be checked.
    private func openFile(
        of extent: BlobExtent, _ stored: StoredBlob
    ) throws(BucketsError) -> (BlobFile, OpenedBytes?) {
        let file = try open(extent.blob, size: extent.blobSize, proof: stored.proof)
        guard file.table != nil else { return (file, .one(extent.slice(of: file.file))) }
        guard extent.length <= windowBytes else { return (file, nil) }
        try verify(file, extent.offset..<extent.offset + extent.length)
        if extent.length == extent.blobSize { verified.insert(extent.blob) }
        return (file, .one(extent.slice(of: file.file)))
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
        try verify(file, slice.offset..<slice.offset + slice.length)
        return slice
    }

    /// A multiple of a block.
    private var windowBytes: UInt64 {
        let block = UInt64(BlobTrailer.blockLength)
        return max(1, configuration.verifyWindowBytes / block) * block
    }

    private static let checkedPiece: UInt64 = 1 << 20

    func check(
        _ stored: StoredBlob, pool: Pool, pace: @Sendable (Int) async -> Bool
    ) async throws -> BlobChecker.Outcome {
        let file = try pool.blocking { () throws(BucketsError) in
            let file = try open(stored.id)
            file.dropCache(at: 0, count: stored.size)
            return try BlobFile(
                stored.id, file: file, size: stored.size, proof: stored.proof, damage: BucketsError.damaged)
        }
        guard file.table != nil else { return await pace(0) ? .whole : .cut }
        var start: UInt64 = 0
        while start < stored.size {
            let end = min(stored.size, start + Self.checkedPiece)
            try pool.blocking { () throws(BucketsError) in
                try file.verify(start..<end, damage: BucketsError.damaged)
                file.file.dropCache(at: start, count: end - start)
            }
            guard await pace(Int(end - start)) else { return .cut }
            start = end
        }
        return .whole
    }
}
