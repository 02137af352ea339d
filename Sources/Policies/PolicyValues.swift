import Bytes

/// Numbers of conditions: whole or with a fraction, with a sign.
enum PolicyNumber {
    static func parse(_ text: [UInt8]) -> Double? {
        // What `Double` reads besides, such as `inf` and hexadecimal digits, is no number of a policy.
        guard (1...64).contains(text.count), text.contains(where: Ascii.isDigit),
            text.allSatisfy({
                Ascii.isDigit($0) || $0 == Ascii.dot || $0 == Ascii.dash || $0 == Ascii.plus || $0 | 0x20 == 0x65
            })
        else { return nil }
        return Double(String(decoding: text, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }
}

enum PolicyFlag {
    static func parse(_ text: [UInt8]) -> Bool? {
        if Ascii.equalIgnoringCase(text, "true".utf8) { return true }
        return Ascii.equalIgnoringCase(text, "false".utf8) ? false : nil
    }
}

/// Dates of conditions: the forms of ISO 8601 that W3C's note on dates allows (`2026`, `2026-11`, `2026-11-28`, with a time to the minute,
/// second or its fraction, and `Z` or an offset), or seconds since 1970.
enum PolicyDate {
    static func parse(_ text: [UInt8]) -> Timestamp? {
        if text.count > 4, text.allSatisfy(Ascii.isDigit) {
            return Ascii.decimal(text).flatMap(Int64.init(exactly:)).map(Timestamp.init(seconds:))
        }
        var rest = text[...]
        guard let year = number(4, of: &rest) else { return nil }
        guard !rest.isEmpty else { return CalendarTime.timestamp(year: year, month: 1, day: 1) }
        guard take(Ascii.dash, of: &rest), let month = number(2, of: &rest) else { return nil }
        guard !rest.isEmpty else { return CalendarTime.timestamp(year: year, month: month, day: 1) }
        guard take(Ascii.dash, of: &rest), let day = number(2, of: &rest) else { return nil }
        guard !rest.isEmpty else { return CalendarTime.timestamp(year: year, month: month, day: day) }
        guard take(0x54, of: &rest), let hour = number(2, of: &rest), take(Ascii.colon, of: &rest),
            let minute = number(2, of: &rest)
        else { return nil }
        var second = 0
        var millisecond = 0
        if take(Ascii.colon, of: &rest) {
            guard let value = number(2, of: &rest) else { return nil }
            second = value
            if take(Ascii.dot, of: &rest) {
                let digits = rest.prefix(while: Ascii.isDigit)
                guard (1...9).contains(digits.count) else { return nil }
                for place in 0..<3 {
                    let digit = place < digits.count ? digits[digits.startIndex + place] : Ascii.zero
                    millisecond = millisecond * 10 + Int(digit &- Ascii.zero)
                }
                rest = rest.dropFirst(digits.count)
            }
        }
        guard let offset = offset(&rest), rest.isEmpty,
            let local = CalendarTime.timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second,
                millisecond: millisecond)
        else { return nil }
        return Timestamp(milliseconds: local.milliseconds - offset)
    }

    /// `Z`, `+01:00` or `-0530` in milliseconds.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if take(0x5A, of: &rest) { return 0 }
        let isWest = rest.first == Ascii.dash
        guard isWest || rest.first == Ascii.plus else { return nil }
        rest = rest.dropFirst()
        guard let hours = number(2, of: &rest), hours < 24 else { return nil }
        _ = take(Ascii.colon, of: &rest)
        guard let minutes = number(2, of: &rest), minutes < 60 else { return nil }
        let offset = Int64(hours * 60 + minutes) * 60_000
        return isWest ? -offset : offset
    }

    private static func number(_ digits: Int, of rest: inout ArraySlice<UInt8>) -> Int? {
        let part = rest.prefix(digits)
        guard part.count == digits, let value = Ascii.decimal(part) else { return nil }
        rest = rest.dropFirst(digits)
        return Int(value)
    }

    private static func take(_ byte: UInt8, of rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }
}
