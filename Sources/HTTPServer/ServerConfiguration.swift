/// Every limit of the engine with its default.
public struct ServerConfiguration: Sendable {
    public var decoder = RequestDecoder.Limits()
    public var chunked = ChunkedDecoder.Limits()
    /// Open connections of all listeners together; above it new ones wait in the kernel's queue.
    public var connectionsMax = 10_000
    /// From a connection's first byte, or from its start, to a complete head.
    public var headerTimeout = Duration.seconds(30)
    /// How long a connection may lie idle between requests.
    public var keepAliveTimeout = Duration.seconds(75)
    /// The least rate, bytes per second, at which a body must move either way; the grace is what a transfer may lag.
    public var bodyRateMin: UInt64 = 1024
    public var bodyRateGrace = Duration.seconds(30)
    /// How long a closing connection takes and drops what its peer still sends, so that the peer reads the answer.
    public var lingerTimeout = Duration.seconds(5)
    /// Bytes of an unread body that are skipped to keep a connection, where they have come already.
    public var skippedBytesMax: UInt64 = 64 * 1024
    /// Bytes of a body that are lent in one turn, and bytes of a file that are sent in one.
    public var bodyTurnBytes = 256 * 1024
    public var fileTurnBytes = 512 * 1024
    /// Waiting connections that the kernel keeps per listener.
    public var backlog: Int32 = 1024
    /// PEM files: a certificate chain and its key; TLS is spoken where both are set, on all but unix sockets.
    public var tlsCertificatePath: String?
    public var tlsKeyPath: String?
    /// The body of an answer that the engine itself gives to a request no handler saw.
    public var errorBody: @Sendable (_ status: Int, _ reason: String) -> (contentType: String, bytes: [UInt8]) = {
        ("text/plain; charset=utf-8", [UInt8](($1 + "\n").utf8))
    }

    public init() {}
}
