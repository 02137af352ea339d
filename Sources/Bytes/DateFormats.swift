/// The three written forms of a moment that S3 uses.
public enum DateFormats {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map { [UInt8]($0.utf8) }
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .map { [UInt8]($0.utf8) }

    /// IMF-fixdate (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static func http(_ moment: Timestamp) -> [UInt8] {
        let t = CalendarTime(moment)
        var out: [UInt8] = []
        out.reserveCapacity(29)
        out += weekdays[t.weekday]
        out += [Ascii.comma, Ascii.space]
        append(t.day, width: 2, to: &out)
        out.append(Ascii.space)
        out += months[t.month - 1]
        out.append(Ascii.space)
        append(Int(t.year), width: 4, to: &out)
        out.append(Ascii.space)
        appendClock(t, to: &out)
        out += " GMT".utf8
        return out
    }

    /// ISO 8601 with milliseconds, as in S3's XML: `2009-10-12T17:50:30.000Z`.
    public static func iso8601(_ moment: Timestamp) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(24)
        appendISO8601(moment, to: &out)
        return out
    }

    public static func appendISO8601(_ moment: Timestamp, to out: inout [UInt8]) {
        let t = CalendarTime(moment)
        append(Int(t.year), width: 4, to: &out)
        out.append(Ascii.dash)
        append(t.month, width: 2, to: &out)
        out.append(Ascii.dash)
        append(t.day, width: 2, to: &out)
        out.append(0x54)
        appendClock(t, to: &out)
        out.append(Ascii.dot)
        append(Int(((moment.milliseconds % 1000) + 1000) % 1000), width: 3, to: &out)
        out.append(0x5A)
    }

    /// ISO 8601 basic form, as in `x-amz-date`: `20130524T000000Z`.
    public static func amz(_ moment: Timestamp) -> [UInt8] {
        iso8601(moment).enumerated().filter { ![4, 7, 13, 16, 19, 20, 21, 22].contains($0.offset) }.map(\.element)
    }

    /// Reads `20130524T000000Z`.
    public static func parseAmz(_ text: ArraySlice<UInt8>) -> Timestamp? {
        let at = text.startIndex
        guard text.count == 16, text[at + 8] == 0x54, text[at + 15] == 0x5A else { return nil }
        func digits(_ place: Int, _ count: Int) -> Int? {
            var value = 0
            for index in (at + place)..<(at + place + count) {
                guard Ascii.isDigit(text[index]) else { return nil }
                value = value * 10 + Int(text[index] - Ascii.zero)
            }
            return value
        }
        guard let year = digits(0, 4), let month = digits(4, 2), let day = digits(6, 2), let hour = digits(9, 2),
            let minute = digits(11, 2), let second = digits(13, 2)
        else { return nil }
        return CalendarTime.timestamp(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    public static func parseAmz(_ text: some Collection<UInt8>) -> Timestamp? { parseAmz([UInt8](text)[...]) }

    /// Reads the three forms of an HTTP date (RFC 9110 section 5.6.7): IMF-fixdate, RFC 850, asctime.
    public static func parseHTTP(_ text: some Collection<UInt8>) -> Timestamp? {
        let words = text.split(whereSeparator: { $0 == Ascii.space || $0 == Ascii.comma || $0 == Ascii.dash })
            .map { [UInt8]($0) }
        let day: [UInt8], month: [UInt8], year: [UInt8], clock: [UInt8]
        if words.count == 6,
            words[5].elementsEqual("GMT".utf8) || words[5].elementsEqual("UTC".utf8)
                || words[5].elementsEqual("+0000".utf8)
        {
            (day, month, year, clock) = (words[1], words[2], words[3], words[4])
        } else if words.count == 5 {
            (month, day, clock, year) = (words[1], words[2], words[3], words[4])
        } else {
            return nil
        }
        let time = clock.split(separator: Ascii.colon, omittingEmptySubsequences: false)
        guard time.count == 3, let hour = number(time[0]), let minute = number(time[1]), let second = number(time[2]),
            let dayNumber = number(day), var yearNumber = number(year),
            let monthIndex = months.firstIndex(where: { Ascii.equalIgnoringCase($0, month) })
        else { return nil }
        if year.count == 2 { yearNumber += yearNumber < 70 ? 2000 : 1900 }
        return CalendarTime.timestamp(
            year: yearNumber, month: monthIndex + 1, day: dayNumber, hour: hour, minute: minute, second: second)
    }

    /// Reads ISO 8601 in UTC, with or without a fraction: `2009-10-12T17:50:30.000Z`.
    public static func parseISO8601(_ text: some Collection<UInt8>) -> Timestamp? {
        let b = [UInt8](text)
        guard b.count >= 20, b.count <= 32, b[4] == Ascii.dash, b[7] == Ascii.dash, b[10] == 0x54,
            b[13] == Ascii.colon, b[16] == Ascii.colon, b[b.count - 1] == 0x5A,
            let year = number(b[0..<4]), let month = number(b[5..<7]), let day = number(b[8..<10]),
            let hour = number(b[11..<13]), let minute = number(b[14..<16]), let second = number(b[17..<19])
        else { return nil }
        var millisecond = 0
        if b.count > 20 {
            let fraction = b[20..<(b.count - 1)]
            guard b[19] == Ascii.dot, !fraction.isEmpty, fraction.allSatisfy(Ascii.isDigit) else { return nil }
            let digits = fraction.prefix(3) + [UInt8](repeating: Ascii.zero, count: max(0, 3 - fraction.count))
            millisecond = number(digits) ?? 0
        }
        return CalendarTime.timestamp(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, millisecond: millisecond)
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int? {
        digits.count > 6 ? nil : Ascii.decimal(digits).map { Int($0) }
    }

    private static func appendClock(_ t: CalendarTime, to out: inout [UInt8]) {
        append(t.hour, width: 2, to: &out)
        out.append(Ascii.colon)
        append(t.minute, width: 2, to: &out)
        out.append(Ascii.colon)
        append(t.second, width: 2, to: &out)
    }

    private static func append(_ value: Int, width: Int, to out: inout [UInt8]) {
        if width == 2, value >= 0, value < 100 {
            out.append(UInt8(truncatingIfNeeded: value / 10) &+ Ascii.zero)
            out.append(UInt8(truncatingIfNeeded: value % 10) &+ Ascii.zero)
            return
        }
        var scale = 1
        for _ in 1..<max(1, width) { scale *= 10 }
        var rest = max(0, value)
        while rest / scale > 9 { scale *= 10 }
        while scale > 0 {
            out.append(UInt8(truncatingIfNeeded: rest / scale) &+ Ascii.zero)
            rest %= scale
            scale /= 10
        }
    }
}
