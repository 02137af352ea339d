import Glibc

/// A system call that failed.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    public let call: StaticStringName
    public let errno: Int32
    /// The path concerned, for the log and the command line; never for a client.
    public let path: String?

    public init(_ call: StaticString, errno: Int32? = nil, path: String? = nil) {
        self.call = StaticStringName(call)
        self.errno = errno ?? Glibc.errno
        self.path = path
    }

    public var isNotFound: Bool { errno == ENOENT }
    /// The device gave up.
    public var isInputOutput: Bool { errno == EIO }
    public var isDiskFull: Bool { errno == ENOSPC || errno == EDQUOT }

    public var description: String {
        // SAFETY: the text of a number is a constant of the C library, read before anything else runs.
        let reason = unsafe String(cString: strerror(errno))
        return path.map { "\(call.text) \($0): \(reason)" } ?? "\(call.text): \(reason)"
    }
}

/// The name of a system call, comparable.
public struct StaticStringName: Sendable, Equatable {
    let name: StaticString
    init(_ name: StaticString) { self.name = name }
    var text: String { name.description }
    public static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
}
