/// What is told to the access log after each response.
public struct AccessRecord: Sendable {
    /// Nil where no valid head was read.
    public let head: RequestHead?
    public let status: Int
    /// Bytes on the wire before encryption, heads included.
    public let bytesSent: UInt64
    public let bytesReceived: UInt64
    /// From the complete head to the end of the response.
    public let duration: Duration
    public let connection: ConnectionInfo
    /// The response was sent whole.
    public let isComplete: Bool
    /// What the handler put into `Response.note`; nil for a request that no handler saw.
    public let note: (any Sendable)?
}

/// Counts since the start, and what is open now.
public struct ServerStatistics: Sendable, Equatable {
    public var connectionsOpen = 0
    public var connectionsAccepted = 0
    public var requests = 0
    public var bytesReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var handshakes = 0
    /// Handshakes that failed.
    public var handshakesFailed = 0
    /// Requests that were refused before a handler saw them.
    public var requestsRefused = 0
}
