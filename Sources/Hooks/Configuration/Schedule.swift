public import Bytes

/// When a hook runs by the clock, in UTC: five fields as in crontab(5), minute, hour, day of the month, month, day of the week, of numbers,
/// `*`, lists, ranges and steps. As there, a day matches either field where both are restricted.
public struct Schedule: Sendable, Equatable {
    public static let wanted =
        "five fields as in a crontab, such as 0 3 * * * (minute, hour, day of month, month, day of week; UTC)"

    private var minutes: Set<Int>
    private var hours: Set<Int>
    private var days: Set<Int>
    private var months: Set<Int>
    /// 0 is Sunday.
    private var weekdays: Set<Int>
    private var restrictsDays: Bool
    private var restrictsWeekdays: Bool

    /// Nil for what is no schedule, or one that never comes.
    public init?(_ text: String) {
        let fields = text.split(separator: " ").map { Array($0.utf8) }
        guard text.utf8.count <= 200, fields.count == 5, let minutes = Self.field(fields[0], 0...59),
            let hours = Self.field(fields[1], 0...23), let days = Self.field(fields[2], 1...31),
            let months = Self.field(fields[3], 1...12), let weekdays = Self.field(fields[4], 0...7)
        else { return nil }
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.weekdays = Set(weekdays.map { $0 % 7 })
        restrictsDays = fields[2].first != Ascii.asterisk
        restrictsWeekdays = fields[4].first != Ascii.asterisk
        guard next(after: Timestamp(seconds: 0)) != nil else { return nil }
    }

    /// `*`, `*/15`, `5`, `1-5`, `1-30/2`, `1,15,30`.
    private static func field(_ text: [UInt8], _ range: ClosedRange<Int>) -> Set<Int>? {
        var found: Set<Int> = []
        for item in text.split(separator: Ascii.comma, omittingEmptySubsequences: false) {
            let halves = item.split(separator: Ascii.slash, maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = halves.first, let bounds = Self.bounds(first, range) else { return nil }
            var step = 1
            if halves.count > 1 {
                guard let number = Ascii.decimal(halves[1]), number >= 1, number <= 59 else { return nil }
                step = Int(number)
            }
            // A single number with a step runs on to the end.
            let isOpen = halves.count > 1 && !first.contains(Ascii.dash) && !first.elementsEqual([Ascii.asterisk])
            let end = isOpen ? range.upperBound : bounds.upperBound
            found.formUnion(stride(from: bounds.lowerBound, through: end, by: step))
        }
        return found.isEmpty ? nil : found
    }

    private static func bounds(_ text: ArraySlice<UInt8>, _ range: ClosedRange<Int>) -> ClosedRange<Int>? {
        if text.elementsEqual([Ascii.asterisk]) { return range }
        let ends = text.split(separator: Ascii.dash, omittingEmptySubsequences: false).map { part -> Int? in
            guard part.count <= 2, let number = Ascii.decimal(part) else { return nil }
            return range.contains(Int(number)) ? Int(number) : nil
        }
        guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high else { return nil }
        return low...high
    }

    /// The first moment after `moment`, at a full minute; nil where none comes within nine years, as on a 30th of February.
    public func next(after moment: Timestamp) -> Timestamp? {
        let (minute, overflow) = (moment.seconds / 60).addingReportingOverflow(1)
        guard !overflow else { return nil }
        var day = Timestamp(seconds: minute.multipliedReportingOverflow(by: 60).partialValue)
        var isFirst = true
        // A leap day comes after eight years at the latest.
        for _ in 0...(9 * 366) {
            let time = CalendarTime(day)
            if matches(time), let found = firstMinute(of: time, from: isFirst ? time.hour * 60 + time.minute : 0) {
                return CalendarTime.timestamp(
                    year: Int(time.year), month: time.month, day: time.day, hour: found / 60, minute: found % 60)
            }
            day = Timestamp(seconds: (day.seconds / 86_400 + 1) * 86_400)
            isFirst = false
        }
        return nil
    }

    private func matches(_ day: CalendarTime) -> Bool {
        guard months.contains(day.month) else { return false }
        let (isDay, isWeekday) = (days.contains(day.day), weekdays.contains(day.weekday))
        return restrictsDays && restrictsWeekdays ? isDay || isWeekday : isDay && isWeekday
    }

    /// Minutes since midnight.
    private func firstMinute(of day: CalendarTime, from start: Int) -> Int? {
        for hour in (start / 60)..<24 where hours.contains(hour) {
            for minute in (hour == start / 60 ? start % 60 : 0)..<60 where minutes.contains(minute) {
                return hour * 60 + minute
            }
        }
        return nil
    }
}
