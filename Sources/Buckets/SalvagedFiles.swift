import Bytes
import Digests
public import Files
public import Metadata
import RedoLog
public import Threads

/// The blobs of a folder whose metadata is lost, as far as they tell of themselves. The folder is only read.
public struct SalvagedFiles: Sendable {
    private let folder: DataFolder
    private let segments: SegmentFiles
    private let pool: Pool
    /// The folder of each block of ids that has files.
    private let directories: [UInt64: String]

    public init(_ folder: DataFolder, pool: Pool) throws(BucketsError) {
        (self.folder, self.pool) = (folder, pool)
        segments = SegmentFiles(disk: folder.disk, directory: folder.segments, storeID: folder.id)
        var directories: [UInt64: String] = [:]
        do {
            for name in try folder.disk.names(in: folder.objects) {
                if let block = UInt64(name, radix: 16) { directories[block] = "\(folder.objects)/\(name)" }
            }
        } catch {
            throw BucketsError(error)
        }
        self.directories = directories
    }

    private static let blockBits: UInt64 = 12

    /// Ascending.
    public func ids() throws(BucketsError) -> [BlobID] {
        var found: [BlobID] = []
        for (block, directory) in directories {
            do {
                for name in try folder.disk.names(in: directory) {
                    guard name.utf8.count == 16, let id = UInt64(name, radix: 16), id >> Self.blockBits == block else {
                        continue
                    }
                    found.append(BlobID(id))
                }
            } catch {
                throw BucketsError(error)
            }
        }
        return found.sorted()
    }

    /// What a file says of itself; nil for one without a whole trailer.
    public func says(_ id: BlobID) throws(BucketsError) -> (size: UInt64, label: BlobLabel?)? {
        guard let file = try file(id) else { return nil }
        do {
            let end = try file.size()
            let footerLength = UInt64(BlobTrailer.footerLength)
            guard end >= footerLength else { return nil }
            let footer = try file.read(at: end - footerLength, count: BlobTrailer.footerLength)
            guard let size = footer.span.littleEndian(8, as: UInt64.self), size <= end else { return nil }
            let tail = try file.read(at: size, count: Int(clamping: end - size))
            guard let trailer = BlobTrailer(tail.span, size: size) else { return nil }
            // A file under another's name tells nothing of this blob but its content; a copy keeps its source's record.
            return (size, BlobRecord(trailer.record.span)?.label)
        } catch {
            throw BucketsError(error)
        }
    }

    private func file(_ id: BlobID) throws(BucketsError) -> (any DiskFile)? {
        guard let directory = directories[id.value >> Self.blockBits] else { return nil }
        let name = String(decoding: Hex.encode(id.value, width: 16), as: UTF8.self)
        do { return try folder.disk.open("\(directory)/\(name)", .read) } catch {
            if error.isNotFound { return nil }
            throw BucketsError(error)
        }
    }

    /// The bytes of blobs, one after another, each checked before it is lent. Reading throws `gone` for one that is not there, and
    /// `damaged`. `onEnd` is called with the MD5 of each blob.
    public func source(
        _ blobs: [StoredBlob], onEnd: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) -> ByteSource {
        let reading = Reading(blobs, files: self, onEnd: onEnd)
        return ByteSource { consume in try reading.next(consume) }
    }

    /// Where the reading of blobs stands.
    // @unchecked: a source is read by one task at a time.
    private final class Reading: @unchecked Sendable {
        private static let pieceLength: UInt64 = 1 << 20

        private let files: SalvagedFiles
        private let onEnd: @Sendable ([UInt8]) -> Void
        private var left: ArraySlice<StoredBlob>
        /// Of the first of them.
        private var file: BlobFile?
        private var offset: UInt64 = 0
        private var md5 = DigestStream(.md5)

        init(_ blobs: [StoredBlob], files: SalvagedFiles, onEnd: @escaping @Sendable ([UInt8]) -> Void) {
            (left, self.files, self.onEnd) = (blobs[...], files, onEnd)
        }

        func next(_ consume: ByteSource.Consumer) throws -> Bool {
            guard let blob = left.first else { return false }
            let bytes = try files.pool.blocking { () throws(BucketsError) in try piece(of: blob) }
            md5.update(bytes.span)
            offset += UInt64(bytes.count)
            if offset >= blob.size {
                onEnd(md5.finish()[.md5] ?? [])
                (left, file, offset, md5) = (left.dropFirst(), nil, 0, DigestStream(.md5))
            }
            try consume(bytes.span)
            return true
        }

        private func piece(of blob: StoredBlob) throws(BucketsError) -> [UInt8] {
            if let payload = try SegmentPayload.open(blob, in: files.segments) {
                return try payload.read(damage: BucketsError.damaged)
            }
            if file == nil { file = try opened(blob) }
            guard let open = file else { throw .gone(blob.id) }
            let end = min(blob.size, offset + Self.pieceLength)
            try open.verify(offset..<end, damage: BucketsError.damaged)
            let bytes: [UInt8]
            do { bytes = try open.file.read(at: offset, count: Int(end - offset)) } catch { throw BucketsError(error) }
            guard bytes.count == Int(end - offset) else { throw .damaged("the file is too short") }
            return bytes
        }

        private func opened(_ blob: StoredBlob) throws(BucketsError) -> BlobFile {
            guard let file = try files.file(blob.id) else { throw .gone(blob.id) }
            return try BlobFile(
                blob.id, file: file, size: blob.size, proof: blob.crc32c.map { .table($0) } ?? .unknown,
                damage: BucketsError.damaged)
        }
    }
}
