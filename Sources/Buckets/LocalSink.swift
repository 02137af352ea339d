import Bytes
import Digests
import Files
import Metadata
import Threads

/// Writes the content of one blob into an unnamed file.
final class LocalSink: BlobSink {
    private let blobs: LocalBlobs
    private let pool: Pool
    private let label: BlobLabel?
    private var file: (any DiskFile)?
    private var checks = BlockChecks()
    /// Bytes written so far.
    private var size: UInt64 = 0
    /// Up to here writeback was begun, and up to here it is done. `writebackDone <= writebackBegun <= size`.
    private var writebackBegun: UInt64 = 0
    private var writebackDone: UInt64 = 0

    /// `label` is kept in the file's trailer.
    init(blobs: LocalBlobs, label: BlobLabel?, pool: Pool) {
        (self.blobs, self.label, self.pool) = (blobs, label, pool)
    }

    func append(_ bytes: Span<UInt8>) throws(BucketsError) {
        let file = try openedFile()
        checks.update(bytes)
        do { try file.write(bytes, at: size) } catch { throw BucketsError(error) }
        size += UInt64(bytes.count)
    }

    /// Keeps dirty memory bounded by waiting for the disk where it is behind.
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

    /// The content is durable then, without a name.
    func finish(digests: DigestValues) throws(BucketsError) -> StagedBlob {
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
        return StagedBlob(blob, pool: pool, .unnamed(file, blobs), digests: digests)
    }

    /// The file vanishes, which takes time when it is large.
    func discard() {
        if file != nil { pool.blocking { file = nil } }
    }

    /// The file, made on first use.
    private func openedFile() throws(BucketsError) -> any DiskFile {
        if let file { return file }
        let file = try pool.blocking { () throws(BucketsError) in try blobs.create() }
        self.file = file
        return file
    }
}
