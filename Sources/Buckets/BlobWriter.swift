import Digests
import Files
import Threads

/// Takes one stream of bytes into an unnamed file and computes its digests on the way: each byte is passed once.
/// Owned by one task.
final class BlobWriter {
    private let blobs: LocalBlobs
    private let pool: Pool
    private let digests: DigestStream
    private let sizeMax: UInt64
    /// Bytes taken so far.
    private(set) var size: UInt64 = 0
    /// The content while it is small enough not to have a file.
    private var collected: [UInt8] = []
    private var file: OpenFile?
    /// Up to here writeback was begun, and up to here it is done. `writebackDone <= writebackBegun <= size`.
    private var writebackBegun: UInt64 = 0
    private var writebackDone: UInt64 = 0

    init(blobs: LocalBlobs, pool: Pool, digests: DigestSet, sizeMax: UInt64) throws(BucketsError) {
        self.blobs = blobs
        self.pool = pool
        self.digests = DigestStream(digests.union(.md5))
        self.sizeMax = sizeMax
        try blobs.checkSpace()
    }

    func append(_ bytes: Span<UInt8>) throws(BucketsError) {
        let (total, overflow) = size.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, total <= sizeMax else { throw .tooLarge(sizeMax: sizeMax) }
        digests.update(bytes)
        if file == nil, total <= UInt64(max(0, blobs.configuration.collectedBytesMax)) {
            // SAFETY: the buffer is used within the closure only.
            unsafe bytes.withUnsafeBufferPointer { unsafe collected.append(contentsOf: $0) }
        } else {
            let file = try openedFile()
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

    /// Ends the stream and makes the content durable. It has no name yet.
    func finish() throws(BucketsError) -> StagedBlob {
        let values = digests.finish()
        if size == 0 { return StagedBlob(empty: values) }
        let (file, id) = try pool.blocking { () throws(BucketsError) in
            let file = try openedFile()
            try blobs.sync(file)
            return (file, try blobs.newID())
        }
        self.file = nil
        return StagedBlob(blobs: blobs, pool: pool, id: id, file: file, size: size, digests: values)
    }

    /// Lets go of everything. The file vanishes, which takes time when it is large.
    func discard() {
        collected = []
        pool.blocking { file = nil }
    }

    /// The file, made on first use and given what was collected.
    private func openedFile() throws(BucketsError) -> OpenFile {
        if let file { return file }
        let file = try pool.blocking { () throws(BucketsError) in try blobs.create() }
        self.file = file
        let head = collected
        collected = []
        do { try file.write(head.span, at: 0) } catch { throw BucketsError(error) }
        return file
    }
}
