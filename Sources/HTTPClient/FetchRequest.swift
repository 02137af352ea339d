/// One outgoing HTTP call.
public struct FetchRequest: Sendable {
    public var method: String
    /// `http` or `https`; anything else is refused before a name is resolved.
    public var url: String
    public var headers: [(name: String, value: String)]
    /// Sent with its length, never chunked. Nil sends no body and no Content-Length.
    public var body: [UInt8]?
    public var limits: FetchLimits

    public init(
        _ method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        limits: FetchLimits = FetchLimits()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
    }
}

/// What one call may cost.
public struct FetchLimits: Sendable {
    /// Name resolution, connection and TLS handshake together.
    public var connectTimeout: Duration
    /// The whole call.
    public var timeout: Duration
    /// Bytes of the response's body.
    public var bodyBytesMax: Int
    /// Bytes of the response's head, all header lines together.
    public var headBytesMax: Int

    public init(
        connectTimeout: Duration = .seconds(10), timeout: Duration = .seconds(60), bodyBytesMax: Int = 8 << 20,
        headBytesMax: Int = 64 << 10
    ) {
        self.connectTimeout = connectTimeout
        self.timeout = timeout
        self.bodyBytesMax = bodyBytesMax
        self.headBytesMax = headBytesMax
    }
}

/// The answer, whatever its status: a 404 or a 500 is no error of the call.
public struct FetchResponse: Sendable {
    public var status: Int
    /// In the order received; names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    /// The first value of a header; `name` in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}
