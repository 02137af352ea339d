/// Why a call got no answer. The texts are libcurl's own, for the log.
public enum HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not a URL, or not of http or https.
    case unusableURL(String)
    /// A method or a header that holds a control character, and could split the request in two.
    case unusableHeader(String)
    case unresolvedHost(String)
    case notConnected(String)
    /// The host's address is one of a private network, which this request may not reach.
    case privateAddress
    case timedOut
    /// The peer's certificate or its handshake was refused.
    case tls(String)
    /// The head or the body of the answer exceeds its limit.
    case responseTooLarge
    /// The session was closed.
    case closed
    /// Anything else, with libcurl's code.
    case failed(code: UInt32, String)

    public var description: String {
        switch self {
        case .unusableURL(let reason): "unusable URL: \(reason)"
        case .unusableHeader(let name): "unusable header: \(name)"
        case .unresolvedHost(let reason): "host name not resolved: \(reason)"
        case .notConnected(let reason): "not connected: \(reason)"
        case .privateAddress: "the address belongs to a private network"
        case .timedOut: "timed out"
        case .tls(let reason): "TLS failed: \(reason)"
        case .responseTooLarge: "the response is too large"
        case .closed: "the session is closed"
        case .failed(let code, let reason): "libcurl error \(code): \(reason)"
        }
    }
}
