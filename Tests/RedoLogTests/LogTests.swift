import Files
import TestSupport
import Testing

@testable import RedoLog

@Suite struct LogTests {
    let folder: TemporaryFolder
    let files: SegmentFiles

    init() throws {
        folder = try TemporaryFolder()
        files = SegmentFiles(disk: LinuxDisk(), directory: folder.path, storeID: [UInt8](repeating: 7, count: 16))
    }

    private func readAll(from position: LogPosition = .origin) throws -> (changes: [[LoggedChange]], end: LogPosition) {
        let fresh = SegmentFiles(disk: LinuxDisk(), directory: folder.path, storeID: files.storeID)
        var reader = try LogReader(files: fresh, from: position)
        var groups: [[LoggedChange]] = []
        while let group = try reader.next() { groups.append(group) }
        return (groups, reader.position)
    }

    private func write(_ bodies: [[UInt8]], payload: [UInt8]? = nil, _ writer: LogWriter) throws -> [PayloadPlace] {
        var group = try writer.newGroup()
        var places: [PayloadPlace] = []
        for body in bodies {
            let place = payload.map { group.placeOfPayload($0, bodyLength: body.count) }
            try group.append(body: body, payload: payload, at: place)
            if let place { places.append(place) }
        }
        try writer.commit(group)
        return places
    }

    @Test func `what was committed is read back in groups, with payloads where they were said to be`() throws {
        let writer = try LogWriter.begin(after: .origin, files: files)
        let payload = [UInt8](repeating: 9, count: 5_000)
        let places = try write([[1], [2, 2]], payload: payload, writer)
        _ = try write([[3]], writer)
        let (groups, end) = try readAll()
        #expect(groups.map { $0.map(\.body) } == [[[1], [2, 2]], [[3]]])
        #expect(groups[0].map(\.payload) == places && groups[1][0].payload == nil)
        #expect(groups.flatMap { $0.map(\.lsn) } == [1, 2, 4])
        #expect(end == writer.position)
        for place in places { #expect(try files.payload(at: place) == payload) }
    }

    @Test func `a log goes on in a new segment after each opening and when one is full`() throws {
        var configuration = LogConfiguration()
        configuration.segmentSizeMax = 2_000
        var end = LogPosition.origin
        for opening in 0..<3 {
            let writer = try LogWriter.begin(after: end, files: files, configuration: configuration)
            for number in 0..<5 {
                _ = try write([[UInt8(opening), UInt8(number)]], payload: [UInt8](repeating: 1, count: 900), writer)
            }
            end = writer.position
        }
        let (groups, read) = try readAll()
        #expect(groups.count == 15 && read == end)
        #expect(try files.numbers().count > 5)
        #expect(try readAll(from: end).changes.isEmpty)
    }

    @Test(arguments: [(0, 0), (0, 600), (700, 0), (2_000, 5_000)])
    func `room is made behind the end of the log only, whatever is reserved or zeroed`(
        reserved: UInt64, zeroed: UInt64
    ) throws {
        var configuration = LogConfiguration()
        (configuration.reserveBytes, configuration.zeroedBytes) = (reserved, zeroed)
        configuration.smallGroupBytes = 1_000
        let writer = try LogWriter.begin(after: .origin, files: files, configuration: configuration)
        // A crowd, then lone clients, then a crowd again.
        let lengths = Array(repeating: 3_000, count: 8) + Array(repeating: 40, count: 40) + [9_000, 40, 9_000]
        for length in lengths { _ = try write([[UInt8](repeating: 5, count: length)], writer) }
        let (groups, end) = try readAll()
        #expect(groups.map { $0.map(\.body.count) } == lengths.map { [$0] } && end == writer.position)
    }

    @Test(arguments: [600, 700, 1_000]) func `a torn last group is no part of the log, and later ones take its place`(
        cut: UInt64
    ) throws {
        let writer = try LogWriter.begin(after: .origin, files: files)
        _ = try write([[1]], writer)
        let end = writer.position
        _ = try write([[2]], payload: [UInt8](repeating: 5, count: 3_000), writer)
        try files.disk.open(files.path(of: 1), .update).truncate(to: end.offset - 512 + cut)
        #expect(try readAll().end == end)
        let next = try LogWriter.begin(after: end, files: files)
        _ = try write([[3]], next)
        #expect(try readAll().changes.map { $0.map(\.body) } == [[[1]], [[3]]])
    }

    @Test(arguments: 0..<40) func `a flipped bit ends the log at the last group or is found, and is never read`(
        seed: Int
    ) throws {
        let writer = try LogWriter.begin(after: .origin, files: files)
        for number in 0..<4 { _ = try write([[UInt8(number)]], payload: [UInt8](repeating: 3, count: 700), writer) }
        let end = writer.position.offset
        let file = try files.disk.open(files.path(of: 1), .update)
        let at = UInt64(seed) * (end - 1) / 39
        let byte = try file.read(at: at, count: 1)[0]
        try file.write([byte ^ UInt8(1 << (seed % 8))].span, at: at)
        do {
            let groups = try readAll().changes
            // The flip hit the last group, or the unused end of a sector.
            #expect(groups.count >= 3)
            for (number, group) in groups.enumerated() { #expect(group.map(\.body) == [[UInt8(number)]]) }
        } catch is LogError {}
    }

    @Test func `segments of another store, missing ones and a missing end are told`() throws {
        let writer = try LogWriter.begin(after: .origin, files: files)
        for _ in 0..<3 {
            _ = try write([[1]], writer)
            try writer.roll()
        }
        let other = SegmentFiles(disk: LinuxDisk(), directory: folder.path, storeID: [UInt8](repeating: 8, count: 16))
        #expect {
            var reader = try LogReader(files: other, from: .origin); _ = try reader.next()
        } throws: {
            if case .foreign = $0 as? LogError { true } else { false }
        }
        try files.remove(2)
        #expect { try readAll() } throws: { if case .damaged = $0 as? LogError { true } else { false } }
        try files.remove(1)
        #expect { try readAll() } throws: { if case .damaged = $0 as? LogError { true } else { false } }
    }

    @Test func `a name that is no segment's is refused`() throws {
        try files.disk.replace("junk", in: folder.path, with: [1])
        #expect { try files.numbers() } throws: { if case .foreign = $0 as? LogError { true } else { false } }
    }
}
