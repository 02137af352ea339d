import Digests

/// The fixed beginning of a record. FORMATS.md draws it.
struct RecordHead: Equatable {
    enum Kind: UInt8 {
        /// A committed change, with or without the bytes of a blob.
        case change = 1
        /// The end of a group: all records since the one before are committed together.
        case group = 2
    }

    static let length = 40
    static let magic: UInt32 = 0x7257_474F  // "OGWr"
    /// Records above this are not written and not believed.
    static let bodyLengthMax: UInt32 = 256 << 20
    static let payloadLengthMax: UInt32 = 16 << 20

    var kind: Kind
    var lsn: UInt64
    /// In bytes; body, then payload, follow the head.
    var bodyLength: UInt32
    var payloadLength: UInt32
    var bodyCRC: UInt32
    var payloadCRC: UInt32

    /// The bytes of the whole record.
    var recordLength: UInt64 { UInt64(Self.length) + UInt64(bodyLength) + UInt64(payloadLength) }

    /// `seed` is the segment's: a record of another segment or store does not check.
    func append(to out: inout [UInt8], seed: UInt32) {
        let start = out.count
        out.append(littleEndian: Self.magic)
        out.append(kind.rawValue)
        out.append(contentsOf: [0, 0, 0])
        out.append(littleEndian: lsn)
        out.append(littleEndian: bodyLength)
        out.append(littleEndian: payloadLength)
        out.append(littleEndian: bodyCRC)
        out.append(littleEndian: payloadCRC)
        out.append(littleEndian: UInt32(0))
        var crc = CRC32C(seed)
        crc.update(out.span.extracting(start..<out.count))
        out.append(littleEndian: crc.value)
    }

    /// Nil for anything but a whole head of this segment.
    static func decode(_ bytes: Span<UInt8>, seed: UInt32) -> RecordHead? {
        guard bytes.count >= length, bytes.littleEndian(0, as: UInt32.self) == magic,
            let kind = Kind(rawValue: bytes[4]), let lsn = bytes.littleEndian(8, as: UInt64.self),
            let bodyLength = bytes.littleEndian(16, as: UInt32.self),
            let payloadLength = bytes.littleEndian(20, as: UInt32.self),
            let bodyCRC = bytes.littleEndian(24, as: UInt32.self),
            let payloadCRC = bytes.littleEndian(28, as: UInt32.self),
            let headCRC = bytes.littleEndian(36, as: UInt32.self)
        else { return nil }
        var crc = CRC32C(seed)
        crc.update(bytes.extracting(first: 36))
        guard crc.value == headCRC, bodyLength <= bodyLengthMax, payloadLength <= payloadLengthMax else { return nil }
        return RecordHead(
            kind: kind, lsn: lsn, bodyLength: bodyLength, payloadLength: payloadLength, bodyCRC: bodyCRC,
            payloadCRC: payloadCRC)
    }
}

/// The body of a group record.
struct GroupBody: Equatable {
    static let length = 28

    /// Of the group's first record.
    var firstLSN: UInt64
    /// Where that record begins, in bytes from the start of the segment.
    var startOffset: UInt64
    /// The records before the group record.
    var recordCount: UInt32
    /// The check value of the group before.
    var formerChain: UInt32
    /// CRC-32C over `formerChain` and the heads of the group's records: the chain's next value.
    var chain: UInt32

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(Self.length)
        out.append(littleEndian: firstLSN)
        out.append(littleEndian: startOffset)
        out.append(littleEndian: recordCount)
        out.append(littleEndian: formerChain)
        out.append(littleEndian: chain)
        return out
    }

    init(firstLSN: UInt64, startOffset: UInt64, recordCount: UInt32, formerChain: UInt32, chain: UInt32) {
        self.firstLSN = firstLSN
        self.startOffset = startOffset
        self.recordCount = recordCount
        self.formerChain = formerChain
        self.chain = chain
    }

    init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.length, let firstLSN = bytes.littleEndian(0, as: UInt64.self),
            let startOffset = bytes.littleEndian(8, as: UInt64.self),
            let recordCount = bytes.littleEndian(16, as: UInt32.self),
            let formerChain = bytes.littleEndian(20, as: UInt32.self),
            let chain = bytes.littleEndian(24, as: UInt32.self)
        else { return nil }
        self.init(
            firstLSN: firstLSN, startOffset: startOffset, recordCount: recordCount, formerChain: formerChain,
            chain: chain)
    }
}
