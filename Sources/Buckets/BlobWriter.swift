import Bytes
import Digests
import Files
import Metadata
import Threads

/// Takes one stream of bytes, into memory while they are few and then into an unnamed file, and computes its digests on the
/// way: each byte is passed once. Owned by one task.
final class BlobWriter {
    private let blobs: LocalBlobs
    private let pool: Pool
    private let digests: DigestStream
    private let sizeMax: UInt64
    /// Bytes taken so far.
    private(set) var size: UInt64 = 0
    /// The content while it has no file. It grows as bytes come, whatever length was announced.
    private var collected: [UInt8] = []
    private var share: MemoryBudget.Share?
    private var file: (any DiskFile)?
    /// Of what was written into the file.
    private var checks = BlockChecks()
    private let label: BlobLabel?
    /// Up to here writeback was begun, and up to here it is done. `writebackDone <= writebackBegun <= size`.
    private var writebackBegun: UInt64 = 0
    private var writebackDone: UInt64 = 0

    /// `label` is kept in a file's trailer.
    init(
        blobs: LocalBlobs, pool: Pool, digests: DigestSet, sizeMax: UInt64, label: BlobLabel? = nil
    ) throws(BucketsError) {
        self.blobs = blobs
        self.pool = pool
        self.digests = DigestStream(digests.union(.md5))
        self.sizeMax = sizeMax
        self.label = label
        share = MemoryBudget.Share(of: blobs.memory)
        try blobs.checkSpace()
    }

    func append(_ bytes: Span<UInt8>) throws(BucketsError) {
        let (total, overflow) = size.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, total <= sizeMax else { throw .tooLarge(sizeMax: sizeMax) }
        digests.update(bytes)
        if file == nil, total <= blobs.collectedBytesMax, share?.grow(by: bytes.count) == true {
            // SAFETY: the buffer is used within the closure only.
            unsafe bytes.withUnsafeBufferPointer { unsafe collected.append(contentsOf: $0) }
        } else {
            let file = try openedFile()
            checks.update(bytes)
            do { try file.write(bytes, at: size) } catch { throw BucketsError(error) }
        }
        size = total
    }

    /// Between two pieces: keeps dirty memory bounded by waiting for the disk where it is behind.
    func relieve() throws(BucketsError) {
        let window = max(1 << 20, blobs.configuration.writebackWindowBytes)
        guard let file, size - writebackBegun >= window else { return }
        try blobs.checkSpace()
        let (done, begun, end) = (writebackDone, writebackBegun, size)
        try pool.blocking { () throws(BucketsError) in
            do throws(SystemError) {
                try file.beginWriteback(at: begun, count: end - begun)
                if begun > done { try file.finishWriteback(at: done, count: begun - done) }
            } catch {
                throw blobs.fatalUnlessFull(error)
            }
            if done >= blobs.configuration.cachedBytesMax { file.dropCache(at: done, count: begun - done) }
        }
        (writebackDone, writebackBegun) = (begun, end)
    }

    /// Ends the stream. What is in memory becomes durable with its commit; a file's content is durable now, without a name.
    func finish() throws(BucketsError) -> StagedBlob {
        let values = digests.finish()
        if size == 0 { return StagedBlob(empty: values) }
        if file == nil, collected.count <= blobs.inlineBytesMax {
            let bytes = collected
            collected = []
            defer { share = nil }
            return StagedBlob(inline: bytes, as: try blobs.newID(needsDirectory: false), share: share, digests: values)
        }
        let (file, blob) = try pool.blocking { () throws(BucketsError) in
            let file = try openedFile()
            let id = try blobs.newID(needsDirectory: true)
            checks.finish()
            let record = BlobRecord(blob: id, size: size, storeID: blobs.storeID, moment: .now(), label: label)
            let trailer = BlobTrailer(size: size, table: checks.table, record: record.bytes)
            do throws(SystemError) { try file.write(trailer.bytes.span, at: size) } catch { throw BucketsError(error) }
            try blobs.sync(file)
            return (file, NewBlob(id: id, size: size, crc32c: trailer.tableCRC, bytes: nil))
        }
        self.file = nil
        return StagedBlob(blob, blobs: blobs, pool: pool, unnamed: file, digests: values)
    }

    /// Lets go of everything. The file vanishes, which takes time when it is large.
    func discard() {
        collected = []
        share = nil
        if file != nil { pool.blocking { file = nil } }
    }

    /// The file, made on first use and given what was collected.
    private func openedFile() throws(BucketsError) -> any DiskFile {
        if let file { return file }
        let file = try pool.blocking { () throws(BucketsError) in try blobs.create() }
        self.file = file
        let head = collected
        collected = []
        share = nil
        checks.update(head.span)
        do { try file.write(head.span, at: 0) } catch { throw BucketsError(error) }
        return file
    }
}
