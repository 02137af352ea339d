import Digests

/// The records of one commit, encoded while they are decided, so that each knows where its payload will lie.
public struct LogGroup: Sendable {
    /// Where the group begins: at the start of a sector.
    let start: LogPosition
    private let seed: UInt32
    private(set) var bytes: [UInt8] = []
    public private(set) var recordCount: UInt32 = 0
    private var chain: CRC32C

    init(start: LogPosition, seed: UInt32) {
        self.start = start
        self.seed = seed
        var chain = CRC32C()
        var former: [UInt8] = []
        former.append(littleEndian: start.chain)
        chain.update(former.span)
        self.chain = chain
    }

    public var isEmpty: Bool { recordCount == 0 }
    /// In bytes.
    public var length: Int { bytes.count }

    /// Where the payload of the next record will lie, when its body has `bodyLength` bytes. `crc32c` spares computing its
    /// CRC-32C.
    public func placeOfPayload(_ payload: [UInt8], bodyLength: Int, crc32c known: UInt32? = nil) -> PayloadPlace {
        var crc = CRC32C(known ?? 0)
        if known == nil { crc.update(payload.span) }
        return PayloadPlace(
            segment: start.segment,
            offset: start.offset + UInt64(bytes.count) + UInt64(RecordHead.length) + UInt64(max(0, bodyLength)),
            length: UInt32(clamping: payload.count), crc32c: crc.value)
    }

    /// Appends a change. `payload` and its place belong together, or are both nil. Throws `damaged` above the limits of a
    /// record, which nothing that the store writes comes near.
    public mutating func append(
        body: [UInt8], payload: [UInt8]? = nil, at place: PayloadPlace? = nil
    ) throws(LogError) {
        guard body.count <= Int(RecordHead.bodyLengthMax), (payload?.count ?? 0) <= Int(RecordHead.payloadLengthMax)
        else { throw .damaged("a record of \(body.count) and \(payload?.count ?? 0) bytes is too long to be logged") }
        add(.change, body: body, payload: payload ?? [], payloadCRC: place?.crc32c ?? 0)
    }

    private mutating func add(_ kind: RecordHead.Kind, body: [UInt8], payload: [UInt8], payloadCRC: UInt32) {
        var crc = CRC32C()
        crc.update(body.span)
        let head = RecordHead(
            kind: kind, lsn: start.lsn + UInt64(recordCount) + 1, bodyLength: UInt32(clamping: body.count),
            payloadLength: UInt32(clamping: payload.count), bodyCRC: crc.value, payloadCRC: payloadCRC)
        let at = bytes.count
        head.append(to: &bytes, seed: seed)
        if kind == .change {
            var chain = self.chain
            chain.update(bytes.span.extracting(at..<bytes.count))
            self.chain = chain
            recordCount += 1
        }
        bytes += body
        bytes += payload
    }

    /// Ends the group with its group record and fills the last sector. Returns where the next group begins.
    mutating func finish() -> LogPosition {
        let body = GroupBody(
            firstLSN: start.lsn + 1, startOffset: start.offset, recordCount: recordCount, formerChain: start.chain,
            chain: chain.value)
        add(.group, body: body.bytes, payload: [], payloadCRC: 0)
        let over = bytes.count % SegmentHeader.sectorLength
        if over > 0 { bytes.append(contentsOf: repeatElement(0, count: SegmentHeader.sectorLength - over)) }
        return LogPosition(
            lsn: start.lsn + UInt64(recordCount) + 1, segment: start.segment,
            offset: start.offset + UInt64(bytes.count), chain: chain.value)
    }
}
