import Digests
import HTTPClient
import Metadata
import Threads

extension RemoteBlobs {
    /// One extent, begun.
    enum Reading: Sendable {
        /// All of it, checked.
        case bytes([UInt8])
        case reader(RemoteReader)
    }

    /// A blob that is read as a whole is there or is not.
    func mustProve(_ extent: BlobExtent) -> Bool {
        guard case .ranges = ids else { return false }
        return extent.blobSize > UInt64(max(0, remote.wholeBytesMax))
    }

    func open(
        _ extent: BlobExtent, _ stored: StoredBlob, pin: PinTable.Pin?, opener: BlobOpener
    ) async throws -> OpenedBytes {
        // The sweeper leaves it alone as long as it is being read; one that it has taken already is seen to be missing.
        let pin = try pin ?? pins.pin([extent]) {}
        switch try await begin(extent, proof: stored.proof) {
        case .bytes(let bytes): return .memory(bytes)
        case .reader(let reader):
            return .stream(
                try await BlobStream.open([extent], payloads: [:], begun: reader, pin: pin, in: self, opener: opener))
        }
    }

    func open(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], pin: PinTable.Pin, opener: BlobOpener
    ) async throws -> OpenedBytes {
        .stream(
            try await BlobStream.open(extents, payloads: payloads, begun: nil, pin: pin, in: self, opener: opener))
    }

    /// Throws `gone` where the object is not there.
    func begin(_ extent: BlobExtent, proof: BlobFile.Proof) async throws(BucketsError) -> Reading {
        if extent.blobSize <= UInt64(max(0, remote.wholeBytesMax)) {
            let bytes = try await whole(extent, proof: proof)
            if extent.length == extent.blobSize { return .bytes(bytes) }
            let start = Int(extent.offset)
            return .bytes([UInt8](bytes[start..<start + Int(extent.length)]))
        }
        let table = try await table(of: extent, proof: proof)
        return .reader(RemoteReader(extent, table: table, in: self))
    }

    /// All content of a small blob, by one request.
    private func whole(_ extent: BlobExtent, proof: BlobFile.Proof) async throws(BucketsError) -> [UInt8] {
        let reason = try await twice(extent) { (object) throws(BucketsError) -> Result<[UInt8], Wrong> in
            guard UInt64(object.count) >= extent.blobSize else {
                return .failure(Wrong("its object has \(object.count) bytes"))
            }
            let size = Int(extent.blobSize)
            let tail = object.span.extracting(size..<object.count)
            let trailer: BlobTrailer
            switch Self.trailer(tail, of: extent, proof: proof) {
            case .success(let found): trailer = found
            case .failure(let wrong): return .failure(wrong)
            }
            for (index, value) in trailer.table.enumerated() {
                let start = index * BlobTrailer.blockLength
                var crc = CRC32C()
                crc.update(object.span.extracting(start..<min(size, start + BlobTrailer.blockLength)))
                guard crc.value == value else {
                    return .failure(Wrong("the block at \(start) does not match its check value"))
                }
            }
            return .success([UInt8](object.prefix(size)))
        }
        return reason
    }

    /// The check values of all blocks of a large blob.
    private func table(of extent: BlobExtent, proof: BlobFile.Proof) async throws(BucketsError) -> [UInt32] {
        if let known = tables.table(of: extent.blob) { return known }
        let table = try await twice(extent, from: extent.blobSize) { (tail) throws(BucketsError) in
            Self.trailer(tail.span, of: extent, proof: proof).map(\.table)
        }
        tables.insert(table, of: extent.blob)
        return table
    }

    /// What of an object is not as it should be.
    private struct Wrong: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private static func trailer(
        _ bytes: Span<UInt8>, of extent: BlobExtent, proof: BlobFile.Proof
    ) -> Result<BlobTrailer, Wrong> {
        guard let trailer = BlobTrailer(bytes, size: extent.blobSize) else {
            return .failure(Wrong("the object has no whole trailer"))
        }
        if case .table(let crc32c) = proof, trailer.tableCRC != crc32c {
            return .failure(Wrong("the object is another one than its row names"))
        }
        return .success(trailer)
    }

    /// Reads an object from `start` on, or all of it, and reads it again where what `judge` finds wrong may come from the
    /// way. Throws `gone` and `damaged`.
    private func twice<Value>(
        _ extent: BlobExtent, from start: UInt64? = nil,
        _ judge: ([UInt8]) throws(BucketsError) -> Result<Value, Wrong>
    ) async throws(BucketsError) -> Value {
        guard let trailerMax = BlobTrailer.lengthMax(size: extent.blobSize) else {
            throw damage.error(extent.blob, "no object has \(extent.blobSize) bytes")
        }
        let bytesMax = trailerMax + (start == nil ? Int(extent.blobSize) : 0)
        var reason = ""
        for _ in 0..<2 {
            switch try judge(try await object(extent.blob, from: start, bytesMax: bytesMax)) {
            case .success(let value): return value
            case .failure(let wrong): reason = wrong.reason
            }
        }
        throw damage.error(extent.blob, reason)
    }

    private func object(_ blob: BlobID, from start: UInt64?, bytesMax: Int) async throws(BucketsError) -> [UInt8] {
        var failures = 0
        while true {
            do throws(EngineError) {
                let response = try await client.get(key(of: blob), from: start)
                let range = response.header("content-range") ?? ""
                guard start.map({ response.status == 206 && range.hasPrefix("bytes \($0)-") }) ?? true else {
                    throw .malformed("\(response.status) for a range")
                }
                return try await EngineClient.rest(of: response, bytesMax: bytesMax)
            } catch {
                if error.isNoSuchKey { throw .gone(blob) }
                if case .refused(416, _) = error { throw damage.error(blob, "its object is too short") }
                if case .transport(.responseTooLarge) = error { throw damage.error(blob, "its object is too long") }
                failures += 1
                do { try await client.pause(after: error, attempt: failures) } catch { throw BucketsError(error) }
            }
        }
    }

    func check(
        _ stored: StoredBlob, pool: Pool, pace: @Sendable (Int) async -> Bool
    ) async throws -> BlobChecker.Outcome {
        let extent = BlobExtent(blob: stored.id, offset: 0, length: stored.size, blobSize: stored.size)
        tables.remove(stored.id)
        switch try await begin(extent, proof: stored.proof) {
        case .bytes(let bytes): return await pace(bytes.count) ? .whole : .cut
        case .reader(var reader):
            while let run = try await reader.next() {
                guard await pace(run.count) else { return .cut }
            }
            return .whole
        }
    }
}
