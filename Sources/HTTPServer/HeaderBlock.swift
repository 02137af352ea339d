import Bytes

/// Response fields, encoded as they are added: `name: value CR LF`, in order.
public struct HeaderBlock: Sendable {
    public private(set) var encoded: [UInt8] = []

    public init() { encoded.reserveCapacity(512) }

    /// Adds a field. A CR, LF or NUL in `value` is written as a space, so a value never ends its line (S3-TRAPS 37).
    public mutating func add(_ name: StaticString, _ value: some Sequence<UInt8>) {
        add(name, [UInt8](value))
    }

    /// As above, without passing through the generic form, which is not specialised for its callers.
    public mutating func add(_ name: StaticString, _ value: [UInt8]) {
        append(name)
        appendValue(value[...])
    }

    /// A value from the source, without CR, LF and NUL.
    public mutating func add(_ name: StaticString, text value: StaticString) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    public mutating func add(_ name: StaticString, _ value: String) { add(name, [UInt8](value.utf8)) }

    public mutating func add(_ name: StaticString, _ value: UInt64) {
        append(name)
        append(": ")
        Ascii.appendDecimal(value, to: &encoded)
        append("\r\n")
    }

    /// Adds a field whose name comes from data, such as `x-amz-meta-...`. Ignored unless `name` is a token (RFC 9110 5.6.2).
    public mutating func add(name: some Collection<UInt8>, _ value: some Sequence<UInt8>) {
        guard !name.isEmpty, name.allSatisfy(Self.isTokenCharacter) else { return }
        encoded.append(contentsOf: name)
        appendValue([UInt8](value)[...])
    }

    public static func isTokenCharacter(_ c: UInt8) -> Bool {
        switch c {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E: true
        default: false
        }
    }

    private mutating func append(_ text: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        unsafe encoded.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func appendValue(_ value: ArraySlice<UInt8>) {
        append(": ")
        let start = encoded.count
        encoded.append(contentsOf: value)
        for index in start..<encoded.count where encoded[index] == 13 || encoded[index] == 10 || encoded[index] == 0 {
            encoded[index] = Ascii.space
        }
        append("\r\n")
    }
}
