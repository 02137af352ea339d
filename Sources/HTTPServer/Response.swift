public import Files

/// What a handler answers. The engine adds Date, Connection, and Content-Length or Transfer-Encoding from `body`.
public struct Response: Sendable {
    /// 200...599.
    public var status: Int
    public var headers: HeaderBlock
    public var body: Body
    /// Close the connection after this response.
    public var closes = false
    /// Handed to the access log when the response has been sent.
    public var note: (any Sendable)?

    public enum Body: Sendable {
        /// No body and, for 204 and 304, no Content-Length.
        case none
        /// An answer to HEAD that says how long the body of a GET would be, in bytes.
        case headOnly(length: UInt64)
        case bytes([UInt8])
        /// Slices of files, one after the other, sent without copying where the connection allows.
        case files([FileSlice])
        /// Slices of files that together hold `length` bytes, each asked for when the one before is sent, so that one file is
        /// open at a time. Where `next` throws, or gives other than `length` bytes, the connection is cut.
        case fileSequence(length: UInt64, next: @Sendable () async throws -> FileSlice?)
        /// Bytes made while they are sent: with Content-Length when `length` is known (exactly that many must be
        /// written, or the connection is cut), else chunked. Also used to keep a connection alive by writing
        /// white space while a long operation runs.
        case stream(length: UInt64?, @Sendable (BodyWriter) async throws -> Void)

        /// The bytes that will be sent, as far as they are known.
        public var length: UInt64? {
            switch self {
            case .none, .headOnly: 0
            case .bytes(let bytes): UInt64(bytes.count)
            case .files(let slices): slices.reduce(0) { $0 &+ $1.length }
            case .fileSequence(let length, _): length
            case .stream(let length, _): length
            }
        }
    }

    public init(status: Int, headers: HeaderBlock = HeaderBlock(), body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A part of an open file, offset and length in bytes.
public struct FileSlice: Sendable {
    public var file: any DiskFile
    public var offset: UInt64
    public var length: UInt64

    public init(file: any DiskFile, offset: UInt64, length: UInt64) {
        self.file = file
        self.offset = offset
        self.length = length
    }
}

/// Where a streamed body is written to.
public struct BodyWriter: Sendable {
    private let send: @Sendable ([UInt8]) async throws -> Void

    public init(_ send: @escaping @Sendable ([UInt8]) async throws -> Void) { self.send = send }

    /// Sends `bytes`; suspends while the peer is slower. Throws `BodyError` when the peer is gone or too slow.
    public func write(_ bytes: [UInt8]) async throws { try await send(bytes) }
}
