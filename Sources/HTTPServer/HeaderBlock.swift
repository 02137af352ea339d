import Bytes

/// Response fields, encoded as they are added: `name: value CR LF`, in order.
public struct HeaderBlock: Sendable {
    public private(set) var encoded: [UInt8] = []

    public init() { encoded.reserveCapacity(512) }

    /// Adds a field. A CR, LF or NUL in `value` is written as a space, so a value never ends its line (S3-TRAPS 37).
    public mutating func add(_ name: StaticString, _ value: some Sequence<UInt8>) {
        // SAFETY: a static string's bytes live for ever.
        unsafe encoded.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        finish(value)
    }

    public mutating func add(_ name: StaticString, _ value: String) { add(name, value.utf8) }

    public mutating func add(_ name: StaticString, _ value: UInt64) { add(name, Ascii.decimal(of: value)) }

    /// Adds a field whose name comes from data, such as `x-amz-meta-...`. Ignored unless `name` is a token (RFC 9110 5.6.2).
    public mutating func add(name: some Collection<UInt8>, _ value: some Sequence<UInt8>) {
        guard !name.isEmpty, name.allSatisfy(Self.isTokenCharacter) else { return }
        encoded.append(contentsOf: name)
        finish(value)
    }

    public static func isTokenCharacter(_ c: UInt8) -> Bool {
        switch c {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E: true
        default: false
        }
    }

    private mutating func finish(_ value: some Sequence<UInt8>) {
        encoded.append(Ascii.colon)
        encoded.append(Ascii.space)
        let start = encoded.count
        // In one copy: this function is generic and not specialised for its callers, so a loop over `value` is slow.
        encoded.append(contentsOf: value)
        for index in start..<encoded.count where encoded[index] == 13 || encoded[index] == 10 || encoded[index] == 0 {
            encoded[index] = Ascii.space
        }
        encoded.append(Ascii.carriageReturn)
        encoded.append(Ascii.lineFeed)
    }
}
