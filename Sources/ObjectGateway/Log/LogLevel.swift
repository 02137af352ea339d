/// How grave an event is.
public enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    public var name: StaticString {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// How a log line is written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case json
    /// `time level event name=value ...`, for people.
    case text
}
