import Digests
import Files
import Metadata

/// The open file of a blob, with what proves its content.
struct BlobFile: Sendable {
    /// What the row says of the check value of the file's table.
    enum Proof: Sendable, Equatable {
        case table(UInt32)
        /// The file was written by the first format: its size is all that can be checked.
        case none
        /// The row is gone, and the blob is pinned: what the file says of itself counts.
        case unknown
    }

    let blob: BlobID
    let file: any DiskFile
    /// Of the content, in bytes.
    let size: UInt64
    /// The check values of the blocks that are not to be sent unchecked; nil where none need be, or can be.
    let table: [UInt32]?
    /// What the file says of itself.
    let record: [UInt8]

    /// A file of which nothing must be checked any more.
    init(verified blob: BlobID, file: any DiskFile, size: UInt64) {
        (self.blob, self.file, self.size) = (blob, file, size)
        (table, record) = (nil, [])
    }

    /// Reads the trailer. Throws what `damage` makes of a reason.
    init(
        _ blob: BlobID, file: any DiskFile, size: UInt64, proof: Proof, damage: (String) -> BucketsError
    ) throws(BucketsError) {
        (self.blob, self.file, self.size) = (blob, file, size)
        guard let lengthMax = BlobTrailer.lengthMax(size: size) else { throw damage("no file has \(size) bytes") }
        let tail: [UInt8]
        let end: UInt64
        do throws(SystemError) {
            end = try file.size()
            tail = end > size ? try file.read(at: size, count: lengthMax) : []
        } catch {
            throw BucketsError(error)
        }
        let trailer = BlobTrailer(tail.span, size: size)
        switch proof {
        case .table(let crc32c):
            guard let trailer else { throw damage("the file of \(end) bytes has no whole trailer") }
            guard trailer.tableCRC == crc32c else { throw damage("the file is another one than its row names") }
        case .none, .unknown:
            guard trailer != nil || end == size else {
                throw damage("the file has \(end) bytes instead of \(size)")
            }
        }
        table = trailer?.table
        record = trailer?.record ?? []
    }

    /// Reads the blocks in which the range lies and checks them. Does nothing where there is no table. `pace` is called with
    /// the count of bytes read.
    func verify(
        _ range: Range<UInt64>, damage: (String) -> BucketsError, pace: (Int) -> Void = { _ in }
    ) throws(BucketsError) {
        guard let table, !range.isEmpty else { return }
        let block = UInt64(BlobTrailer.blockLength)
        var index = Int(range.lowerBound / block)
        let last = Int((range.upperBound - 1) / block)
        while index <= last {
            let count = min(Self.blocksPerRead, last - index + 1)
            let offset = UInt64(index) * block
            let length = Int(min(size - offset, UInt64(count) * block))
            let bytes: [UInt8]
            do { bytes = try file.read(at: offset, count: length) } catch {
                if error.isInputOutput { throw damage("bytes from \(offset) on cannot be read: \(error)") }
                throw BucketsError(error)
            }
            guard bytes.count == length else { throw damage("the file ends at \(offset + UInt64(bytes.count))") }
            for place in 0..<count {
                let start = place * BlobTrailer.blockLength
                var crc = CRC32C()
                crc.update(bytes.span.extracting(start..<min(length, start + BlobTrailer.blockLength)))
                guard crc.value == table[index + place] else {
                    throw damage("the block at \(offset + UInt64(start)) does not match its check value")
                }
            }
            pace(length)
            index += count
        }
    }

    private static let blocksPerRead = 4
}

extension LocalBlobs {
    /// Opens the file of a blob whose content has `size` bytes. Throws `gone` where it was removed, and `damaged`.
    func open(_ blob: BlobID, size: UInt64, proof: BlobFile.Proof) throws(BucketsError) -> BlobFile {
        let file = try open(blob)
        if verified.contains(blob) { return BlobFile(verified: blob, file: file, size: size) }
        return try BlobFile(blob, file: file, size: size, proof: proof) { damage.error(blob, $0) }
    }

    func verify(_ file: BlobFile, _ range: Range<UInt64>) throws(BucketsError) {
        try file.verify(range) { damage.error(file.blob, $0) }
    }
}

extension StoredBlob {
    var proof: BlobFile.Proof { crc32c.map { .table($0) } ?? .none }
}
