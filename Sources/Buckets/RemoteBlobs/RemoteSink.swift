import Bytes
import Digests
import Metadata
import Threads

/// Collects the content of one blob in memory and sends it to the engine: as a whole where it is small, else part by part
/// while more comes in. A part stays in memory until the engine has it, so that it can be sent again.
final class RemoteSink: BlobSink {
    private let blobs: RemoteBlobs
    private let label: BlobLabel?
    private var buffer: [UInt8] = []
    private var share: UploadMemory.Share?
    private var checks = BlockChecks()
    /// Bytes of content taken so far.
    private var size: UInt64 = 0
    private var upload: RemoteUpload?
    /// The key that was written to without an upload in parts.
    private var written: BlobID?
    /// When the engine got the first of it: from then on it counts as an orphan some time.
    private var sentSince: ContinuousClock.Instant?

    init(blobs: RemoteBlobs, label: BlobLabel?) { (self.blobs, self.label) = (blobs, label) }

    private var partBytes: Int { max(5 << 20, blobs.remote.partBytes) }
    /// What may come before room is asked for again.
    private static let slackBytes = 256 << 10

    func append(_ bytes: Span<UInt8>) throws(BucketsError) {
        checks.update(bytes)
        // SAFETY: the buffer is used within the closure only.
        unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
        size += UInt64(bytes.count)
    }

    func relieve() async throws(BucketsError) {
        while buffer.count >= partBytes {
            try await makeRoom()
            let rest = [UInt8](buffer[partBytes...])
            buffer.removeLast(rest.count)
            try await sendPart()
            buffer = rest
        }
        try await makeRoom()
    }

    /// Holds as much memory as the buffer takes, and as comes next.
    private func makeRoom() async throws(BucketsError) {
        let isLarge = buffer.count + Self.slackBytes > UploadMemory.smallBytes
        let wanted = isLarge ? partBytes : UploadMemory.smallBytes
        if let share, share.bytes >= wanted { return }
        share = try await blobs.uploadMemory.take(wanted)
        // At once what a part and a trailer need, since an array that grows doubles.
        if isLarge { buffer.reserveCapacity(partBytes + 2 * Self.slackBytes) }
    }

    /// Sends what the buffer holds as the next part.
    private func sendPart() async throws(BucketsError) {
        sentSince = sentSince ?? .now
        let upload: RemoteUpload
        if let begun = self.upload {
            upload = begun
        } else {
            upload = try await RemoteUpload.begin(in: blobs)
            self.upload = upload
        }
        let part = buffer
        buffer = []
        let held = share
        share = nil
        try await upload.send(part, holding: held)
    }

    func finish(digests: DigestValues) async throws(BucketsError) -> StagedBlob {
        try await makeRoom()
        checks.finish()
        let id: BlobID
        if let upload { id = upload.blob } else { id = try await blobs.newID(needsDirectory: true) }
        let record = BlobRecord(blob: id, size: size, storeID: blobs.storeID, moment: .now(), label: label)
        let trailer = BlobTrailer(size: size, table: checks.table, record: record.bytes)
        buffer += trailer.bytes
        let new = NewBlob(id: id, size: size, crc32c: trailer.tableCRC, bytes: nil)
        if let upload {
            let length = size + UInt64(trailer.bytes.count)
            try await sendPart()
            try await upload.complete(length: length)
            self.upload = nil
        } else {
            written = id
            sentSince = .now
            do { try await blobs.client.put(blobs.key(of: id), buffer) } catch { throw BucketsError(error) }
            written = nil
        }
        buffer = []
        share = nil
        return StagedBlob(
            new, pool: blobs.pool, .uploaded(blobs, since: sentSince ?? .now), digests: digests)
    }

    func discard() {
        buffer = []
        share = nil
        upload?.discard()
        // Whether an answer was lost on its way is not known: the object may be there.
        if let written { blobs.removeLater(written) }
        (upload, written) = (nil, nil)
    }
}
