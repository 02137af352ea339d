import Bytes
import Files
public import Threads

/// Takes jobs from a gateway one by one, does them, and hands back what it made.
public final class Worker: Sendable {
    private struct State {
        var isStopping = false
        /// The job under way has no time left.
        var mustEnd = false
        var isAtWork = false
        var isClosing = false
        var isClosed = false
    }

    private let configuration: WorkerConfiguration
    private let gateway: GatewayClient
    private let runner: StepRunner
    private let pool: Pool
    private let tell: @Sendable (WorkerNews) -> Void
    private let state = Lock(State())

    public init(
        _ configuration: WorkerConfiguration, pool: Pool, tell: @escaping @Sendable (WorkerNews) -> Void
    ) throws {
        (self.configuration, self.pool, self.tell) = (configuration, pool, tell)
        gateway = try GatewayClient(configuration.gateway, pool: pool)
        runner = try StepRunner(configuration, gateway: gateway, pool: pool, news: tell)
    }

    /// Works until it is stopped, or was idle for as long as it may be.
    public func run() async throws {
        try pool.blocking { () throws(SystemError) in try runner.prepare() }
        var idleSince = ContinuousClock.now
        var wait = Duration.milliseconds(100)
        var isAway = false
        var refusal = ""
        while !isStopping {
            do throws(GatewayError) {
                let claim = try await gateway.claim(configuration)
                if isAway { tell(.gatewayBack) }
                (isAway, wait, refusal) = (false, .milliseconds(100), "")
                for job in claim.jobs { await work(on: job, claim) }
                if !claim.jobs.isEmpty { idleSince = .now }
            } catch {
                switch error {
                case .away(let reason):
                    if !isAway { tell(.gatewayAway(reason)) }
                    isAway = true
                case .refused(_, let reason):
                    if refusal != reason { tell(.refused(reason)) }
                    refusal = reason
                case .lost: break
                }
                await pool.sleep(for: wait)
                wait = min(wait * 2, configuration.retryWaitMax)
            }
            if let time = configuration.idleTime, idleSince.duration(to: .now) >= time { break }
        }
        await close()
    }

    /// Takes no more jobs, gives back what it has not begun, and lets the job under way go on for `grace`. Returns when that is
    /// done, whether or not a claim still waits for its answer.
    public func stop(within grace: Duration) async {
        state.withLock { $0.isStopping = true }
        let deadline = ContinuousClock.now + grace
        while state.withLock({ $0.isAtWork }) {
            if ContinuousClock.now >= deadline { state.withLock { $0.mustEnd = true } }
            await pool.sleep(for: .milliseconds(10))
        }
        await close()
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Returns when nothing is left of its files and helpers, whoever of two callers removed them.
    private func close() async {
        let isFirst = state.withLock { state in
            defer { state.isClosing = true }
            return !state.isClosing
        }
        if isFirst {
            pool.blocking { runner.close() }
            state.withLock { $0.isClosed = true }
        }
        while !state.withLock({ $0.isClosed }) { await pool.sleep(for: .milliseconds(2)) }
    }

    private func work(on job: Assignment, _ claim: GatewayClient.Claim) async {
        state.withLock { $0.isAtWork = true }
        defer { state.withLock { $0.isAtWork = false } }
        if isStopping { return await giveBack(job) }
        let lease = LeaseKeeper(job, gateway: gateway, pool: pool)
        guard await lease.begin() else { return tell(.lost(job: job.id)) }
        tell(.begun(job: job.id, hook: job.hook, step: job.step, attempt: job.attempt))
        let start = ContinuousClock.now
        let result = await runner.run(job, outbound: claim.outbound, tell: { lease.tell($0, $1) }) { [self] in
            lease.isLost || state.withLock { $0.mustEnd }
        }
        switch result {
        case .completed(let files, let found):
            lease.tell("store", 1)
            let end = await settle(lease) { () async throws(GatewayError) in
                try await self.gateway.complete(job, files: files, result: found)
            }
            switch end {
            case .done: tell(.completed(job: job.id, start.duration(to: .now)))
            case .refused(let failure): await fail(job, failure, lease)
            case .lost: tell(.lost(job: job.id))
            case .stopped: await giveBack(job)
            }
        case .failed(let failure): await fail(job, failure, lease)
        case .parked(let ticket, let wait):
            let end = await settle(lease) { () async throws(GatewayError) in
                try await self.gateway.park(job, ticket: ticket, wait: wait)
            }
            switch end {
            case .done: tell(.parked(job: job.id))
            case .refused(let failure): await fail(job, failure, lease)
            case .lost: tell(.lost(job: job.id))
            case .stopped: await giveBack(job)
            }
        case .stopped:
            if lease.isLost { tell(.lost(job: job.id)) } else { await giveBack(job) }
        }
        await lease.end()
        runner.clean()
    }

    private func fail(_ job: Assignment, _ failure: StepFailure, _ lease: LeaseKeeper) async {
        tell(.failed(job: job.id, reason: failure.reason))
        let end = await settle(lease) { () async throws(GatewayError) in
            try await self.gateway.fail(job, failure)
        }
        if case .stopped = end { await giveBack(job) }
    }

    private enum End {
        case done, lost, stopped
        case refused(StepFailure)
    }

    /// Says the end of a job again until the gateway has taken it: what was made is kept as long as the gateway is away.
    private func settle(_ lease: LeaseKeeper, _ body: () async throws(GatewayError) -> Void) async -> End {
        var wait = Duration.milliseconds(200)
        var isTold = false
        while true {
            do throws(GatewayError) {
                try await body()
                return .done
            } catch {
                switch error {
                case .lost: return .lost
                case .refused(let status, let reason):
                    return .refused(StepFailure(reason: reason, isPermanent: (400...499).contains(status)))
                case .away(let reason):
                    if !isTold { tell(.gatewayAway(reason)) }
                    isTold = true
                }
            }
            if lease.isLost { return .lost }
            if state.withLock({ $0.mustEnd }) { return .stopped }
            await pool.sleep(for: wait)
            wait = min(wait * 2, configuration.retryWaitMax)
        }
    }

    /// Where that cannot be said the lease runs out.
    private func giveBack(_ job: Assignment) async {
        do throws(GatewayError) {
            try await gateway.giveBack(job)
            tell(.gaveBack(job: job.id))
        } catch {
            tell(.lost(job: job.id))
        }
    }
}
