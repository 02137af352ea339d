/// Why an image could not be read or made. The texts are libvips' own hints, for the log and the dead-letter list.
public enum VipsError: Error, Sendable, Equatable, CustomStringConvertible {
    case notStarted(String)
    /// No loader that is allowed knows these bytes, or they are damaged: another try cannot work either.
    case undecodable(String)
    /// The header claims more pixels than the limit.
    case tooManyPixels(UInt64)
    case notEncoded(String)

    public var description: String {
        switch self {
        case .notStarted(let reason): "libvips did not start: \(reason)"
        case .undecodable(let reason): "not an image that can be read: \(reason)"
        case .tooManyPixels(let count): "\(count) pixels are too many"
        case .notEncoded(let reason): "the image could not be written: \(reason)"
        }
    }
}
