import Bytes
import Hooks

/// URLs that an addon names.
enum ResultURL {
    static func isUsable(_ url: String) -> Bool { ResourceAddress.isURL(url) }

    /// `scheme://host:port` of a URL, in lower case; what is no URL has none.
    static func origin(of url: String) -> String? {
        guard ResourceAddress.isURL(url) else { return nil }
        let bytes = Array(url.utf8)
        guard let slashes = bytes.firstIndex(of: Ascii.slash) else { return nil }
        let end = bytes[(slashes + 2)...].firstIndex { $0 == Ascii.slash || $0 == Ascii.question } ?? bytes.endIndex
        return String(decoding: Ascii.lowered(bytes[..<end]), as: UTF8.self)
    }

    /// A `Location` (RFC 9110 section 10.2.2) that is a URL, or a path of the same host; nil for others.
    static func resolve(_ location: String, against url: String) -> String? {
        if ResourceAddress.isURL(location) { return location }
        guard location.hasPrefix("/"), !location.hasPrefix("//"), let origin = origin(of: url) else { return nil }
        let whole = origin + location
        return ResourceAddress.isURL(whole) ? whole : nil
    }

    /// For reasons and logs: a query may hold a signature.
    static func shown(_ url: String) -> String { String(url.prefix { $0 != "?" }) }
}
