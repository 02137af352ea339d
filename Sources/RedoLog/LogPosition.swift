/// The end of a group: what follows it begins here.
public struct LogPosition: Sendable, Hashable {
    /// Of the last record before this position; 0 before the first.
    public var lsn: UInt64
    /// The segment's number, and bytes from its start.
    public var segment: UInt64
    public var offset: UInt64
    /// The check value of the last group, which the next one repeats; 0 before the first.
    public var chain: UInt32

    public init(lsn: UInt64, segment: UInt64, offset: UInt64, chain: UInt32) {
        self.lsn = lsn
        self.segment = segment
        self.offset = offset
        self.chain = chain
    }

    /// Before the first group of a segment that was begun at this position.
    public func inside(_ segment: UInt64) -> LogPosition {
        LogPosition(lsn: lsn, segment: segment, offset: UInt64(SegmentHeader.sectorLength), chain: chain)
    }

    /// Before the first record of all.
    public static let origin = LogPosition(lsn: 0, segment: 0, offset: 0, chain: 0)
}

/// Where the payload of a record lies.
public struct PayloadPlace: Sendable, Hashable {
    public var segment: UInt64
    /// Bytes from the start of the segment.
    public var offset: UInt64
    /// In bytes.
    public var length: UInt32
    /// CRC-32C of the payload.
    public var crc32c: UInt32

    public init(segment: UInt64, offset: UInt64, length: UInt32, crc32c: UInt32) {
        self.segment = segment
        self.offset = offset
        self.length = length
        self.crc32c = crc32c
    }
}
