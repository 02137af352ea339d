import Bytes
import Digests

/// The first 512 bytes of a segment. FORMATS.md draws them.
struct SegmentHeader: Equatable {
    /// Groups begin at multiples of this, so that no group shares a sector with one that is durable already.
    static let sectorLength = 512
    static let magic = [UInt8]("OGWSEG1\n".utf8)
    private static let usedLength = 8 + 16 + 8 + 32

    /// Of the store that the segment belongs to, 16 bytes.
    var storeID: [UInt8]
    /// Counts from 1.
    var number: UInt64
    /// The end of the log when this segment was begun: the former segment ends there, whatever lies behind.
    var start: LogPosition

    var bytes: [UInt8] {
        var out = Self.magic
        out += storeID
        out.append(littleEndian: number)
        out.append(littleEndian: start.lsn)
        out.append(littleEndian: start.segment)
        out.append(littleEndian: start.offset)
        out.append(littleEndian: start.chain)
        var crc = CRC32C()
        crc.update(out.span)
        out.append(littleEndian: crc.value)
        return out + [UInt8](repeating: 0, count: Self.sectorLength - out.count)
    }

    init(storeID: [UInt8], number: UInt64, start: LogPosition) {
        self.storeID = storeID
        self.number = number
        self.start = start
    }

    /// Nil for anything but a whole header.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.sectorLength else { return nil }
        for index in Self.magic.indices where bytes[index] != Self.magic[index] { return nil }
        guard let number = bytes.littleEndian(24, as: UInt64.self), let lsn = bytes.littleEndian(32, as: UInt64.self),
            let segment = bytes.littleEndian(40, as: UInt64.self),
            let offset = bytes.littleEndian(48, as: UInt64.self),
            let chain = bytes.littleEndian(56, as: UInt32.self), let found = bytes.littleEndian(60, as: UInt32.self)
        else { return nil }
        var crc = CRC32C()
        crc.update(bytes.extracting(first: 60))
        guard crc.value == found else { return nil }
        var storeID: [UInt8] = []
        for index in 8..<24 { storeID.append(bytes[index]) }
        self.init(
            storeID: storeID, number: number,
            start: LogPosition(lsn: lsn, segment: segment, offset: offset, chain: chain))
    }

    /// Begins the check values of this segment's records.
    var seed: UInt32 {
        var bytes = storeID
        bytes.append(littleEndian: number)
        var crc = CRC32C()
        crc.update(bytes.span)
        return crc.value
    }
}
