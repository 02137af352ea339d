public import Bytes

/// One request as the handler sees it.
public struct Request: Sendable {
    public let head: RequestHead
    public let body: RequestBody
    public let connection: ConnectionInfo
    /// When the head was complete.
    public let received: Timestamp
}

/// What is known of the connection that a request came on.
public struct ConnectionInfo: Sendable {
    /// The peer's address as text, `127.0.0.1` or `::1`; empty for a unix socket.
    public let peerAddress: String
    public let peerPort: UInt16
    public let isTLS: Bool
}
