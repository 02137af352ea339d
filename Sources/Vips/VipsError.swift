/// Why libvips could not read or make something. The texts are its own hints.
public enum VipsError: Error, Sendable, Equatable, CustomStringConvertible {
    case notStarted(String)
    /// The library that runs has no such operation, or no such choice in one.
    case missing(String)
    /// An operation refused its input, or the bytes below it are damaged.
    case failed(operation: String, String)
    /// The watcher asked for the work to end.
    case stopped

    public var description: String {
        switch self {
        case .notStarted(let reason): "libvips did not start: \(reason)"
        case .missing(let what): "libvips lacks \(what)"
        case .failed(_, let reason): reason
        case .stopped: "stopped"
        }
    }
}
