import Bytes

/// Where a broker listens: `scheme://host[:port][/path]`.
public struct BrokerAddress: Sendable, Equatable {
    /// An IPv6 address stands in brackets.
    public var host: String
    public var port: UInt16
    /// What stands behind the first slash.
    public var path: String

    /// Nil for what is none, or holds a user or a password, which would be kept and shown.
    init?(_ text: String, scheme: String, port: UInt16) {
        let bytes = Array(text.utf8)
        let start = Array("\(scheme)://".utf8)
        guard bytes.count <= 2048, bytes.starts(with: start),
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#?@".utf8.contains($0) })
        else { return nil }
        let rest = bytes.dropFirst(start.count)
        var host = rest.prefix { $0 != Ascii.slash }
        path = String(decoding: rest.dropFirst(host.count + 1), as: UTF8.self)
        self.port = port
        if let colon = host.lastIndex(of: Ascii.colon), !host[colon...].contains(0x5D) {
            guard let number = Ascii.decimal(host[(colon + 1)...]).flatMap({ UInt16(exactly: $0) }), number > 0 else {
                return nil
            }
            self.port = number
            host = host[..<colon]
        }
        let isBracketed = host.first == 0x5B && host.last == 0x5D && host.count > 3
        let name = isBracketed ? host.dropFirst().dropLast() : host
        let isName = name.allSatisfy {
            Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.dash || $0 == Ascii.dot || $0 == Ascii.underscore
                || (isBracketed && $0 == Ascii.colon)
        }
        guard !name.isEmpty, isName else { return nil }
        self.host = String(decoding: host, as: UTF8.self)
    }

    /// Without the brackets of IPv6.
    var bareHost: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }
    var text: String { "\(host):\(port)" }

    /// The number that the path is, 0 where there is none; nil for another path.
    var redisDatabase: Int? {
        if path.isEmpty { return 0 }
        return Ascii.decimal(Array(path.utf8)).flatMap { $0 <= 1_000_000 ? Int($0) : nil }
    }
}
