import Glibc

/// The characters that protocol text is made of, and the few questions asked of them.
public enum Ascii {
    public static let tab: UInt8 = 0x09
    public static let lineFeed: UInt8 = 0x0A
    public static let carriageReturn: UInt8 = 0x0D
    public static let space: UInt8 = 0x20
    public static let quote: UInt8 = 0x22
    public static let percent: UInt8 = 0x25
    public static let ampersand: UInt8 = 0x26
    public static let asterisk: UInt8 = 0x2A
    public static let plus: UInt8 = 0x2B
    public static let comma: UInt8 = 0x2C
    public static let dash: UInt8 = 0x2D
    public static let dot: UInt8 = 0x2E
    public static let slash: UInt8 = 0x2F
    public static let zero: UInt8 = 0x30
    public static let colon: UInt8 = 0x3A
    public static let semicolon: UInt8 = 0x3B
    public static let equals: UInt8 = 0x3D
    public static let question: UInt8 = 0x3F
    public static let underscore: UInt8 = 0x5F
    public static let tilde: UInt8 = 0x7E

    @inlinable
    public static func isDigit(_ c: UInt8) -> Bool { c >= 0x30 && c <= 0x39 }
    @inlinable
    public static func isUpper(_ c: UInt8) -> Bool { c >= 0x41 && c <= 0x5A }
    @inlinable
    public static func isLower(_ c: UInt8) -> Bool { c >= 0x61 && c <= 0x7A }
    @inlinable
    public static func isLetter(_ c: UInt8) -> Bool { isLower(c | 0x20) }
    @inlinable
    public static func lowered(_ c: UInt8) -> UInt8 { isUpper(c) ? c | 0x20 : c }

    @inlinable
    public static func lowered(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map { lowered($0) } }

    /// Compares without regard to the case of ASCII letters.
    @inlinable
    public static func equalIgnoringCase(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { lowered($0) == lowered($1) }
    }

    /// Compares with text from the source, without going through `String`.
    @inlinable
    public static func equal(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && hasPrefix(bytes, text)
    }

    @inlinable
    public static func hasPrefix(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        // SAFETY: a static string's bytes live for ever, and `index` stays below their count.
        var place = bytes.startIndex
        for index in 0..<text.utf8CodeUnitCount {
            if unsafe bytes[place] != text.utf8Start[index] { return false }
            place += 1
        }
        return true
    }

    /// As `hasPrefix`, without regard to the case of ASCII letters; `text` is lower case.
    @inlinable
    public static func hasPrefixIgnoringCase(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        // SAFETY: a static string's bytes live for ever, and `index` stays below their count.
        var place = bytes.startIndex
        for index in 0..<text.utf8CodeUnitCount {
            if unsafe lowered(bytes[place]) != text.utf8Start[index] { return false }
            place += 1
        }
        return true
    }

    /// Without leading and trailing spaces and tabs (RFC 9110 section 5.5, optional white space).
    @inlinable
    public static func trimmed<C: BidirectionalCollection>(_ bytes: C) -> C.SubSequence where C.Element == UInt8 {
        var slice = bytes[...]
        while let first = slice.first, first == space || first == tab { slice = slice.dropFirst() }
        while let last = slice.last, last == space || last == tab { slice = slice.dropLast() }
        return slice
    }

    /// The place of the first `byte` from `start` on; the end of `bytes` where there is none.
    public static func place(of byte: UInt8, in bytes: ArraySlice<UInt8>, from start: Int) -> Int {
        guard start >= bytes.startIndex, start < bytes.endIndex else { return bytes.endIndex }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return bytes.endIndex }
            let offset = start - bytes.startIndex
            // SAFETY: the offset lies below the count.
            guard let found = unsafe memchr(base + offset, Int32(byte), buffer.count - offset) else {
                return bytes.endIndex
            }
            return unsafe bytes.startIndex + (UnsafeRawPointer(found) - UnsafeRawPointer(base))
        }
    }

    /// The parts between separators, empty ones included: at least one. Faster than the general `split` of collections.
    public static func split(_ bytes: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        while true {
            let end = place(of: separator, in: bytes, from: start)
            parts.append(bytes[start..<end])
            if end == bytes.endIndex { return parts }
            start = end + 1
        }
    }

    /// A decimal number without sign; nil when empty, not all digits, or above `UInt64.max`.
    @inlinable
    public static func decimal(_ bytes: some Collection<UInt8>) -> UInt64? {
        guard !bytes.isEmpty else { return nil }
        var value: UInt64 = 0
        for c in bytes {
            guard isDigit(c) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(c - zero))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// Decimal digits of `value`, without going through `String`.
    @inlinable
    public static func decimal(of value: UInt64) -> [UInt8] {
        var digits: [UInt8] = []
        appendDecimal(value, to: &digits)
        return digits
    }

    @inlinable
    public static func appendDecimal(_ value: UInt64, to out: inout [UInt8]) {
        let start = out.count
        var rest = value
        repeat {
            out.append(UInt8(truncatingIfNeeded: rest % 10) &+ zero)
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }
}

extension String {
    /// Bytes of a protocol text, replacing what is not UTF-8. For logs and messages; keys stay bytes.
    @inlinable
    public init(ascii bytes: some Collection<UInt8>) {
        self = String(decoding: bytes, as: UTF8.self)
    }
}
