import Bytes
import Digests
import HTTPClient
import Metadata

/// Reads one extent of a large blob from the engine. Nothing is passed on before the blocks in which it lies match their
/// check values; where the connection breaks, it goes on behind the last of them.
struct RemoteReader: Sendable {
    private let blobs: RemoteBlobs
    private let extent: BlobExtent
    /// Of all blocks of the blob.
    private let table: [UInt32]
    /// The next block begins here, and the last one that is needed ends there; bytes of the content.
    private var position: UInt64
    private let end: UInt64
    private var response: StreamResponse?
    /// Of the object that was begun with.
    private var etag: String?
    /// From `position` on, not checked yet.
    private var pending: [UInt8] = []
    private var failures = 0
    private var mismatches = 0
    private var hasBegun = false

    /// Blocks that are passed on together, in bytes.
    private static let runBytes: UInt64 = 256 << 10

    init(_ extent: BlobExtent, table: [UInt32], in blobs: RemoteBlobs) {
        (self.blobs, self.extent, self.table) = (blobs, extent, table)
        let block = UInt64(BlobTrailer.blockLength)
        position = extent.offset / block * block
        let last = extent.offset + extent.length
        end = min(extent.blobSize, (last + block - 1) / block * block)
    }

    /// The next bytes of the extent, at most 256 KiB; nil at its end. Throws `gone` before the first bytes where the object is
    /// not there, `unavailable`, and `damaged`.
    mutating func next() async throws(BucketsError) -> [UInt8]? {
        guard position < end else { return nil }
        let count = Int(min(end, (position / Self.runBytes + 1) * Self.runBytes) - position)
        while true {
            try await fill(count)
            if matches(count) { break }
            // Once more, since a connection may spoil bytes too.
            mismatches += 1
            guard mismatches < 2 else {
                throw blobs.damage.error(extent.blob, "a block from \(position) on does not match its check value")
            }
            (response, pending) = (nil, [])
        }
        let from = position
        position += UInt64(count)
        (failures, mismatches, hasBegun) = (0, 0, true)
        if position == end { response = nil }
        let first = Int(max(extent.offset, from) - from)
        let last = Int(min(extent.offset + extent.length, position) - from)
        if first == 0, last == pending.count {
            defer { pending = [] }
            return pending
        }
        let run = [UInt8](pending[first..<last])
        pending.removeFirst(count)
        return run
    }

    private mutating func fill(_ count: Int) async throws(BucketsError) {
        while pending.count < count {
            do throws(EngineError) {
                let stream = try await opened()
                let piece: [UInt8]?
                do { piece = try await stream.next() } catch { throw .transport(error) }
                guard let piece else { throw .transport(.failed(code: 18, "the body ended early")) }
                pending += piece
            } catch {
                response = nil
                if error.isNoSuchKey {
                    if !hasBegun { throw .gone(extent.blob) }
                    throw blobs.damage.error(extent.blob, "it is missing though a version names it")
                }
                if case .refused(412, _) = error {
                    throw blobs.damage.error(extent.blob, "its object was replaced while it was read")
                }
                if case .refused(416, _) = error {
                    throw blobs.damage.error(extent.blob, "its object ends before \(end)")
                }
                failures += 1
                do { try await blobs.client.pause(after: error, attempt: failures) } catch { throw BucketsError(error) }
            }
        }
    }

    private mutating func opened() async throws(EngineError) -> StreamResponse {
        if let response { return response }
        let start = position + UInt64(pending.count)
        let opened = try await blobs.client.get(blobs.key(of: extent.blob), from: start, to: end, etag: etag)
        // An engine that passes over the range would send other bytes than were asked for.
        let range = opened.header("content-range") ?? ""
        guard opened.status == 206, range.hasPrefix("bytes \(start)-") else {
            throw .malformed("\(opened.status) for a range")
        }
        etag = etag ?? opened.header("etag")
        response = opened
        return opened
    }

    private func matches(_ count: Int) -> Bool {
        var index = Int(position / UInt64(BlobTrailer.blockLength))
        var start = 0
        while start < count {
            let stop = min(count, start + BlobTrailer.blockLength)
            var crc = CRC32C()
            crc.update(pending.span.extracting(start..<stop))
            guard index < table.count, crc.value == table[index] else { return false }
            (start, index) = (stop, index + 1)
        }
        return true
    }
}
