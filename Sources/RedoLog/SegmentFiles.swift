import Bytes
import Digests
public import Files
import Threads

/// The folder of segments: `seg/NNNNNNNN.seg`, the number in at least 8 lower-case hexadecimal digits.
///
/// Keeps the files of segments open that were read lately. Safe for concurrent use; all calls may block.
public final class SegmentFiles: Sendable {
    public let directory: String
    /// Of the store, 16 random bytes: its segments carry it.
    public let storeID: [UInt8]
    let disk: any Disk
    private let open = Lock(Open())
    private static let openFilesMax = 256

    private struct Open {
        var files: [UInt64: any DiskFile] = [:]
        /// They are not kept open for a reader that opened one just before. A number takes 8 bytes here for each GiB removed.
        var removed: Set<UInt64> = []
    }

    /// `directory` exists.
    public init(disk: any Disk, directory: String, storeID: [UInt8]) {
        self.disk = disk
        self.directory = directory
        self.storeID = storeID
    }

    func path(of number: UInt64) -> String {
        let digits = max(8, (64 - number.leadingZeroBitCount + 3) / 4)
        return "\(directory)/\(String(decoding: Hex.encode(number, width: digits), as: UTF8.self)).seg"
    }

    /// Ascending. Throws `foreign` for a file that is no segment's.
    public func numbers() throws(LogError) -> [UInt64] {
        let names: [String]
        do { names = try disk.names(in: directory) } catch { throw .system(error) }
        var numbers: [UInt64] = []
        for name in names {
            guard name.hasSuffix(".seg"), let number = UInt64(name.dropLast(4), radix: 16), number > 0,
                path(of: number).utf8.elementsEqual("\(directory)/\(name)".utf8)
            else { throw .foreign("\(directory)/\(name) is not a segment of this store") }
            numbers.append(number)
        }
        return numbers.sorted()
    }

    /// Throws `system` with ENOENT where the segment was removed.
    public func file(of number: UInt64) throws(LogError) -> any DiskFile {
        if let known = open.withLock({ $0.files[number] }) { return known }
        let file: any DiskFile
        do { file = try disk.open(path(of: number), .read) } catch { throw .system(error) }
        open.withLock { open in
            if open.removed.contains(number) { return }
            if open.files.count >= Self.openFilesMax { open.files.removeAll() }
            open.files[number] = file
        }
        return file
    }

    /// The bytes of a payload, checked. Throws `damaged` where they are not what was written, and `system` with ENOENT where
    /// the segment was removed.
    public func payload(at place: PayloadPlace) throws(LogError) -> [UInt8] {
        let file = try file(of: place.segment)
        let bytes: [UInt8]
        do { bytes = try file.read(at: place.offset, count: Int(place.length)) } catch { throw .system(error) }
        var crc = CRC32C()
        crc.update(bytes.span)
        guard bytes.count == Int(place.length), crc.value == place.crc32c else {
            throw .damaged("segment \(place.segment): the payload at \(place.offset) does not match its check value")
        }
        return bytes
    }

    /// Removes a segment. Files that are open stay readable. The caller makes the removal durable with `syncDirectory`.
    public func remove(_ number: UInt64) throws(LogError) {
        open.withLock { open in
            open.files[number] = nil
            open.removed.insert(number)
        }
        do { try disk.remove(path(of: number)) } catch { throw .system(error) }
    }

    /// A number that was removed is in use again.
    func made(_ number: UInt64) { open.withLock { _ = $0.removed.remove(number) } }

    public func syncDirectory() throws(LogError) {
        do { try disk.syncDirectory(directory) } catch { throw .fatal(error) }
    }

    /// Where the log was when the segment was begun; nil where its header is not whole.
    public func start(of number: UInt64) throws(LogError) -> LogPosition? { try header(of: number)?.start }

    /// The header of a segment; nil where its first sector is no whole header. Throws `foreign` for another store's.
    func header(of number: UInt64) throws(LogError) -> SegmentHeader? {
        let bytes: [UInt8]
        do {
            bytes = try file(of: number).read(at: 0, count: SegmentHeader.sectorLength)
        } catch let error as LogError { throw error } catch let error as SystemError { throw .system(error) } catch {
            throw .damaged("\(error)")
        }
        guard let header = SegmentHeader(bytes.span) else { return nil }
        guard header.storeID == storeID, header.number == number else {
            throw .foreign("\(path(of: number)) is a segment of another store, or was renamed")
        }
        return header
    }
}
