import Digests
import Files

/// A record as it was read.
public struct LoggedChange: Sendable {
    public var lsn: UInt64
    public var body: [UInt8]
    /// Nil for a record without payload.
    public var payload: PayloadPlace?
}

/// Reads the log, group by group, from a position that is the end of a group.
///
/// A group counts only as a whole: its records and its group record are there, every check value holds, and it follows the
/// group before it. What follows the last such group in the last segment is what a crash left of a group that nobody was told
/// of, unless a later group follows: then the log is damaged, because a group is begun only when the one before is durable.
public struct LogReader {
    /// What reading insists on.
    public struct Checks: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A group counts as a whole only.
        public static let groups = Checks(rawValue: 1)
        public static let all: Checks = [.groups]
    }

    private let checks: Checks
    private let files: SegmentFiles
    private let numbers: [UInt64]
    /// The end of the last group that was read.
    public private(set) var position: LogPosition
    private var segment: Segment?
    /// Bytes of the segment from `base` on.
    private var window: [UInt8] = []
    private var base: UInt64 = 0

    /// One segment that is being read.
    private struct Segment {
        var file: any DiskFile
        var header: SegmentHeader
        /// Where the log was when the following segment was begun; nil in the last.
        var end: LogPosition?
    }

    /// `position` is the end of a group, such as the one up to which a view has applied the log.
    public init(
        files: SegmentFiles, from position: LogPosition, checks: Checks = .all
    ) throws(LogError) {
        self.checks = checks
        self.files = files
        self.position = position
        numbers = try Self.segments(files)
    }

    /// Reads one segment from its start, whatever became of the others. Throws `damaged` where its header is not whole.
    public init(salvaging number: UInt64, of files: SegmentFiles) throws(LogError) {
        let header = try files.header(of: number)
        guard let start = header?.start else {
            throw .damaged("segment \(number) of the log has no whole header")
        }
        checks = .all
        self.files = files
        position = start.inside(number)
        numbers = [number]
    }

    /// After `next` threw `damaged`: goes on at the next whole group of the segment. False where there is none.
    public mutating func skipDamage() throws(LogError) -> Bool {
        guard let later = try laterGroup() else { return false }
        position = LogPosition(
            lsn: later.firstLSN &- 1, segment: position.segment, offset: later.startOffset, chain: later.formerChain)
        return true
    }

    /// All segments but a last one without groups that lacks its header: a crash came before that was durable.
    private static func segments(_ files: SegmentFiles) throws(LogError) -> [UInt64] {
        var numbers = try files.numbers()
        guard let last = numbers.last else { return [] }
        // What an earlier process wrote may be in memory without being on the disk, and then it may be gone at the next look.
        try files.file(of: last).dropCache(at: 0, count: UInt64(SegmentHeader.sectorLength))
        guard try files.header(of: last) == nil else { return numbers }
        // Groups are written behind a durable header only.
        let size: UInt64
        do { size = try files.disk.open(files.path(of: last), .read).size() } catch { throw .system(error) }
        guard size <= UInt64(SegmentHeader.sectorLength) else {
            throw .damaged("\(files.path(of: last)) is no whole segment: its header is broken")
        }
        numbers.removeLast()
        return numbers
    }

    /// The changes of the next group, empty ones left out; nil at the end of the log.
    public mutating func next() throws(LogError) -> [LoggedChange]? {
        while true {
            if segment == nil, try !enterSegment() { return nil }
            guard let segment else { return nil }
            if let end = segment.end, end.lsn == position.lsn {
                try leaveSegment(end)
                continue
            }
            if let changes = try readGroup() { return changes }
            if let end = segment.end {
                throw damaged("a group is not whole, and the log goes on after change \(end.lsn)")
            }
            try refuseLaterGroup()
            return nil
        }
    }

    private func damaged(_ what: String) -> LogError {
        .damaged("\(files.path(of: position.segment)) at \(position.offset): \(what)")
    }

    /// Opens the segment of `position`, or the first one that begins there; false where the log has ended.
    private mutating func enterSegment() throws(LogError) -> Bool {
        if !numbers.contains(position.segment) {
            guard let first = numbers.first(where: { $0 > position.segment }) else {
                if position.segment == 0 { return false }
                throw .damaged("segment \(position.segment) of the log is missing")
            }
            let start = try header(of: first).start
            guard start.lsn == position.lsn, start.chain == position.chain else {
                throw .damaged(
                    "the log goes on with change \(start.lsn &+ 1) in segment \(first); those after \(position.lsn) are missing"
                )
            }
            position = position.inside(first)
        }
        let file = try files.file(of: position.segment)
        let size = try size(of: file)
        // As with the header: what is believed now has to be on the disk.
        file.dropCache(at: 0, count: size)
        guard size >= position.offset else {
            throw damaged("the file has \(size) bytes only: the end of the log is missing")
        }
        var end: LogPosition?
        if let next = numbers.first(where: { $0 > position.segment }) { end = try header(of: next).start }
        segment = Segment(file: file, header: try header(of: position.segment), end: end)
        window = []
        return true
    }

    private func header(of number: UInt64) throws(LogError) -> SegmentHeader {
        guard let header = try files.header(of: number) else {
            throw .damaged("segment \(number) of the log has no whole header")
        }
        return header
    }

    /// Into the following segment. Between them there may have been some without changes that are needed.
    private mutating func leaveSegment(_ end: LogPosition) throws(LogError) {
        guard end.chain == position.chain, let next = numbers.first(where: { $0 > position.segment }) else {
            throw damaged("the next segment does not follow this group")
        }
        position = position.inside(next)
        segment = nil
    }

    /// The group at `position`, which is moved behind it; nil where no whole one is there.
    private mutating func readGroup() throws(LogError) -> [LoggedChange]? {
        guard let header = segment?.header else { return nil }
        var changes: [LoggedChange] = []
        var lsn = position.lsn &+ 1
        var offset = position.offset
        var chain = CRC32C()
        var former: [UInt8] = []
        former.append(littleEndian: position.chain)
        chain.update(former.span)
        while true {
            let headBytes = try bytes(at: offset, count: RecordHead.length)
            guard let head = RecordHead.decode(headBytes.span, seed: header.seed), head.lsn == lsn else {
                if checks.contains(.groups) || changes.isEmpty { return nil }
                position = LogPosition(
                    lsn: lsn &- 1, segment: position.segment, offset: Self.sectorEnd(offset), chain: chain.value)
                return changes
            }
            let bodyOffset = offset + UInt64(RecordHead.length)
            let body = try bytes(at: bodyOffset, count: Int(head.bodyLength))
            var crc = CRC32C()
            crc.update(body.span)
            guard body.count == Int(head.bodyLength), crc.value == head.bodyCRC else { return nil }
            if head.kind == .group {
                guard let group = GroupBody(body.span), group.startOffset == position.offset,
                    group.firstLSN == position.lsn &+ 1, group.recordCount == changes.count,
                    group.formerChain == position.chain, group.chain == chain.value
                else { return nil }
                position = LogPosition(
                    lsn: lsn, segment: position.segment, offset: Self.sectorEnd(offset + head.recordLength),
                    chain: chain.value)
                return changes
            }
            chain.update(headBytes.span)
            let place = PayloadPlace(
                segment: position.segment, offset: bodyOffset + UInt64(head.bodyLength), length: head.payloadLength,
                crc32c: head.payloadCRC)
            guard try payloadIsWhole(place) else { return nil }
            changes.append(LoggedChange(lsn: lsn, body: body, payload: head.payloadLength > 0 ? place : nil))
            offset += head.recordLength
            lsn &+= 1
        }
    }

    private mutating func payloadIsWhole(_ place: PayloadPlace) throws(LogError) -> Bool {
        if place.length == 0 { return true }
        let payload = try bytes(at: place.offset, count: Int(place.length))
        var crc = CRC32C()
        crc.update(payload.span)
        return payload.count == Int(place.length) && crc.value == place.crc32c
    }

    /// A later group that is whole proves that what is broken was durable once.
    private mutating func refuseLaterGroup() throws(LogError) {
        guard try laterGroup() == nil else {
            throw damaged("the group is broken, and later ones follow: the log is damaged here")
        }
    }

    /// The first group behind the one at `position` of which all heads and the group record are whole.
    private mutating func laterGroup() throws(LogError) -> GroupBody? {
        guard let header = segment?.header, let file = segment?.file else { return nil }
        let size = try size(of: file)
        var offset = position.offset + UInt64(SegmentHeader.sectorLength)
        while offset < size {
            let bytes = try bytes(at: offset, count: RecordHead.length)
            let head = RecordHead.decode(bytes.span, seed: header.seed)
            // The remains of the broken group itself lie at or above its own first number too, but its heads do not begin a
            // sector where a group does; only a group record that names its own start proves a later group.
            if let head, head.kind == .change, head.lsn > position.lsn &+ 1,
                let body = try groupBody(startingAt: offset, lsn: head.lsn, seed: header.seed)
            {
                return body
            }
            offset += UInt64(SegmentHeader.sectorLength)
        }
        return nil
    }

    /// That of the group of which the record at `start`, numbered `lsn`, is the first.
    private mutating func groupBody(
        startingAt start: UInt64, lsn first: UInt64, seed: UInt32
    ) throws(LogError) -> GroupBody? {
        var offset = start
        var lsn = first
        while true {
            let headBytes = try bytes(at: offset, count: RecordHead.length)
            guard let head = RecordHead.decode(headBytes.span, seed: seed), head.lsn == lsn else { return nil }
            if head.kind == .group {
                let bytes = try bytes(at: offset + UInt64(RecordHead.length), count: Int(head.bodyLength))
                guard let body = GroupBody(bytes.span), body.startOffset == start, body.firstLSN == first else {
                    return nil
                }
                return body
            }
            offset += head.recordLength
            lsn &+= 1
        }
    }

    private static func sectorEnd(_ offset: UInt64) -> UInt64 {
        let sector = UInt64(SegmentHeader.sectorLength)
        return (offset + sector - 1) / sector * sector
    }

    private func size(of file: any DiskFile) throws(LogError) -> UInt64 {
        do { return try file.size() } catch { throw .system(error) }
    }

    private static let windowLength = 4 << 20

    /// Bytes of the segment through a window that is read in large pieces; fewer at the end of the file.
    private mutating func bytes(at offset: UInt64, count: Int) throws(LogError) -> [UInt8] {
        guard let file = segment?.file else { return [] }
        if offset < base || offset + UInt64(count) > base + UInt64(window.count) {
            do { window = try file.read(at: offset, count: max(count, Self.windowLength)) } catch {
                throw .system(error)
            }
            base = offset
        }
        let from = Int(offset - base)
        guard from <= window.count else { return [] }
        return [UInt8](window[from..<min(from + count, window.count)])
    }
}
