import Bytes
import Testing

@Suite struct TimestampTests {
    @Test func `seconds round toward the past`() {
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: -1001).seconds == -2)
        #expect(Timestamp(milliseconds: .min).seconds == Int64.min / 1000 - 1)
        #expect(Timestamp(milliseconds: .max).seconds == Int64.max / 1000)
    }

    @Test func `seconds beyond the range hold at its ends`() {
        #expect(Timestamp(seconds: .max).milliseconds == .max)
        #expect(Timestamp(seconds: .min).milliseconds == .min)
        #expect(Timestamp(seconds: -5).milliseconds == -5000)
    }

    @Test(
        arguments: [
            (0, 1970, 1, 1, 4), (951_782_400, 2000, 2, 29, 2), (1_369_353_600, 2013, 5, 24, 5),
            (-86_400, 1969, 12, 31, 3),
            (4_107_542_400, 2100, 3, 1, 1), (-62_167_219_200, 0, 1, 1, 6), (253_402_214_400, 9999, 12, 31, 5),
        ] as [(Int64, Int64, Int, Int, Int)])
    func `known days have their date and weekday`(
        _ seconds: Int64, _ year: Int64, _ month: Int, _ day: Int, _ weekday: Int
    ) {
        let time = CalendarTime(Timestamp(seconds: seconds))
        #expect((time.year, time.month, time.day) == (year, month, day))
        #expect(time.weekday == weekday)
        #expect((time.hour, time.minute, time.second) == (0, 0, 0))
        #expect(
            CalendarTime.timestamp(year: Int(year), month: month, day: day) == Timestamp(seconds: seconds))
    }

    @Test func `every day of the years 0 to 9999 comes back, one after another`() {
        var expected = -62_167_219_200 as Int64
        for year in stride(from: 0, through: 9999, by: 7) {
            if let start = CalendarTime.timestamp(year: year, month: 1, day: 1) { expected = start.seconds }
            for month in 1...12 {
                for day in 1...31 {
                    guard let moment = CalendarTime.timestamp(year: year, month: month, day: day) else { continue }
                    if moment.seconds != expected { Issue.record("\(year)-\(month)-\(day)") }
                    let back = CalendarTime(moment)
                    if back.year != Int64(year) || back.month != month || back.day != day {
                        Issue.record("\(year)-\(month)-\(day) came back as \(back)")
                    }
                    expected += 86_400
                }
            }
        }
    }

    @Test(arguments: [
        (2013, 0, 1, 0, 0, 0), (2013, 13, 1, 0, 0, 0), (2013, 1, 0, 0, 0, 0), (2013, 1, 32, 0, 0, 0),
        (2013, 2, 29, 0, 0, 0), (1900, 2, 29, 0, 0, 0), (2013, 4, 31, 0, 0, 0), (2013, 1, 1, 24, 0, 0),
        (2013, 1, 1, 0, 60, 0), (2013, 1, 1, 0, 0, 61), (-1, 1, 1, 0, 0, 0), (10_000, 1, 1, 0, 0, 0),
        (2013, 1, 1, -1, 0, 0),
    ]) func `a field outside the calendar is refused`(_ y: Int, _ m: Int, _ d: Int, _ h: Int, _ min: Int, _ s: Int) {
        #expect(CalendarTime.timestamp(year: y, month: m, day: d, hour: h, minute: min, second: s) == nil)
    }

    @Test func `a leap second counts as the one before`() {
        #expect(
            CalendarTime.timestamp(year: 2016, month: 12, day: 31, hour: 23, minute: 59, second: 60)
                == Timestamp(seconds: 1_483_228_799))
    }

    @Test func `no moment traps, however far`() {
        for milliseconds in [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max] {
            let time = CalendarTime(Timestamp(milliseconds: milliseconds))
            #expect((1...12).contains(time.month) && (1...31).contains(time.day) && (0...6).contains(time.weekday))
        }
    }
}
