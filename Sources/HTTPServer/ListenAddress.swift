import Bytes

/// Where a server listens: `127.0.0.1:9000`, `[::1]:9000`, `:9000` (all interfaces), `host:0` (a free port), `unix:/path`.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// `host` is a numeric address or a name, empty for all interfaces.
    case tcp(host: String, port: UInt16)
    /// Made with mode 0600; a socket file that nobody listens on is replaced.
    case unix(path: String)

    /// Nil when `text` has none of the forms above.
    public init?(_ text: String) {
        let bytes = [UInt8](text.utf8)
        let prefix = [UInt8]("unix:".utf8)
        if bytes.starts(with: prefix) {
            guard bytes.count > prefix.count, bytes.count - prefix.count < Self.unixPathMax else { return nil }
            self = .unix(path: String(decoding: bytes[prefix.count...], as: UTF8.self))
            return
        }
        guard let colon = bytes.lastIndex(of: Ascii.colon),
            let port = Ascii.decimal(bytes[(colon + 1)...]).flatMap(UInt16.init(exactly:))
        else { return nil }
        var host = bytes[..<colon]
        if host.first == 0x5B {
            guard host.last == 0x5D, host.count > 2 else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(Ascii.colon) {
            return nil
        }
        self = .tcp(host: String(decoding: host, as: UTF8.self), port: port)
    }

    /// Bytes of sockaddr_un.sun_path, its final NUL included.
    private static let unixPathMax = 108

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(Ascii.colon) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
