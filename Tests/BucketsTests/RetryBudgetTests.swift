import Testing
import Threads

@testable import Buckets

@Suite struct RetryBudgetTests {
    @Test func `repetitions end when the budget is used up, and successes and time bring some back`() {
        let now = Lock<UInt64>(0)
        let budget = RetryBudget { now.withLock { $0 } }
        for _ in 0..<100 { #expect(budget.take()) }
        #expect(!budget.take())
        for _ in 0..<10 { budget.succeed() }
        #expect(budget.take())
        #expect(!budget.take())
        now.withLock { $0 = 1000 }
        for _ in 0..<5 { #expect(budget.take()) }
        #expect(!budget.take())
    }
}
