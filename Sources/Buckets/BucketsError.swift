public import Files
public import Metadata

/// Why bytes could not be stored or read. `Gateway` maps each case to one S3 error.
public enum BucketsError: Error, Sendable, Equatable {
    /// The source gave more than this many bytes.
    case tooLarge(sizeMax: UInt64)
    /// Free space is below the configured minimum, or the file system refused to grow.
    case diskFull
    /// The blob's file is not there any more: the version was replaced or deleted since its row was read.
    case gone(BlobID)
    /// The range does not lie within the version.
    case invalidRange
    /// The blob was staged too long ago to be published: it may count as an orphan already.
    case expired(BlobID)
    /// The engine that keeps the blobs is away, refuses, or failed for now. The text is for the log, never for a client.
    case unavailable(String)
    /// A limit on what is done at once is reached; try again. The text is for the log, never for a client.
    case overloaded(String)
    /// A blob or row contradicts the other. The text is for the log, never for a client.
    case damaged(String)
    /// The text is for the log, never for a client.
    case system(SystemError)

    init(_ error: SystemError) { self = error.isDiskFull ? .diskFull : .system(error) }
}

extension BucketsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let sizeMax): "more than \(sizeMax) bytes"
        case .diskFull: "the disk is full, or below its minimum of free space"
        case .gone(let blob): "blob \(blob.value) is gone"
        case .invalidRange: "the range does not lie within the version"
        case .expired(let blob): "blob \(blob.value) was staged too long ago"
        case .overloaded(let what), .unavailable(let what), .damaged(let what): what
        case .system(let error): error.description
        }
    }
}
