import Files
import Glibc
import SimulatedDisk
import Testing

/// What many seeds make of the same calls.
func outcomes<Value: Hashable>(seeds: Int = 400, _ run: (SimulatedFileSystem) throws -> Value) throws -> Set<Value> {
    try Set((0..<seeds).map { try run(SimulatedFileSystem(seed: UInt64($0))) })
}

extension SimulatedFileSystem {
    /// A file with a durable name and durable content.
    @discardableResult
    func durableFile(_ path: String = "/file", _ content: [UInt8] = []) throws -> any DiskFile {
        let file = try open(path, .create)
        try file.write(content.span, at: 0)
        try file.syncData()
        try syncDirectory(parent(of: path))
        return file
    }

    func durableDirectory(_ path: String) throws {
        try makeDirectory(path)
        try syncDirectory(parent(of: path))
    }

    func content(_ path: String = "/file") throws -> [UInt8]? { try contents(of: path) }

    func sortedNames(_ path: String = "/") throws -> [String] { try names(in: path).sorted() }
}

func parent(of path: String) -> String {
    let names = path.split(separator: "/").dropLast()
    return "/" + names.joined(separator: "/")
}

/// So many bytes of one value.
func fill(_ value: UInt8, _ count: Int = 512) -> [UInt8] { [UInt8](repeating: value, count: count) }

/// What a call throws.
func errno(_ call: () throws -> Void) -> Int32? {
    do {
        try call()
        return nil
    } catch {
        return (error as? SystemError)?.errno ?? -1
    }
}
