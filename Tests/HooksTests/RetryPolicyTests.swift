import Hooks
import TestSupport
import Testing

@Suite struct RetryPolicyTests {
    @Test func `waits double up to their maximum and end with the last attempt`() {
        let policy = RetryPolicy()
        let waits = (1...15).map { policy.wait(after: $0, random: 0.5) }
        #expect(waits[0] == .seconds(5) && waits[1] == .seconds(10) && waits[9] == .seconds(2560))
        #expect(waits[10] == .seconds(3600) && waits[13] == .seconds(3600) && waits[14] == nil)
    }

    @Test func `waits vary by a fifth in either direction`() {
        let policy = RetryPolicy()
        #expect(policy.wait(after: 1, random: 0) == .seconds(4))
        #expect(policy.wait(after: 1, random: 1) == .seconds(6))
    }

    @Test func `no number of attempts overflows`() {
        var policy = RetryPolicy()
        policy.attempts = .max
        for backoff in RetryPolicy.Backoff.allCases {
            policy.backoff = backoff
            #expect(policy.wait(after: .max - 1, random: 1) != nil)
            #expect(policy.wait(after: 0, random: 1) == nil)
        }
    }
}
