import Bytes
import Hooks
import TestSupport
import Testing

@Suite struct ScheduleTests {
    private func moment(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0)
        throws -> Timestamp
    {
        try #require(
            CalendarTime.timestamp(year: year, month: month, day: day, hour: hour, minute: minute, second: second))
    }

    @Test func `the next moment is the first full minute after now that fits`() throws {
        let now = try moment(2026, 11, 27, 17, 30, 12)
        func next(_ text: String) throws -> Timestamp? { try #require(Schedule(text)).next(after: now) }
        #expect(try next("* * * * *") == moment(2026, 11, 27, 17, 31))
        #expect(try next("0 3 * * *") == moment(2026, 11, 28, 3))
        #expect(try next("*/15 * * * *") == moment(2026, 11, 27, 17, 45))
        #expect(try next("30 17 * * *") == moment(2026, 11, 28, 17, 30))
        #expect(try next("0 0 1 1 *") == moment(2027, 1, 1))
        #expect(try next("0 12 * * 0") == moment(2026, 11, 29, 12))
        #expect(try next("0 12 * * 7") == moment(2026, 11, 29, 12))
        #expect(try next("0 0 29 2 *") == moment(2028, 2, 29))
        #expect(try next("10-20/5,50 18 * * 1-5") == moment(2026, 11, 27, 18, 10))
        #expect(try next("5/20 17 * * *") == moment(2026, 11, 27, 17, 45))
    }

    @Test func `a day matches either of two restricted fields`() throws {
        let schedule = try #require(Schedule("0 0 13 * 5"))
        #expect(schedule.next(after: try moment(2026, 11, 27)) == (try moment(2026, 12, 4)))
        #expect(schedule.next(after: try moment(2026, 12, 11)) == (try moment(2026, 12, 13)))
    }

    @Test func `each moment that comes next matches, and none between is left out`() throws {
        let schedule = try #require(Schedule("*/7 */5 * * *"))
        var now = try moment(2026, 2, 27, 23)
        var found: [Timestamp] = []
        for _ in 0..<100 {
            now = try #require(schedule.next(after: now))
            found.append(now)
        }
        let first = try moment(2026, 2, 27, 23).seconds / 60
        var expected: [Int64] = []
        for minute in (first + 1)... where expected.count < 100 {
            let hour = minute / 60 % 24
            if minute % 60 % 7 == 0, hour % 5 == 0 { expected.append(minute) }
            if expected.count == 100 { break }
        }
        #expect(found.map { $0.seconds / 60 } == expected)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
        "1-0 * * * *",
        "*/0 * * * *", "1,,2 * * * *", "-1 * * * *", "1-2-3 * * * *", "0 0 30 2 *", "99999999999999999999 * * * *",
    ])
    func `what is no schedule, or never comes, is refused`(text: String) {
        #expect(Schedule(text) == nil)
    }
}
