/// A span of time as people write it: `500ms`, `30s`, `5m`, `1h`, `7d`; a bare number is seconds.
public enum DurationText {
    public static let wanted = "a duration such as 500ms, 30s, 5m or 1h"

    /// Nil for anything else, and for numbers above a thousand million.
    public static func parse(_ text: some Collection<UInt8>) -> Duration? {
        let digits = text.prefix { Ascii.isDigit($0) }
        let units: [(String, UInt64)] = [
            ("ms", 1), ("", 1000), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        guard let number = Ascii.decimal(digits), number <= 1_000_000_000,
            let unit = units.first(where: { text.dropFirst(digits.count).elementsEqual($0.0.utf8) })
        else { return nil }
        return .milliseconds(Int64(number * unit.1))
    }

    /// In the largest unit that gives a whole number; parts of a millisecond are dropped.
    public static func write(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        let units: [(String, Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        for (name, size) in units where milliseconds != 0 && milliseconds % size == 0 {
            return "\(milliseconds / size)\(name)"
        }
        return "\(milliseconds)ms"
    }
}

extension Duration {
    /// Whole milliseconds, rounded toward zero; what is beyond their range stays at its end.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, beyond) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return beyond ? (seconds < 0 ? .min : .max) : sum
    }
}
