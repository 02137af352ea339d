/// One outgoing request of an `HTTPSession`.
public struct StreamRequest: Sendable {
    public var method: String
    /// `http` or `https`; anything else is refused before a name is resolved.
    public var url: String
    public var headers: [(name: String, value: String)]
    /// Sent with its length, never chunked. Nil sends no body and no Content-Length. Shared with the transfer, not copied.
    public var body: [UInt8]?
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

/// What one transfer may cost. How long all of it takes is not limited: a stream lasts as long as its bytes move.
public struct StreamLimits: Sendable {
    /// Name resolution, connection and TLS handshake together.
    public var connectTimeout: Duration
    /// How long nothing may move in either direction, rounded up to whole seconds. While the reader of a response is behind,
    /// its time does not count.
    public var idleTimeout: Duration
    /// Bytes of the response's head, all header lines together.
    public var headBytesMax: Int
    /// Bytes of a response that wait for their reader before the connection is no longer read; what libcurl hands over at
    /// once (128 KiB) may come on top.
    public var windowBytes: Int

    public init(
        connectTimeout: Duration = .seconds(5), idleTimeout: Duration = .seconds(30), headBytesMax: Int = 64 << 10,
        windowBytes: Int = 512 << 10
    ) {
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.headBytesMax = headBytesMax
        self.windowBytes = windowBytes
    }
}
