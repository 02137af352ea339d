/// How many events get their jobs in one commit, and how long the next one waits.
///
/// One writer commits for all: while it makes jobs, the writes of clients wait. So a commit of jobs is short and seldom while
/// clients write, and long and without a pause while they do not.
struct PlanPace {
    private(set) var length: Int
    /// Before the next commit.
    private(set) var rest: Duration
    private let configuration: JobEngineConfiguration

    /// Never fewer, though the store be slow: workers are to have something to do while clients write without end.
    private static let lengthMin = 16
    private static let restMax = Duration.milliseconds(200)

    init(_ configuration: JobEngineConfiguration) {
        self.configuration = configuration
        length = Self.lengthMin
        rest = configuration.planDelay
    }

    /// A commit took so long. `isMore` where events are left, which do not wait for others.
    mutating func note(_ period: Duration, clientsWrote: Bool, isMore: Bool) {
        let isLong = clientsWrote && period > configuration.planPeriod
        if isLong {
            length = max(Self.lengthMin, length / 2)
        } else if isMore {
            length = max(Self.lengthMin, min(length * 2, configuration.planLengthMax))
        }
        rest = isMore ? .zero : configuration.planDelay
        if clientsWrote { rest = max(rest, min(period * max(0, configuration.planRest), Self.restMax)) }
    }
}
