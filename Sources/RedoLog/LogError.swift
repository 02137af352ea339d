public import Files

/// Why the log could not be written or read.
public enum LogError: Error, Sendable, Equatable {
    /// The group was not written, and nothing of it will be found: the disk is full. The log can be written to again.
    case diskFull
    /// Whether the group is durable is unknown, or the log cannot be cut back: the process must end.
    case fatal(SystemError)
    /// The files contradict each other or themselves. The text is for the log and the command line.
    case damaged(String)
    /// A file of another program or another format.
    case foreign(String)
    case system(SystemError)
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .diskFull: "the disk is full"
        case .fatal(let error), .system(let error): error.description
        case .damaged(let what), .foreign(let what): what
        }
    }
}
