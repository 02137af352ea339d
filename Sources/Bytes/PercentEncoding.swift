/// Percent-encoding (RFC 3986 section 2.1) in the forms that S3 uses.
public enum PercentEncoding {
    /// Encodes all but the unreserved characters `A-Z a-z 0-9 - . _ ~`, and `/` where `keepingSlash`, with upper-case
    /// digits, as SigV4's canonical form asks.
    @inlinable
    public static func encode(_ bytes: some Collection<UInt8>, keepingSlash: Bool = false) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for byte in bytes {
            if isUnreserved(byte) || (keepingSlash && byte == Ascii.slash) {
                out.append(byte)
            } else {
                append(byte, to: &out)
            }
        }
        return out
    }

    /// The form of `encoding-type=url` in listings: as `encode` with slashes kept, but a space becomes `+`.
    @inlinable
    public static func encodeForListing(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for byte in bytes {
            if isUnreserved(byte) || byte == Ascii.slash || byte == Ascii.asterisk {
                out.append(byte)
            } else if byte == Ascii.space {
                out.append(Ascii.plus)
            } else {
                append(byte, to: &out)
            }
        }
        return out
    }

    /// Decodes once. Nil when a `%` is not followed by two hexadecimal digits. A `+` is a space only where `plusIsSpace`.
    @inlinable
    public static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        decodeCodes(text, plusIsSpace: plusIsSpace)
    }

    @inlinable
    static func decodeCodes(_ text: some Collection<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var iterator = text.makeIterator()
        while let character = iterator.next() {
            if character == Ascii.percent {
                guard let high = iterator.next().flatMap(Hex.value(of:)),
                    let low = iterator.next().flatMap(Hex.value(of:))
                else { return nil }
                out.append(high << 4 | low)
            } else {
                out.append(plusIsSpace && character == Ascii.plus ? Ascii.space : character)
            }
        }
        return out
    }

    /// As above; text without codes, which nearly all is, is copied as a whole.
    public static func decode(_ text: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        let isPlain = !text.contains { $0 == Ascii.percent || (plusIsSpace && $0 == Ascii.plus) }
        return isPlain ? [UInt8](text) : decodeCodes(text, plusIsSpace: plusIsSpace)
    }

    @inlinable
    public static func isUnreserved(_ c: UInt8) -> Bool {
        Ascii.isLetter(c) || Ascii.isDigit(c) || c == Ascii.dash || c == Ascii.dot || c == Ascii.underscore
            || c == Ascii.tilde
    }

    @usableFromInline
    static func append(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(Ascii.percent)
        out.append(upper(byte >> 4))
        out.append(upper(byte & 15))
    }

    @inlinable
    static func upper(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble &+ 0x30 : nibble &+ 0x37 }
}
