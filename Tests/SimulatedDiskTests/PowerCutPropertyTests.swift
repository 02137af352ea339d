import Files
import Glibc
import SimulatedDisk
import Testing

/// What no cut may break, for random calls, cuts and faults.
@Suite struct PowerCutPropertyTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `every sector read was written since the last sync, and synced content is there`(seed: UInt64) throws {
        var run = try ContentRun(seed: seed)
        #expect(try run.mistake(steps: 200) == nil, "\(run.disk)")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `names are those that a set of changes closed under order and renames makes`(seed: UInt64) throws {
        var run = try NamesRun(seed: seed)
        #expect(try run.mistake(steps: 200) == nil, "\(run.disk)")
    }

    @Test func `a disk that ignores syncs breaks both`() throws {
        var content = try ContentRun(seed: 1, ignoresSyncs: true)
        #expect(try content.mistake(steps: 1000) != nil)
        var names = try NamesRun(seed: 1, ignoresSyncs: true)
        #expect(try names.mistake(steps: 1000) != nil)
    }
}

/// Random writes to a few files; the model is all contents that each had since its last sync.
private struct ContentRun {
    let disk: SimulatedFileSystem
    private var random: SplitMix64
    private var files: [any DiskFile] = []
    /// Per file, oldest first; the last is what a read shows.
    private var contents: [[[UInt8]]] = [[[]], [[]], [[]]]
    /// After a failed sync, later ones prove nothing.
    private var isDoubtful = [false, false, false]

    private let ignoresSyncs: Bool

    init(seed: UInt64, ignoresSyncs: Bool = false) throws {
        (disk, random) = (SimulatedFileSystem(seed: seed), SplitMix64(seed: ~seed))
        self.ignoresSyncs = ignoresSyncs
        for file in contents.indices { try disk.durableFile("/\(file)") }
        try openFiles()
    }

    mutating func mistake(steps: Int) throws -> String? {
        for _ in 0..<steps {
            if let mistake = try step() { return mistake }
        }
        return nil
    }

    private mutating func openFiles() throws {
        files = try contents.indices.map { try disk.open("/\($0)", .update) }
    }

    private mutating func step() throws -> String? {
        if random.chance(10) { return try cut() }
        let place = random.below(files.count)
        let file = files[place]
        var expected = contents[place][contents[place].count - 1]
        let (offset, fails) = (random.below(3000), random.chance(16))
        disk.faults = DiskFaults(scheduled: fails ? [.init(number: 1, errno: EIO)] : [])
        disk.faults.ignoresSyncData = ignoresSyncs
        var found: Int32?
        switch random.below(8) {
        case 0...3:
            let bytes = (0..<random.below(1500)).map { _ in UInt8.random(in: 1...255, using: &random) }
            found = errno { try file.write(bytes.span, at: UInt64(offset)) }
            if !bytes.isEmpty {
                let missing = offset + bytes.count - expected.count
                if missing > 0 { expected += [UInt8](repeating: 0, count: missing) }
                expected.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
        case 4:
            found = errno { try file.truncate(to: UInt64(offset)) }
            expected = [UInt8](expected.prefix(offset)) + [UInt8](repeating: 0, count: max(0, offset - expected.count))
        case 5: file.dropCache(at: UInt64(offset), count: 1000)
        case 6: found = errno { try file.beginWriteback(at: 0, count: 0) }
        default:
            found = errno { try file.syncData() }
            if found == nil, !isDoubtful[place] { contents[place] = [expected] }
        }
        let callFailed = found != nil
        disk.faults = DiskFaults()
        if callFailed { isDoubtful[place] = true }
        let seen = try file.read(at: 0, count: 1 << 20)
        contents[place].append(seen)
        if seen != expected, !isDoubtful[place] { return "file \(place) does not read as what was written" }
        return nil
    }

    private mutating func cut() throws -> String? {
        disk.powerCut()
        try openFiles()
        for (place, file) in files.enumerated() {
            let seen = try file.read(at: 0, count: 1 << 20)
            if let mistake = Self.mistake(in: seen, among: contents[place]) { return "file \(place): \(mistake)" }
            contents[place] = [seen]
            isDoubtful[place] = false
        }
        return nil
    }

    private static func mistake(in seen: [UInt8], among contents: [[UInt8]]) -> String? {
        if !contents.contains(where: { $0.count == seen.count }) { return "it never had \(seen.count) bytes" }
        for start in stride(from: 0, to: seen.count, by: 512) {
            let sector = seen[start..<min(start + 512, seen.count)]
            let isKnown = contents.contains { content in
                sector.indices.allSatisfy { sector[$0] == ($0 < content.count ? content[$0] : 0) }
            }
            if !isKnown { return "the sector at \(start) never had this content" }
        }
        return nil
    }
}

/// Random changes of names in two directories; the model is what is durable, and the changes since.
private struct NamesRun {
    typealias Names = [String: Int]
    typealias Change = [(path: String, file: Int?)]

