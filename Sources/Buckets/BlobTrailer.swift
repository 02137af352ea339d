import Bytes
import Digests
import Metadata
import RedoLog

/// What stands behind the content of a blob's file, so that the file proves itself and says what it was. FORMATS.md draws it:
/// the table of check values, the record for salvage, and a footer at the very end.
struct BlobTrailer: Equatable {
    /// Of content under one check value, in bytes.
    static let blockLength = 64 << 10
    static let footerLength = 40
    static let magic: UInt32 = 0x6257_474F  // "OGWb"
    static let version: UInt32 = 1
    /// Longer records are neither written nor believed, in bytes.
    static let recordLengthMax = 16 << 10

    /// Of the content, in bytes.
    var size: UInt64
    /// CRC-32C of each block of the content; the last may be short.
    var table: [UInt32]
    /// As `BlobRecord` writes it.
    var record: [UInt8]
    /// CRC-32C of the table as it is written: what the blob's row repeats.
    var tableCRC: UInt32

    init(size: UInt64, table: [UInt32], record: [UInt8]) {
        (self.size, self.table, self.record) = (size, table, record)
        tableCRC = CRC32C.of(Self.bytes(of: table))
    }

    private static func bytes(of table: [UInt32]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(table.count * 4)
        for value in table { out.append(littleEndian: value) }
        return out
    }

    static func blockCount(of size: UInt64) -> UInt64 {
        size / UInt64(blockLength) + (size % UInt64(blockLength) == 0 ? 0 : 1)
    }

    /// The most bytes that the trailer of content of `size` bytes has; nil for a size that no file can have.
    static func lengthMax(size: UInt64) -> Int? {
        let (table, overflow) = blockCount(of: size).multipliedReportingOverflow(by: 4)
        guard !overflow, let length = Int(exactly: table), length < Int.max - (64 << 10) else { return nil }
        return length + recordLengthMax + footerLength
    }

    var bytes: [UInt8] {
        var out = Self.bytes(of: table)
        out += record
        let start = out.count
        out.append(littleEndian: Self.magic)
        out.append(littleEndian: Self.version)
        out.append(littleEndian: size)
        out.append(littleEndian: UInt32(Self.blockLength))
        out.append(littleEndian: UInt32(clamping: record.count))
        out.append(littleEndian: tableCRC)
        out.append(littleEndian: CRC32C.of(record))
        out.append(littleEndian: UInt32(0))
        var crc = CRC32C()
        crc.update(out.span.extracting(start..<out.count))
        out.append(littleEndian: crc.value)
        return out
    }

    /// Reads all that follows the content in its file. Nil for anything but a whole trailer of content of `size` bytes. The
    /// record need not be whole: the content does not depend on it.
    init?(_ bytes: Span<UInt8>, size: UInt64) {
        let footer = bytes.count - Self.footerLength
        guard footer >= 0, bytes.littleEndian(footer, as: UInt32.self) == Self.magic,
            bytes.littleEndian(footer + 4, as: UInt32.self) == Self.version,
            bytes.littleEndian(footer + 8, as: UInt64.self) == size,
            bytes.littleEndian(footer + 16, as: UInt32.self) == UInt32(Self.blockLength),
            let recordLength = bytes.littleEndian(footer + 20, as: UInt32.self),
            let tableCRC = bytes.littleEndian(footer + 24, as: UInt32.self),
            let recordCRC = bytes.littleEndian(footer + 28, as: UInt32.self),
            let footerCRC = bytes.littleEndian(footer + 36, as: UInt32.self)
        else { return nil }
        var crc = CRC32C()
        crc.update(bytes.extracting(footer..<footer + 36))
        let tableLength = footer - Int(recordLength)
        guard crc.value == footerCRC, recordLength <= UInt32(Self.recordLengthMax), tableLength >= 0,
            UInt64(tableLength) == Self.blockCount(of: size) * 4
        else { return nil }
        var table: [UInt32] = []
        table.reserveCapacity(tableLength / 4)
        for offset in stride(from: 0, to: tableLength, by: 4) {
            guard let value = bytes.littleEndian(offset, as: UInt32.self) else { return nil }
            table.append(value)
        }
        var found = CRC32C()
        found.update(bytes.extracting(0..<tableLength))
        guard found.value == tableCRC else { return nil }
        var record: [UInt8] = []
        record.reserveCapacity(Int(recordLength))
        for place in tableLength..<footer { record.append(bytes[place]) }
        (self.size, self.table, self.tableCRC) = (size, table, tableCRC)
        self.record = CRC32C.of(record) == recordCRC ? record : []
    }
}

/// Computes the check values of blocks while their bytes pass.
struct BlockChecks {
    private(set) var table: [UInt32] = []
    private var crc = CRC32C()
    private var filled = 0

    mutating func update(_ bytes: Span<UInt8>) {
        var done = 0
        while done < bytes.count {
            let count = min(bytes.count - done, BlobTrailer.blockLength - filled)
            crc.update(bytes.extracting(done..<done + count))
            filled += count
            done += count
            if filled == BlobTrailer.blockLength { endBlock() }
        }
    }

    /// After the last bytes.
    mutating func finish() { if filled > 0 { endBlock() } }

    private mutating func endBlock() {
        table.append(crc.value)
        crc = CRC32C()
        filled = 0
    }
}
