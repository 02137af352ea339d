import Digests
import Files
import Metadata
import RedoLog

/// A blob in an open segment of the log: it stays readable when the segment is removed. What it holds never changes.
struct SegmentPayload: Sendable {
    var blob: BlobID
    var file: any DiskFile
    /// Bytes from the start of the segment.
    var offset: UInt64
    /// In bytes.
    var size: Int
    var crc32c: UInt32

    /// Nil for a blob that does not lie in the log. Throws `gone` where the segment was removed: the blob has moved, or was dropped.
    static func open(_ stored: StoredBlob, in segments: SegmentFiles) throws(BucketsError) -> SegmentPayload? {
        guard case .segment(let number, let offset) = stored.location else { return nil }
        guard let crc32c = stored.crc32c, stored.size <= UInt64(UInt32.max) else {
            throw .damaged("blob \(stored.id.value) lies in the log without a check value")
        }
        let file: any DiskFile
        do { file = try segments.file(of: number) } catch {
            if case .system(let error) = error {
                throw error.isNotFound ? .gone(stored.id) : BucketsError(error)
            }
            throw .damaged(error.description)
        }
        return SegmentPayload(
            blob: stored.id, file: file, offset: offset, size: Int(stored.size), crc32c: crc32c)
    }

    /// All bytes, checked. Throws `damaged` where they are not what was written.
    func read(damage: (String) -> BucketsError) throws(BucketsError) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try file.read(at: offset, count: size) } catch {
            if error.isInputOutput { throw damage("its bytes in the log cannot be read: \(error)") }
            throw BucketsError(error)
        }
        guard bytes.count == size, CRC32C.of(bytes) == crc32c else {
            throw damage("its bytes in the log, at \(offset), do not match their check value")
        }
        return bytes
    }

    /// The same, and says once that the blob is damaged.
    func read(reporting damage: DamageReports) throws(BucketsError) -> [UInt8] {
        try read { damage.error(blob, $0) }
    }
}
