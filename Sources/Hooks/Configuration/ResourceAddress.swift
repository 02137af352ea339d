import Bytes
public import Metadata

/// Where a file comes from: an object of this store, or a URL.
public enum ResourceAddress: Sendable, Hashable {
    /// `s3://bucket/key`.
    case object(BucketName, ObjectKey)
    /// `http` or `https`, without user and password.
    case url(String)

    public static let wanted = "an address such as s3://bucket/key or https://host/path"

    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        if bytes.starts(with: "s3://".utf8) {
            let parts = bytes.dropFirst(5).split(separator: Ascii.slash, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let bucket = BucketName(parts[0]), let key = ObjectKey(Array(parts[1])) else {
                return nil
            }
            self = .object(bucket, key)
        } else if Self.isURL(text) {
            self = .url(text)
        } else {
            return nil
        }
    }

    /// Whether it is an absolute `http` or `https` URL of at most 2048 printable characters with a host (RFC 3986), without
    /// user information, which would be kept and shown, and without a fragment.
    public static func isURL(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count <= 2048, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#".utf8.contains($0) })
        else { return false }
        let lowered = Ascii.lowered(bytes.prefix(8))
        let rest: ArraySlice<UInt8>
        if lowered.starts(with: "https://".utf8) {
            rest = bytes.dropFirst(8)
        } else if lowered.starts(with: "http://".utf8) {
            rest = bytes.dropFirst(7)
        } else {
            return false
        }
        let authority = rest.prefix { $0 != Ascii.slash && $0 != 0x3F }
        return isAuthority(authority)
    }

    private static func isAuthority(_ authority: ArraySlice<UInt8>) -> Bool {
        var host = authority
        if let colon = authority.lastIndex(of: Ascii.colon), !authority[colon...].contains(0x5D) {
            guard let port = Ascii.decimal(authority[(colon + 1)...]), (1...65_535).contains(port) else { return false }
            host = authority[..<colon]
        }
        if host.first == 0x5B {
            // An IPv6 address in brackets.
            return host.last == 0x5D && host.count > 3
                && host.dropFirst().dropLast().allSatisfy {
                    Hex.value(of: $0) != nil || $0 == Ascii.colon || $0 == Ascii.dot
                }
        }
        return !host.isEmpty
            && host.allSatisfy {
                Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.dash || $0 == Ascii.dot || $0 == 0x5F
            }
    }
}
