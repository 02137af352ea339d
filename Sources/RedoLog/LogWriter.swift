import Files
import Glibc

/// Appends groups to the log. Used by one thread at a time.
public final class LogWriter {
    private let files: SegmentFiles
    private let configuration: LogConfiguration
    private var file: any DiskFile
    private var header: SegmentHeader
    private var roomEnd: UInt64
    /// Since room was last made ahead.
    private var groupCount: UInt64 = 0
    private var groupBytes: UInt64 = 0
    /// The end of the last durable group: a new group begins here.
    public private(set) var position: LogPosition

    private init(
        files: SegmentFiles, configuration: LogConfiguration, segment: (file: any DiskFile, header: SegmentHeader)
    ) {
        self.files = files
        self.configuration = configuration
        (file, header) = segment
        roomEnd = UInt64(SegmentHeader.sectorLength)
        position = Self.beginning(of: segment.header)
    }

    /// Begins a new segment after `end`, which is where reading the log ended: what lies behind it is not part of the log.
    public static func begin(
        after end: LogPosition, files: SegmentFiles, configuration: LogConfiguration = LogConfiguration()
    ) throws(LogError) -> LogWriter {
        // A process that was killed may have left its last group in memory only; from now on it counts as committed.
        if end.segment > 0, end.lsn > 0 { try sync(end.segment, files) }
        let number = max(end.segment, try files.numbers().last ?? 0)
        // A segment beyond the end has no whole header: nothing was ever acknowledged in it.
        if number > end.segment { try files.remove(number) }
        return LogWriter(
            files: files, configuration: configuration, segment: try makeSegment(end.segment + 1, after: end, files))
    }

    /// The segment that is being written; the ones below it are sealed.
    public var segment: UInt64 { header.number }

    /// An empty group at the end of the log, in a new segment where this one is full.
    public func newGroup() throws(LogError) -> LogGroup {
        if position.offset >= configuration.segmentSizeMax, position.lsn > header.start.lsn { try roll() }
        return LogGroup(start: position, seed: header.seed)
    }

    /// Begins the next segment now, so that this one is sealed. Nothing happens to one without groups.
    public func roll() throws(LogError) {
        if position.lsn == header.start.lsn { return }
        let next = try Self.makeSegment(header.number + 1, after: position, files)
        (file, header) = next
        roomEnd = UInt64(SegmentHeader.sectorLength)
        position = Self.beginning(of: next.header)
    }

    /// Makes the group durable. Where it throws `diskFull` or `system`, nothing of the group will ever be read.
    public func commit(_ group: consuming LogGroup) throws(LogError) {
        let end = group.finish()
        makeRoom(for: UInt64(group.bytes.count))
        groupCount += 1
        groupBytes += UInt64(group.bytes.count)
        do throws(SystemError) {
            try file.write(group.bytes.span, at: group.start.offset)
        } catch {
            // What was refused is not to be found after a crash.
            do {
                try file.truncate(to: group.start.offset)
                try file.syncData()
            } catch {
                throw .fatal(error)
            }
            roomEnd = group.start.offset
            throw error.isDiskFull ? .diskFull : .system(error)
        }
        do { try file.syncData() } catch { throw .fatal(error) }
        position = end
    }

    private static func sync(_ segment: UInt64, _ files: SegmentFiles) throws(LogError) {
        let file: any DiskFile
        do { file = try files.disk.open(files.path(of: segment), .update) } catch {
            // Removed by compaction: what it held is durable elsewhere.
            if error.isNotFound { return }
            throw .system(error)
        }
        do { try file.syncData() } catch { throw .fatal(error) }
    }

    /// Makes room on the disk from the end of the log on, so that `count` bytes and some ahead have it. A hint: the write that
    /// follows says whether there is room.
    private func makeRoom(for count: UInt64) {
        let end = position.offset + count
        guard end > roomEnd else { return }
        let isQuiet = groupCount > 0 && groupBytes / groupCount <= configuration.smallGroupBytes
        (groupCount, groupBytes) = (0, 0)
        let ahead = max(isQuiet ? configuration.zeroedBytes : configuration.reserveBytes, count)
        // Never below the end of the log, where zeros would be over what is durable.
        let start = max(roomEnd, position.offset)
        roomEnd = end
        if isQuiet {
            guard configuration.zeroedBytes > 0, (try? writeZeros(at: start, count: ahead)) != nil else { return }
        } else {
            guard configuration.reserveBytes > 0, (try? file.reserve(at: start, count: ahead)) != nil else { return }
        }
        roomEnd = start + ahead
    }

    private func writeZeros(at start: UInt64, count: UInt64) throws(SystemError) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, configuration.zeroedBytes)))
        var written: UInt64 = 0
        while written < count {
            let length = min(UInt64(zeros.count), count - written)
            try file.write(zeros.span.extracting(first: Int(length)), at: start + written)
            written += length
        }
    }

    private static func beginning(of header: SegmentHeader) -> LogPosition {
        header.start.inside(header.number)
    }

    /// The file, whose header and name are durable.
    private static func makeSegment(
        _ number: UInt64, after end: LogPosition, _ files: SegmentFiles
    ) throws(LogError) -> (file: any DiskFile, header: SegmentHeader) {
        let header = SegmentHeader(storeID: files.storeID, number: number, start: end)
        let path = files.path(of: number)
        let file: any DiskFile
        do throws(SystemError) {
            file = try files.disk.open(path, .createNew)
            try file.write(header.bytes.span, at: 0)
        } catch {
            // Left behind it would be in the way of the next attempt.
            if error.errno != EEXIST { _ = try? files.disk.remove(path) }
            throw error.isDiskFull ? .diskFull : .system(error)
        }
        do { try file.syncData() } catch { throw .fatal(error) }
        try files.syncDirectory()
        files.made(number)
        return (file, header)
    }
}
