/// The value of one field of an event.
public enum LogValue: Sendable {
    case literal(StaticString)
    case text(String)
    /// Protocol text as it came; what is not UTF-8 is replaced.
    case bytes(ArraySlice<UInt8>)
    case unsigned(UInt64)
    case signed(Int64)
    /// Written in microseconds; name the field `..._us`.
    case duration(Duration)
    case flag(Bool)

    public static func bytes(_ bytes: [UInt8]) -> LogValue { .bytes(bytes[...]) }
    public static func integer(_ value: some BinaryInteger) -> LogValue { .signed(Int64(clamping: value)) }
    /// What went wrong, in the error's own words. Errors carry no secrets.
    public static func failure(_ error: any Error) -> LogValue { .text(String(describing: error)) }
}

extension LogValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: StaticString) { self = .literal(value) }
}

extension Duration {
    /// Whole microseconds, 0 for a negative duration.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000 &+ UInt64(attoseconds / 1_000_000_000_000)
    }
}
