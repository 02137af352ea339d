public import Files

/// One outgoing request of an `HTTPSession`.
public struct StreamRequest: Sendable {
    public var method: String
    /// `http` or `https`; anything else is refused before a name is resolved.
    public var url: String
    public var headers: [(name: String, value: String)]
    /// Sent with its length, never chunked. Nil sends no body and no Content-Length. Shared with the transfer, not copied.
    public var body: [UInt8]?
    /// Sent behind `body`, which must be there then, and counted in the request's length.
    public var parts: [BodyPart] = []
    /// The path of a unix socket that the connection goes to, whatever host `url` names; nil for that host.
    public var unixSocket: String?
    /// Whether addresses of private networks are refused, whatever name leads to them.
    public var isPublicOnly = false
    /// Ends the request from outside; nil for one that only its limits end.
    public var cancellation: RequestCancellation?
    public var limits: StreamLimits

    public init(
        _ method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        limits: StreamLimits = StreamLimits()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
    }
}

/// A part of a request's body that need not be in memory.
public enum BodyPart: Sendable {
    case bytes([UInt8])
    /// So many bytes from the file's beginning.
    case file(OpenFile, size: UInt64)

    var size: UInt64 {
        switch self {
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, let size): size
        }
    }

    /// Fewer than wanted where the file is shorter than it was said to be, or cannot be read.
    func read(at offset: UInt64, count: Int) -> [UInt8] {
        switch self {
        case .bytes(let bytes): Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
        case .file(let file, _): (try? file.read(at: offset, count: count)) ?? []
        }
    }
}

/// What one transfer may cost.
public struct StreamLimits: Sendable {
    /// Name resolution, connection and TLS handshake together.
    public var connectTimeout: Duration
    /// How long nothing may move in either direction, rounded up to whole seconds. While the reader of a response is behind,
    /// its time does not count.
    public var idleTimeout: Duration
    /// All of it; nil for a stream, which lasts as long as its bytes move.
    public var timeout: Duration?
    /// Bytes of the response's head, all header lines together.
    public var headBytesMax: Int
    /// Bytes of a response that wait for their reader before the connection is no longer read; what libcurl hands over at
    /// once (128 KiB) may come on top.
    public var windowBytes: Int

    public init(
        connectTimeout: Duration = .seconds(5), idleTimeout: Duration = .seconds(30), headBytesMax: Int = 64 << 10,
        windowBytes: Int = 512 << 10, timeout: Duration? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.headBytesMax = headBytesMax
        self.windowBytes = windowBytes
        self.timeout = timeout
    }
}
