public import Bytes

/// JSON's string form (RFC 8259 section 7), written byte by byte.
public enum JSONText {
    /// Appends `bytes` with quotes. Control characters, DEL and the line separators of JavaScript are escaped, and what is not
    /// UTF-8 is replaced, so that the text is one line and valid JSON whatever came in.
    @inlinable
    public static func appendString(_ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
        out.append(Ascii.quote)
        appendEscaped(bytes, to: &out)
        out.append(Ascii.quote)
    }

    @inlinable
    public static func appendEscaped(_ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
        if bytes.contains(where: { $0 >= 0x80 }) {
            let valid = String(decoding: bytes, as: UTF8.self).unicodeScalars
            for scalar in valid {
                if isLineBreak(scalar) {
                    out += "\\u".utf8
                    out += Hex.encode(UInt64(scalar.value), width: 4)
                } else {
                    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte, to: &out) }
                }
            }
        } else {
            for byte in bytes { append(byte, to: &out) }
        }
    }

    /// C1 controls and U+2028, U+2029, which some readers take for the end of a line.
    @inlinable
    static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        (0x80...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    @inlinable
    static func append(_ byte: UInt8, to out: inout [UInt8]) {
        switch byte {
        case Ascii.quote, 0x5C:
            out.append(0x5C)
            out.append(byte)
        case Ascii.lineFeed: out += "\\n".utf8
        case Ascii.carriageReturn: out += "\\r".utf8
        case Ascii.tab: out += "\\t".utf8
        case 0..<0x20, 0x7F:
            out += "\\u00".utf8
            out += Hex.encode(UInt64(byte), width: 2)
        default: out.append(byte)
        }
    }
}
