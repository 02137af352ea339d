import Testing

@testable import Buckets

@Suite struct GarbageMarksTests {
    private let start = ContinuousClock.now

    @Test func `what was listed a lifetime ago is ripe, and nothing else`() {
        var marks = GarbageMarks(lifetime: .seconds(100))
        marks.note(count: 5, now: start)
        #expect(marks.ripe(now: start + .seconds(99)) == 0)
        marks.note(count: 9, now: start + .seconds(50))
        #expect(marks.ripe(now: start + .seconds(100)) == 5)
        marks.take(3)
        #expect(marks.ripe(now: start + .seconds(149)) == 2)
        #expect(marks.ripe(now: start + .seconds(150)) == 6)
        marks.take(6)
        #expect(marks.ripe(now: start + .seconds(1000)) == 0)
    }

    @Test func `looks that follow one another soon leave few marks`() {
        var marks = GarbageMarks(lifetime: .seconds(640))
        for second in 0..<640 { marks.note(count: UInt64(second), now: start + .seconds(second)) }
        // Of the 10 s before, none is counted too early.
        #expect(marks.ripe(now: start + .seconds(640 + 15)) == 10)
    }
}
