import Bytes

/// Reads the ends of ranges. Each is a range itself: `2026-01` is a month.
enum RangeEnd {
    static func example(of field: NumericField) -> String {
        switch field {
        case .size: "a size such as 500kb, 1.5mb or 2gib"
        case .created, .updated: "a date such as 2026, 2026-01, 2026-01-31 or 2026-01-31T10:00:00Z"
        case .duration: "a duration such as 90, 1.5m, 2h or 1:30"
        case .width, .height: "a whole number of pixels"
        }
    }

    /// Powers of 1000 for kb, powers of 1024 for kib; bytes without a unit. RFC and SI write B in capitals; case does not matter.
    static func size(_ text: ArraySlice<UInt8>) -> NumericRange? {
        let units: [(StaticString, Int64)] = [
            ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
            ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
            ("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000), ("t", 1_000_000_000_000), ("b", 1),
        ]
        let lowered = Ascii.lowered(text)[...]
        for (name, factor) in units where hasSuffix(lowered, name) {
            return single(scaled(lowered.dropLast(name.utf8CodeUnitCount), by: factor))
        }
        return single(scaled(lowered, by: 1))
    }

    static func pixels(_ text: ArraySlice<UInt8>) -> NumericRange? {
        guard let value = Ascii.decimal(text), let pixels = Int64(exactly: value) else { return nil }
        return single(pixels)
    }

    /// In milliseconds; seconds without a unit.
    static func duration(_ text: ArraySlice<UInt8>) -> NumericRange? {
        let lowered = Ascii.lowered(text)[...]
        if lowered.contains(Ascii.colon) { return single(clock(lowered)) }
        let units: [(StaticString, Int64)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        for (name, factor) in units where hasSuffix(lowered, name) {
            return single(scaled(lowered.dropLast(name.utf8CodeUnitCount), by: factor))
        }
        return single(scaled(lowered, by: 1_000))
    }

    /// In UTC.
    static func date(_ text: ArraySlice<UInt8>) -> NumericRange? {
        if let moment = DateFormats.parseISO8601(text) {
            return NumericRange(moment.milliseconds, moment.milliseconds + 999)
        }
        let parts = Ascii.split(text, at: Ascii.dash)
        guard (1...3).contains(parts.count), parts[0].count == 4, parts.dropFirst().allSatisfy({ $0.count == 2 }),
            let year = number(parts[0]), let month = parts.count > 1 ? number(parts[1]) : 1,
            let day = parts.count > 2 ? number(parts[2]) : 1,
            let start = CalendarTime.timestamp(year: year, month: month, day: day)
        else { return nil }
        let end: Timestamp? =
            switch parts.count {
            case 1: CalendarTime.timestamp(year: year + 1, month: 1, day: 1)
            case 2:
                CalendarTime.timestamp(
                    year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
            default: Timestamp(milliseconds: start.milliseconds + 86_400_000)
            }
        return NumericRange(start.milliseconds, end.map { $0.milliseconds - 1 } ?? .max)
    }

    /// `1:30` or `1:02:30`.
    private static func clock(_ text: ArraySlice<UInt8>) -> Int64? {
        let parts = Ascii.split(text, at: Ascii.colon).map { number($0) }
        guard (2...3).contains(parts.count) else { return nil }
        var seconds: Int64 = 0
        for part in parts {
            guard let part else { return nil }
            seconds = seconds * 60 + Int64(part)
        }
        return seconds * 1_000
    }

    /// At most six digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.count > 6 ? nil : Ascii.decimal(digits).map { Int($0) }
    }

    private static func single(_ value: Int64?) -> NumericRange? { value.map { NumericRange($0, $0) } }

    /// A decimal number, with a fraction of up to nine digits, times `factor`, rounded down.
    private static func scaled(_ text: ArraySlice<UInt8>, by factor: Int64) -> Int64? {
        let parts = Ascii.split(text, at: Ascii.dot)
        guard parts.count <= 2, let whole = Ascii.decimal(parts[0]).flatMap({ Int64(exactly: $0) }) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
        if overflow { return nil }
        guard parts.count == 2 else { return product }
        guard parts[1].count <= 9, let fraction = Ascii.decimal(parts[1]) else { return nil }
        var part = Double(fraction)
        for _ in 0..<parts[1].count { part /= 10 }
        let (sum, carry) = product.addingReportingOverflow(Int64(part * Double(factor)))
        return carry ? nil : sum
    }

    private static func hasSuffix(_ text: ArraySlice<UInt8>, _ suffix: StaticString) -> Bool {
        Ascii.equal(text.suffix(suffix.utf8CodeUnitCount), suffix)
    }
}
