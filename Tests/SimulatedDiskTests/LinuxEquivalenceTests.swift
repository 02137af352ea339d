import Files
import Glibc
import SimulatedDisk
import TestSupport
import Testing

/// The same calls on the kernel's file system and on the simulated one, without cuts, give the same results and errors.
@Suite struct LinuxEquivalenceTests {
    @Test(arguments: 0..<10 as Range<UInt64>) func `random calls give the same`(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let simulated = SimulatedFileSystem(seed: seed, traceLength: 20)
        var path = ""
        for name in folder.path.split(separator: "/") {
            path += "/\(name)"
            try simulated.makeDirectory(path)
        }
        var pair = DiskPair(linux: LinuxDisk(), simulated: simulated, root: folder.path, random: SplitMix64(seed: seed))
        for step in 0..<1000 {
            let (name, linux, simulated) = pair.step()
            #expect(linux == simulated, "seed \(seed), step \(step): \(name)\n\(pair.simulated)")
            if linux != simulated { return }
        }
        let (linux, found) = (pair.tree(pair.linux, folder.path), pair.tree(pair.simulated, folder.path))
        #expect(linux == found, "seed \(seed)\n\(pair.simulated)")
    }
}

/// Two file systems that are asked the same.
private struct DiskPair {
    let linux: LinuxDisk
    let simulated: SimulatedFileSystem
    let root: String
    var random: SplitMix64
    private var files: [(any DiskFile, any DiskFile)] = []

    init(linux: LinuxDisk, simulated: SimulatedFileSystem, root: String, random: SplitMix64) {
        (self.linux, self.simulated, self.root, self.random) = (linux, simulated, root, random)
    }

    /// Few names, so that they meet.
    private mutating func path() -> String {
        let names = ["a", "b", "c", "d"]
        var path = root
        for _ in 0...random.below(3) { path += "/" + names[random.below(names.count)] }
        if random.chance(4) { path += "/" + String(repeating: "n", count: 256) }
        if random.chance(8) { path += "/./" + names[random.below(names.count)] }
        return path
    }

    /// What was called, and what both said.
    mutating func step() -> (String, String, String) {
        let (first, second) = (path(), path())
        switch random.below(18) {
        case 0, 1: return both("makeDirectory \(first)") { "\(try $0.makeDirectory(first))" }
        case 2: return both("removeEmptyDirectory \(first)") { "\(try $0.removeEmptyDirectory(first))" }
        case 3: return both("remove \(first)") { "\(try $0.remove(first))" }
        case 4, 5:
            return both("rename \(first) \(second)") {
                try $0.rename(first, to: second)
                return ""
            }
        case 6:
            return both("link \(first) \(second)") {
                try $0.link(existing: first, as: second)
                return ""
            }
        case 7: return both("names \(first)") { "\(try $0.names(in: first).sorted())" }
        case 8:
            return both("syncDirectory \(first)") {
                try $0.syncDirectory(first)
                return ""
            }
        case 9: return open("unnamed in \(first)") { try $0.unnamed(in: first) }
        case 10, 11:
            let mode = [DiskOpenMode.read, .update, .create, .createNew][random.below(4)]
            return open("open \(first) \(mode)") { try $0.open(first, mode) }
        default: return files.isEmpty ? step() : fileStep(path: first)
        }
    }

    private mutating func fileStep(path: String) -> (String, String, String) {
        let place = random.below(files.count)
        let (offset, count) = (UInt64(random.below(3000)), random.below(2000))
        switch random.below(10) {
        case 0...2:
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return file(place, "write \(count) at \(offset)") {
                try $0.write(bytes.span, at: offset)
                return ""
            }
        case 3, 4: return file(place, "read \(count) at \(offset)") { "\(try $0.read(at: offset, count: count))" }
        case 5:
            return file(place, "read into") {
                var buffer = [UInt8](repeating: 7, count: count)
                return "\(try $0.read(at: offset, into: &buffer)) \(buffer)"
            }
        case 6:
            return file(place, "truncate to \(offset), size") {
                try $0.truncate(to: offset)
                return "\(try $0.size())"
            }
        case 7:
            let syncs = random.chance(16)
            return file(place, "reserve \(count) at \(offset), sync") {
                try $0.reserve(at: offset, count: UInt64(count))
                if syncs { try $0.syncData() }
                return ""
            }
        case 8:
            let (linuxFile, simulatedFile) = files[place]
            return (
                "link a file as \(path)",
                said {
                    try linux.link(linuxFile, as: path)
                    return ""
                },
                said {
                    try simulated.link(simulatedFile, as: path)
                    return ""
                }
            )
        default:
            files.remove(at: place)
            return ("close", "", "")
        }
    }

    private func said(_ call: () throws -> String) -> String {
        do { return try call() } catch {
            guard let error = error as? SystemError else { return "\(error)" }
            return "errno \(error.errno): \(error)"
        }
    }

    private func both(_ name: String, _ call: (any Disk) throws -> String) -> (String, String, String) {
        (name, said { try call(linux) }, said { try call(simulated) })
    }

    private func file(
        _ place: Int, _ name: String, _ call: (any DiskFile) throws -> String
    ) -> (String, String, String) {
        (name, said { try call(files[place].0) }, said { try call(files[place].1) })
    }

    private mutating func open(
        _ name: String, _ call: (any Disk) throws -> any DiskFile
    ) -> (String, String, String) {
        var opened: [any DiskFile] = []
        let linuxSaid = said {
            opened.append(try call(linux))
            return ""
        }
        let simulatedSaid = said {
            opened.append(try call(simulated))
            return ""
        }
        if opened.count == 2 { files.append((opened[0], opened[1])) }
        return (name, linuxSaid, simulatedSaid)
    }

    /// All names and contents below a directory.
    func tree(_ disk: any Disk, _ path: String) -> [String] {
        guard let names = try? disk.names(in: path) else {
            return ["\(path): \(said { "\(try disk.contents(of: path) ?? [])" })"]
        }
        return [path] + names.sorted().flatMap { tree(disk, path + "/" + $0) }
    }
}
