import Bytes
import Glibc

/// An address of IPv4 or IPv6. One of IPv4 that is written within IPv6 (`::ffff:10.0.0.1`) is the IPv4 one.
public struct IPAddress: Sendable, Equatable {
    /// 4 or 16.
    let bytes: [UInt8]

    public init?(_ text: some Collection<UInt8>) {
        guard (2...45).contains(text.count), !text.contains(0) else { return nil }
        let terminated = text.map { CChar(truncatingIfNeeded: $0) } + [0]
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var out = [UInt8](repeating: 0, count: length)
            // SAFETY: the text ends with NUL, and `out` has the length that the family's address takes.
            if unsafe inet_pton(family, terminated, &out) == 1 {
                bytes = Self.isMapped(out) ? Array(out[12...]) : out
                return
            }
        }
        return nil
    }

    public init?(_ text: String) { self.init(Array(text.utf8)) }

    private static func isMapped(_ bytes: [UInt8]) -> Bool {
        bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    var text: [UInt8] {
        var out = [CChar](repeating: 0, count: 46)
        // SAFETY: the longest written address and its NUL take 46 bytes.
        _ = unsafe inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &out, 46)
        return out.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }
}

/// The addresses with the same first bits: `203.0.113.0/24`, or one address.
public struct IPRange: Sendable, Equatable {
    let address: IPAddress
    let bits: Int

    /// Bits behind the prefix may be set; they mean nothing.
    public init?(_ text: some Collection<UInt8>) {
        let text = Array(text)
        let slash = text.firstIndex(of: Ascii.slash) ?? text.endIndex
        guard let address = IPAddress(text[..<slash]) else { return nil }
        let all = address.bytes.count * 8
        var bits = all
        if slash < text.endIndex {
            guard let count = Ascii.decimal(text[(slash + 1)...]), count <= UInt64(all) else { return nil }
            bits = Int(count)
        }
        self.address = address
        self.bits = bits
    }

    public init?(_ text: String) { self.init(Array(text.utf8)) }

    public func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bits / 8
        guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
        let rest = bits % 8
        if rest == 0 { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return (other.bytes[whole] ^ address.bytes[whole]) & mask == 0
    }

    /// Whether every address of `other` is in it.
    func contains(_ other: IPRange) -> Bool { bits <= other.bits && contains(other.address) }
}
