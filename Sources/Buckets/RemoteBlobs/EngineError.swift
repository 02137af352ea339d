import HTTPClient

/// Why the engine did not do what it was asked.
enum EngineError: Error, Sendable, Equatable {
    /// It answered with an error: the status, and the code of its document where it has one.
    case refused(status: Int, code: String)
    /// No whole answer came.
    case transport(HTTPClientError)
    /// The answer is none of S3's.
    case malformed(String)

    /// A digest that differs is the connection's fault: it was computed of the bytes that were sent.
    private static let retried: Set = ["SlowDown", "InternalError", "RequestTimeout", "BadDigest"]

    /// The same request may succeed later. All requests to the engine may be repeated: a key is written by one process only,
    /// with the same bytes.
    var isTransient: Bool {
        switch self {
        case .refused(let status, let code):
            [408, 429, 500, 502, 503, 504].contains(status)
                || Self.retried.contains(code)
        case .transport(.unusableURL), .transport(.unusableHeader), .transport(.tls), .transport(.closed): false
        case .transport: true
        case .malformed: false
        }
    }

    /// The object is not there; a missing bucket does not count.
    var isNoSuchKey: Bool {
        if case .refused(404, let code) = self { code.isEmpty || code == "NoSuchKey" } else { false }
    }
}

extension EngineError: CustomStringConvertible {
    var description: String {
        switch self {
        case .refused(let status, let code): "the engine answered \(status)\(code.isEmpty ? "" : " \(code)")"
        case .transport(let error): "no answer of the engine: \(error)"
        case .malformed(let what): "the engine's answer is unusable: \(what)"
        }
    }
}

extension BucketsError {
    init(_ error: EngineError) { self = .unavailable(error.description) }
}
