import Threads

/// Keeps a lease as long as its job is at work, and tells the gateway how far it is.
///
/// As long as the gateway is away the lease counts as kept: only the gateway can say that it is lost.
final class LeaseKeeper: Sendable {
    private struct State {
        var stage: String?
        var fraction = 0.0
        var isLost = false
        var isEnded = false
        /// Something new is to be told.
        var hasNews = false
        var isBeating = false
    }

    private let job: Assignment
    private let gateway: GatewayClient
    private let pool: Pool
    private let state = Lock(State())
    private static let tick = Duration.milliseconds(100)
    /// Progress is told so often at most.
    private static let newsInterval = Duration.seconds(1)

    init(_ job: Assignment, gateway: GatewayClient, pool: Pool) {
        (self.job, self.gateway, self.pool) = (job, gateway, pool)
    }

    var isLost: Bool { state.withLock { $0.isLost } }

    /// Confirms the lease and begins to renew it. False where it is not this worker's.
    func begin() async -> Bool {
        await beat()
        if isLost { return false }
        state.withLock { $0.isBeating = true }
        pool.run { [self] in
            await keep()
            state.withLock { $0.isBeating = false }
        }
        return true
    }

    /// Returns when no heartbeat is under way any more.
    func end() async {
        state.withLock { $0.isEnded = true }
        while state.withLock({ $0.isBeating }) { await pool.sleep(for: .milliseconds(5)) }
    }

    func lose() { state.withLock { $0.isLost = true } }

    func tell(_ stage: String, _ fraction: Double) {
        state.withLock { state in
            state.hasNews = state.hasNews || state.stage != stage || fraction - state.fraction >= 0.05
            (state.stage, state.fraction) = (stage, fraction)
        }
    }

    private func keep() async {
        var last = ContinuousClock.now
        var isAnswered = true
        while !state.withLock({ $0.isEnded || $0.isLost }) {
            await pool.sleep(for: Self.tick)
            let (hasNews, isOver) = state.withLock { ($0.hasNews, $0.isEnded) }
            let wait = !isAnswered || hasNews ? Self.newsInterval : job.leasePeriod / 3
            guard !isOver, last.duration(to: .now) >= wait else { continue }
            isAnswered = await beat()
            last = .now
        }
    }

    /// False where the gateway did not answer.
    @discardableResult
    private func beat() async -> Bool {
        let (stage, fraction) = state.withLock { state in
            state.hasNews = false
            return (state.stage, state.fraction)
        }
        do throws(GatewayError) {
            if try await !gateway.heartbeat(job, stage: stage, fraction: fraction) { lose() }
            return true
        } catch {
            switch error {
            case .lost, .refused: lose()
            case .away: break
            }
            return false
        }
    }
}
