import Files
import Glibc

/// The last calls, in a ring.
struct CallTrace: Sendable {
    struct Entry: Sendable {
        /// Since the file system was made.
        var time: Int
        var call: DiskCall
        var path: String?
        var target: String?
        /// The number of the file's inode.
        var file: Int?
        var offset: UInt64 = 0
        var count: UInt64 = 0
        var errno: Int32 = 0
        /// What happened besides, such as a power cut. It stands alone.
        var event: String?
    }

    private var ring: [Entry] = []
    private let length: Int
    private var next = 0

    init(length: Int) { self.length = length }

    mutating func record(_ entry: @autoclosure () -> Entry) {
        if length == 0 { return }
        if ring.count < length {
            ring.append(entry())
        } else {
            ring[next] = entry()
        }
        next = next + 1 == length ? 0 : next + 1
    }

    mutating func lastFailed(_ error: SystemError) {
        if ring.isEmpty { return }
        ring[next == 0 ? ring.count - 1 : next - 1].errno = error.errno
    }

    /// Oldest first, a line each.
    var lines: [String] { (ring.count < length ? ring : Array(ring[next...] + ring[..<next])).map(\.line) }
}

extension CallTrace.Entry {
    fileprivate var line: String {
        if let event { return "\(time): \(event)" }
        var line = "\(time): \(call)"
        if let file { line += " of inode \(file)" }
        if let path { line += " \(path)" }
        if let target { line += " -> \(target)" }
        if count > 0 || offset > 0 { line += " at \(offset), \(count) bytes" }
        // SAFETY: the text of a number is a constant of the C library.
        if errno != 0 { line += unsafe ": \(String(cString: strerror(errno)))" }
        return line
    }
}