    let disk: SimulatedFileSystem
    private var random: SplitMix64
    private var durable: Names = [:]
    private var pending: [Change] = []
    private var made = 0

    init(seed: UInt64, ignoresSyncs: Bool = false) throws {
        (disk, random) = (SimulatedFileSystem(seed: seed), SplitMix64(seed: ~seed))
        for directory in ["/a", "/b"] { try disk.durableDirectory(directory) }
        disk.faults.ignoresSyncDirectory = ignoresSyncs
    }

    mutating func mistake(steps: Int) throws -> String? {
        for _ in 0..<steps {
            if let mistake = try step() { return mistake }
        }
        return nil
    }

    private var current: Names { pending.reduce(into: durable) { apply($1, to: &$0) } }

    private func apply(_ change: Change, to names: inout Names) {
        for (path, file) in change { names[path] = file }
    }

    private mutating func path() -> String { ["/a", "/b"][random.below(2)] + "/\(random.below(3))" }

    private mutating func step() throws -> String? {
        let (first, second) = (path(), path())
        switch random.below(8) {
        case 0, 1:
            if current[first] != nil { return nil }
            made += 1
            let file = try disk.unnamed(in: "/")
            try file.write([UInt8]("\(made)".utf8).span, at: 0)
            try file.syncData()
            try disk.link(file, as: first)
            pending.append([(first, made)])
        case 2, 3:
            guard let file = current[first], current[second] != file else { return nil }
            try disk.rename(first, to: second)
            pending.append([(first, nil), (second, file)])
        case 4:
            guard let file = current[first], current[second] == nil else { return nil }
            try disk.link(existing: first, as: second)
            pending.append([(second, file)])
        case 5:
            if try disk.remove(first) { pending.append([(first, nil)]) }
        case 6: return try sync(random.below(2) == 0 ? "/a" : "/b")
        default: return try cut()
        }
        return pending.count > 9 ? try sync("/a") ?? sync("/b") : nil
    }

    private mutating func sync(_ directory: String) throws -> String? {
        try disk.syncDirectory(directory)
        var needed: Set<String> = []
        var isNeeded = [Bool](repeating: false, count: pending.count)
        for (place, change) in pending.enumerated().reversed()
        where change.contains(where: { $0.path.hasPrefix(directory) || needed.contains($0.path) }) {
            isNeeded[place] = true
            needed.formUnion(change.map(\.path))
        }
        for (place, change) in pending.enumerated() where isNeeded[place] { apply(change, to: &durable) }
        pending = pending.enumerated().filter { !isNeeded[$0.offset] }.map(\.element)
        return nil
    }

    private mutating func cut() throws -> String? {
        disk.powerCut()
        let found = try names()
        let isPossible = (0..<1 << pending.count).contains { subset in
            var names = durable
            var broken: Set<String> = []
            for (place, change) in pending.enumerated() {
                if subset & 1 << place == 0 {
                    broken.formUnion(change.map(\.path))
                } else if change.contains(where: { broken.contains($0.path) }) {
                    return false
                } else {
                    apply(change, to: &names)
                }
            }
            return names == found
        }
        if !isPossible { return "found \(found); durable were \(durable), pending \(pending)" }
        (durable, pending) = (found, [])
        return nil
    }

    private func names() throws -> Names {
        var found: Names = [:]
        for directory in ["/a", "/b"] {
            for name in try disk.names(in: directory) {
                let path = directory + "/" + name
                let digits = String(decoding: try disk.content(path) ?? [], as: UTF8.self)
                found[path] = Int(digits) ?? -1
            }
        }
        return found
    }
}
