import Bytes

/// Which hosts those requests may reach whose URLs users chose: any that has a public address, and of the others only those that
/// are named.
public struct OutboundRules: Sendable, Equatable {
    /// As `host:port`, in lower case.
    public var allowed: Set<String>

    public init(allowed: some Sequence<String> = []) {
        self.allowed = Set(allowed.map { String(decoding: Ascii.lowered($0.utf8), as: UTF8.self) })
    }

    /// Whether the URL's host is named, and so may have a private address.
    public func mayBePrivate(_ url: String) -> Bool {
        Self.authority(of: url).map(allowed.contains) ?? false
    }

    /// `host:port` in lower case, with the port that the scheme implies; nil for what is no http or https URL.
    static func authority(of url: String) -> String? {
        let bytes = Ascii.lowered(url.utf8)
        let port: String
        let rest: ArraySlice<UInt8>
        if bytes.starts(with: "https://".utf8) {
            (port, rest) = ("443", bytes.dropFirst(8))
        } else if bytes.starts(with: "http://".utf8) {
            (port, rest) = ("80", bytes.dropFirst(7))
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != Ascii.slash && $0 != Ascii.question && $0 != 0x23 }
        // Who is asked stands behind the last @.
        let host = authority[((authority.lastIndex(of: 0x40).map { $0 + 1 }) ?? authority.startIndex)...]
        guard !host.isEmpty else { return nil }
        let text = String(decoding: host, as: UTF8.self)
        let hasPort = host.lastIndex(of: Ascii.colon).map { !host[$0...].contains(0x5D) } ?? false
        return hasPort ? text : "\(text):\(port)"
    }
}
