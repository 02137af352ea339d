import Testing

@testable import Hooks

struct PlanPaceTests {
    private let configuration = JobEngineConfiguration()

    @Test func `While clients write, commits of jobs become short and are followed by a rest`() {
        var pace = PlanPace(configuration)
        for _ in 0..<10 { pace.note(.milliseconds(10), clientsWrote: true, isMore: true) }
        #expect(pace.length == 16)
        #expect(pace.rest == .milliseconds(10) * configuration.planRest)
        pace.note(.seconds(10), clientsWrote: true, isMore: true)
        #expect(pace.rest <= .milliseconds(200))
    }

    @Test func `Short commits grow while clients write`() {
        var pace = PlanPace(configuration)
        let former = pace.length
        pace.note(.milliseconds(1), clientsWrote: true, isMore: true)
        #expect(pace.length == former * 2)
    }

    @Test func `While nobody writes, what waits is made in long commits without a rest`() {
        var pace = PlanPace(configuration)
        for _ in 0..<10 { pace.note(.milliseconds(100), clientsWrote: false, isMore: true) }
        #expect(pace.length == configuration.planLengthMax)
        #expect(pace.rest == .zero)
        pace.note(.milliseconds(1), clientsWrote: false, isMore: false)
        #expect(pace.rest == configuration.planDelay)
    }
}
