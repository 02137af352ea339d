/// The body of one request, read once, in order.
public struct RequestBody: Sendable {
    /// Content-Length in bytes, 0 without a body; nil when the body is chunked.
    public let length: UInt64?
    private let source: any BodySource

    init(length: UInt64?, source: any BodySource) {
        self.length = length
        self.source = source
    }

    /// A body that is in memory already, for requests made in process.
    public init(bytes: [UInt8]) {
        length = UInt64(bytes.count)
        source = MemoryBody(bytes)
    }

    /// Lends the next bytes to `consume`, at most 256 KiB a call, and returns true; false at the end of the body.
    /// Suspends while none have come; the first call sends `100 Continue` where the client expects it.
    /// Throws `BodyError`, or what `consume` throws. The span is valid during `consume` only. Not for concurrent use.
    public func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
        try await source.read(consume)
    }
}

/// Where the bytes of a body come from: a connection, or memory.
protocol BodySource: Sendable {
    func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool
}

/// Why a body could not be read, or a response not be sent.
public enum BodyError: Error, Sendable, Equatable {
    case disconnected
    /// The peer stayed below the minimum rate, or fell silent.
    case tooSlow
    /// Chunked framing was broken, or exceeded a limit.
    case malformed
    /// The server is stopping and the time for it is over.
    case stopping
}
