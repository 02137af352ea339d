/// A count of bytes as people write it: `1048576`, `5MiB`, `5GB`.
public enum SizeText {
    public static let wanted = "a size such as 1048576, 64MiB or 5GiB"

    /// Nil for anything else, and beyond 64 bits.
    public static func parse(_ text: some Collection<UInt8>) -> UInt64? {
        let digits = text.prefix { Ascii.isDigit($0) }
        let units: [(String, UInt64)] = [
            ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
            ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ]
        guard let number = Ascii.decimal(digits),
            let unit = units.first(where: { text.dropFirst(digits.count).elementsEqual($0.0.utf8) })
        else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : value
    }
}
