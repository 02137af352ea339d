import Glibc

/// The one folder that steps read and write. Files in it are named by plain names, never by paths.
public struct WorkFolder: Sendable {
    /// "." where the process stands in it.
    public let path: String

    public init(_ path: String) { self.path = path }

    /// Letters, digits, dot, dash and underscore, no dot first, at most 128 bytes: nothing that a path, an option of a
    /// program or the option string of a loader could be taken for.
    public static func isName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...128).contains(bytes.count), let first = bytes.first, first != UInt8(ascii: "."),
            first != UInt8(ascii: "-")
        else { return false }
        return bytes.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    func path(of name: String) throws(MediaError) -> String {
        guard Self.isName(name) else { throw MediaError(.options, "'\(name.prefix(64))' is no name of a file here") }
        return "\(path)/\(name)"
    }

    /// What tells one content of a file from another.
    struct Identity: Equatable {
        let size: Int
        let inode: UInt64
        let modified_ns: Int
    }

    func identity(of name: String) throws(MediaError) -> Identity {
        var status = stat()
        guard unsafe lstat(try path(of: name), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MediaError(.input, "there is no file \(name)")
        }
        return Identity(
            size: status.st_size, inode: UInt64(status.st_ino),
            modified_ns: status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec)
    }

    /// At most `bytesMax` bytes from the start.
    func read(_ name: String, bytesMax: Int) throws(MediaError) -> [UInt8] {
        let descriptor = unsafe open(try path(of: name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw MediaError(.input, "there is no file \(name)") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(1 << 18, max(1, bytesMax)))
        while content.count < bytesMax {
            let got = unsafe Glibc.read(descriptor, &piece, min(piece.count, bytesMax - content.count))
            if got < 0 && errno == EINTR { continue }
            // SAFETY: read fills no more than the count that it is given.
            guard got >= 0 else { throw MediaError(.input, "\(name) cannot be read: errno \(errno)") }
            if got == 0 { break }
            content += piece[..<got]
        }
        return content
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(MediaError) {
        let descriptor = unsafe open(try path(of: name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw MediaError(.failed, "\(name) cannot be written: errno \(errno)") }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { lent in
                // SAFETY: start + done stays within the lent bytes.
                unsafe Glibc.write(descriptor, lent.baseAddress.map { unsafe $0 + done }, lent.count - done)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw MediaError(.failed, "\(name) cannot be written: errno \(errno)") }
            done += written
        }
    }

    func remove(_ name: String) {
        if let path = try? path(of: name) { _ = unsafe unlink(path) }
    }
}

extension WorkFolder {
    /// The class of helper that takes a file; nil where there is no such file, or it is of no known kind.
    public func helper(of name: String) -> HelperClass? {
        (try? read(name, bytesMax: FileType.headBytes)).flatMap { FileType.sniff($0).helper }
    }
}
