import Glibc

/// What keeps a client program from going on, in one sentence.
public struct ClientError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    /// A system call that failed just now.
    public static func system(_ call: String) -> ClientError { ClientError("\(call) failed with errno \(errno)") }
}
