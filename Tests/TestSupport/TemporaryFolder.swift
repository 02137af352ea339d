import Glibc

/// A folder of its own for one test, removed with everything in it when this object goes.
public final class TemporaryFolder: Sendable {
    /// Absolute, without a trailing slash.
    public let path: String

    public init() throws {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/ogw-test-XXXXXX".utf8CString)
        // SAFETY: mkdtemp writes within the template, which ends with a zero.
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
        }
        guard let made else { throw TemporaryFolderError(errno: errno) }
        path = made
    }

    deinit {
        Self.removeTree(path)
    }

    private static func removeTree(_ path: String) {
        // A link or file goes by unlink; what is left is a folder.
        if unsafe unlink(path) == 0 { return }
        if let stream = unsafe opendir(path) {
            // SAFETY: an entry is read before the next call replaces it; the stream is closed once.
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                    unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                if name != "." && name != ".." { removeTree(path + "/" + name) }
            }
            unsafe closedir(stream)
        }
        _ = unsafe rmdir(path)
    }
}

struct TemporaryFolderError: Error {
    var errno: Int32
}
