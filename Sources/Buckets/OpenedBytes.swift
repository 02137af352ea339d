import Files
import Metadata
import Threads

/// The bytes of a version, or of a range of it, ready to be read.
public enum OpenedBytes: Sendable {
    case none
    /// They were small, and are here.
    case memory([UInt8])
    /// All lie in one file, and are what was written. It is open, so it stays readable whatever becomes of the version.
    case one(BlobSlice)
    /// They lie in several places, or are yet to be checked.
    case several(BlobSequence)
    /// They come from an engine, at least some of them, and are checked on their way.
    case stream(BlobStream)

    /// A piece of them.
    public enum Run: Sendable {
        case bytes([UInt8])
        case slice(BlobSlice)
    }

    /// In bytes.
    public var length: UInt64 {
        switch self {
        case .none: 0
        case .memory(let bytes): UInt64(bytes.count)
        case .one(let slice): slice.length
        case .several(let sequence): sequence.length
        case .stream(let stream): stream.length
        }
    }

    /// Calls `body` with each run of bytes, in order. One file is open at a time. Throws as `BlobSequence.next` does, or what
    /// `body` throws.
    public func forEach(_ body: (Run) async throws -> Void) async throws {
        switch self {
        case .none: break
        case .memory(let bytes): try await body(.bytes(bytes))
        case .one(let slice): try await body(.slice(slice))
        case .several(let sequence): while let slice = try await sequence.next() { try await body(.slice(slice)) }
        case .stream(let stream): while let bytes = try await stream.next() { try await body(.bytes(bytes)) }
        }
    }
}
