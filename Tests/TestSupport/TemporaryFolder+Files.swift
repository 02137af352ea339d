import Glibc

extension TemporaryFolder {
    /// The path of a name inside.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Returns the path of the file written.
    @discardableResult
    public func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let path = file(name)
        let content = Array(bytes)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestSupportError("cannot write \(path): errno \(errno)") }
        defer { close(descriptor) }
        var done = 0
        while done < content.count {
            let written = unsafe content.withUnsafeBytes { lent in
                // SAFETY: start + done stays within the lent bytes.
                unsafe Glibc.write(descriptor, lent.baseAddress.map { unsafe $0 + done }, lent.count - done)
            }
            guard written > 0 else { throw TestSupportError("cannot write \(path): errno \(errno)") }
            done += written
        }
        return path
    }

    public static func read(_ path: String) throws -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestSupportError("cannot read \(path): errno \(errno)") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = unsafe Glibc.read(descriptor, &piece, piece.count)
            guard got >= 0 else { throw TestSupportError("cannot read \(path): errno \(errno)") }
            if got == 0 { return content }
            content += piece[..<got]
        }
    }
}

/// What kept a test from being run at all.
public struct TestSupportError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
