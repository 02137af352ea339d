import Bytes
import Hooks
import Threads

/// Takes messages from one source, again and again, and ends each when its event is committed.
final class SourceLine: Sendable {
    let name: String
    private let settings: SourceSettings
    private let secret: String
    private let intake: SourceEngine.Intake
    private let pool: Pool
    private let configuration: TargetEngineConfiguration
    private let report: @Sendable (SourceEngine.Problem) -> Void
    private let state = Lock(State())

    private struct State {
        var status = SourceStatus()
        var failuresInARow = 0
        var isStopped = false
        var isRunning = false
        /// Another gateway may take after that; nil where there is none.
        var takesUntil: ContinuousClock.Instant?
    }

    init(
        _ name: String, _ settings: SourceSettings, secret: [UInt8], intake: @escaping SourceEngine.Intake, pool: Pool,
        configuration: TargetEngineConfiguration, report: @escaping @Sendable (SourceEngine.Problem) -> Void
    ) {
        (self.name, self.settings, self.intake, self.pool) = (name, settings, intake, pool)
        self.secret = String(decoding: secret, as: UTF8.self)
        (self.configuration, self.report) = (configuration, report)
        state.withLock { $0.status.state = .idle }
    }

    var status: SourceStatus { state.withLock { $0.status } }

    /// This gateway is the one that takes until then.
    func take(until end: ContinuousClock.Instant) { state.withLock { $0.takesUntil = end } }

    func start() {
        state.withLock { $0.isRunning = true }
        pool.run { [self] in
            await run()
            state.withLock { $0.isRunning = false }
        }
    }

    /// Returns when nothing is under way any more, so that the store can be closed.
    func stop() async {
        state.withLock { state in
            state.isStopped = true
            state.status.state = .stopped
        }
        while state.withLock({ $0.isRunning }) { await pool.sleep(for: .milliseconds(2)) }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func run() async {
        var kept: SourceList?
        while !isStopped {
            let isOthers = state.withLock { state in state.takesUntil.map { $0 <= .now } ?? false }
            if isOthers {
                await pool.sleep(for: configuration.sourcePause)
                continue
            }
            do {
                let list: SourceList
                if let kept {
                    list = kept
                } else {
                    list = try pool.blocking { () throws(TargetFailure) in
                        try SourceList(settings, secret: secret)
                    }
                    kept = list
                }
                if try await round(list) == 0 { await pool.sleep(for: configuration.sourcePause) }
            } catch {
                kept = nil
                await pause(after: fail(error))
            }
        }
    }

    /// Returns how many messages there were.
    private func round(_ list: SourceList) async throws -> Int {
        let messages = try pool.blocking { () throws(TargetFailure) in try list.take() }
        if !messages.isEmpty {
            let reasons = try await intake(messages, settings.actsAs)
            try pool.blocking { () throws(TargetFailure) in try list.end(messages, reasons) }
            let refusals = reasons.compactMap { $0 }
            state.withLock { state in
                state.status.takenCount &+= UInt64(messages.count - refusals.count)
                state.status.refusedCount &+= UInt64(refusals.count)
                state.status.lastTaken = .now()
            }
            if let reason = refusals.first { report(.refused(name, count: refusals.count, reason: reason)) }
        }
        let counts = try pool.blocking { () throws(TargetFailure) in try list.counts() }
        state.withLock { state in
            (state.status.waitingCount, state.status.deadCount) = (counts.waiting, counts.dead)
            state.failuresInARow = 0
            if !state.isStopped { state.status.state = counts.waiting > 0 ? .taking : .idle }
        }
        return messages.count
    }

    /// Returns how many failures there were in a row.
    private func fail(_ error: any Error) -> Int {
        let reason = "\(error)"
        let count = state.withLock { state in
            state.failuresInARow += 1
            state.status.failureCount &+= 1
            (state.status.lastFailure, state.status.lastFailureMoment) = (reason, .now())
            if !state.isStopped { state.status.state = .failing }
            return state.failuresInARow
        }
        if count == 1, !isStopped { report(.failing(name, reason: reason)) }
        return count
    }

    private func pause(after count: Int) async {
        let retry = configuration.retry
        let end = ContinuousClock.now + (retry.wait(after: min(count, 90), random: .random(in: 0..<1)) ?? retry.max)
        while !isStopped, ContinuousClock.now < end { await pool.sleep(for: .milliseconds(20)) }
    }
}
