public import Files

/// Why a server could not start or take a new certificate.
public enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
    case cannotListen(ListenAddress, SystemError)
    /// The file that OpenSSL refused, where it was one.
    case tls(path: String?, reason: String)
    /// The server was started without TLS.
    case noCertificate

    public var description: String {
        switch self {
        case .cannotListen(let address, let error): "cannot listen on \(address): \(error)"
        case .tls(let path, let reason): (path.map { "\($0): " } ?? "TLS: ") + reason
        case .noCertificate: "the server has no certificate to reload"
        }
    }
}
