import Bytes
import Hooks
import Metadata
import Threads

/// Delivers to one target what it is to be told of: reads events ahead, sends those of different keys at once, waits after failures, and
/// notes how far it is.
final class TargetLine: Sendable {
    let name: String
    private let retention: Duration
    private let driver: any EventTarget
    private let text: EventText
    private let store: any EventStore
    private let pool: Pool
    private let configuration: TargetEngineConfiguration
    private let report: @Sendable (TargetEngine.Problem) -> Void
    private let state: Lock<State>

    private struct State {
        var queue: DeliveryQueue
        var status = TargetStatus()
        /// Events may have come since the last look.
        var hasNews = true
        var isReading = false
        var sendCount = 0
        /// Failures of the receiver in a row, and how long it is left alone.
        var failuresInARow = 0
        var pausedUntil: ContinuousClock.Instant?
        /// The position that the store knows, and whether it should know a later one soon.
        var noted: Int64
        var isNoting = false
        var isWorthNoting = false
        var lastNote = ContinuousClock.now
        /// Given up since then.
        var droppedCount: Int64 = 0
        var isStopped = false
        /// Another gateway may deliver after that; nil where there is none.
        var deliversUntil: ContinuousClock.Instant?
    }

    private struct Batch {
        var lane: DeliveryQueue.Lane
        var events: [ObjectEvent]
    }

    init(
        _ target: StoredTarget, keepingFor retention: Duration, driver: any EventTarget, text: EventText,
        store: any EventStore, pool: Pool, configuration: TargetEngineConfiguration,
        report: @escaping @Sendable (TargetEngine.Problem) -> Void
    ) {
        name = target.name
        (self.retention, self.driver, self.text, self.store, self.pool) = (retention, driver, text, store, pool)
        (self.configuration, self.report) = (configuration, report)
        let queue = DeliveryQueue(after: target.position, isOrdered: driver.isOrdered)
        state = Lock(State(queue: queue, noted: target.position))
        state.withLock { $0.status.droppedCount = target.droppedCount }
    }

    /// Events were committed, or may have been. Returns at once.
    func notice() {
        state.withLock { $0.hasNews = true }
        go()
    }

    /// This gateway is the one that delivers until then.
    func deliver(until end: ContinuousClock.Instant) { state.withLock { $0.deliversUntil = end } }

    /// Time has passed.
    func tick() {
        let limit = Timestamp(milliseconds: Timestamp.now().milliseconds &- retention.milliseconds)
        let dropped = state.withLock { state -> Int in
            if state.isStopped { return 0 }
            let count = state.queue.drop(before: limit)
            state.droppedCount &+= Int64(count)
            state.status.droppedCount &+= Int64(count)
            if count > 0 { state.isWorthNoting = true }
            return count
        }
        if dropped > 0 { report(.dropped(name, count: dropped)) }
        go()
    }

    var status: TargetStatus {
        state.withLock { state in
            var status = state.status
            status.pendingCount = state.queue.count
            status.hasMore = state.queue.count >= configuration.windowMax
            status.oldestPending = state.queue.oldest
            if state.isStopped {
                status.state = .stopped
            } else if state.failuresInARow > 0 || state.queue.hasFailures {
                status.state = .failing
            } else {
                status.state = state.queue.count > 0 ? .delivering : .idle
            }
            return status
        }
    }

    /// Returns when nothing of this target is under way any more, so that the store can be closed. What was delivered is noted.
    func stop() async {
        state.withLock { $0.isStopped = true }
        driver.close()
        while state.withLock({ $0.isReading || $0.sendCount > 0 || $0.isNoting }) {
            await pool.sleep(for: .milliseconds(2))
        }
        await note()
    }

    /// Begins what can be begun now.
    private func go() {
        let now = ContinuousClock.now
        let (reads, batches, notes) = state.withLock { state -> (Bool, [Batch], Bool) in
            if state.isStopped { return (false, [], false) }
            state.queue.wake(at: now)
            let reads = state.hasNews && !state.isReading && state.queue.count <= configuration.windowMax / 2
            if reads { state.isReading = true }
            let batches = begin(&state, at: now)
            let isOld = now - state.lastNote > configuration.noteInterval
            let notes = !state.isNoting && state.queue.confirmed > state.noted && (state.isWorthNoting || isOld)
            if notes { state.isNoting = true }
            return (reads, batches, notes)
        }
        if reads { pool.run { [self] in await read() } }
        for batch in batches { pool.run { [self] in await send(batch) } }
        if notes { pool.run { [self] in await keepNoting() } }
    }

    /// One at a time goes to a receiver that failed, until it takes one.
    private func begin(_ state: inout State, at now: ContinuousClock.Instant) -> [Batch] {
        if let until = state.pausedUntil, now < until { return [] }
        if let end = state.deliversUntil, end <= now { return [] }
        let countMax = state.failuresInARow > 0 ? 1 : driver.concurrency
        var batches: [Batch] = []
        while state.sendCount < countMax, let next = state.queue.next(countMax: driver.batchMax) {
            state.sendCount += 1
            batches.append(Batch(lane: next.lane, events: next.events))
        }
        return batches
    }

    // MARK: Reading

    private func read() async {
        while true {
            let after = state.withLock { state -> Int64? in
                let isFull = state.queue.count >= configuration.windowMax
                guard state.hasNews, !state.isStopped, !isFull else {
                    state.isReading = false
                    return nil
                }
                state.hasNews = false
                return state.queue.read
            }
            guard let after else { break }
            do throws(MetadataError) {
                let events = try await store.events(after: after, limit: Self.pageLength)
                let own = events.filter { $0.draft.bindings.contains { $0.target == name } }
                state.withLock { state in
                    state.queue.append(own, through: events.last?.position ?? after)
                    if events.count == Self.pageLength { state.hasNews = true }
                }
            } catch {
                report(.reading(name, error))
                // The next tick tries again.
                state.withLock { state in
                    state.hasNews = true
                    state.isReading = false
                }
                return
            }
            go()
        }
        go()
    }

    private static let pageLength = 500

    // MARK: Sending

    private func send(_ batch: Batch) async {
        let delivery: Delivery
        do throws(MetadataError) {
            var messages: [TargetMessage] = []
            for event in batch.events { messages.append(try await message(of: event)) }
            delivery = await driver.send(messages)
        } catch {
            delivery = Delivery(acceptedCount: 0, failure: TargetFailure("the event cannot be read: \(error)"))
        }
        take(delivery, of: batch)
        go()
    }

    private func message(of event: ObjectEvent) async throws(MetadataError) -> TargetMessage {
        var job: JobGroup?
        if event.draft.name == .jobFinished, let id = JobID(event.draft.requestID) {
            job = try await store.jobGroup(id)
        }
        var buckets: [BucketID: Bucket] = [:]
        for id in Set([event.bucket] + (job?.steps ?? []).flatMap(\.files).map(\.bucket)) {
            buckets[id] = try await store.bucket(id)
        }
        return text.message(
            of: event, for: event.draft.bindings.filter { $0.target == name }, in: buckets, job: job)
    }

    private func take(_ delivery: Delivery, of batch: Batch) {
        let now = ContinuousClock.now
        let failure = delivery.failure
        let isNews = state.withLock { state -> Bool in
            state.sendCount -= 1
            let count = min(max(0, delivery.acceptedCount), batch.events.count)
            let wasFailing = state.failuresInARow > 0
            if count > 0 {
                state.status.deliveredCount &+= UInt64(count)
                state.status.lastDelivery = .now()
                state.isWorthNoting = true
                state.failuresInARow = 0
                state.pausedUntil = nil
            }
            guard let failure, !state.isStopped else {
                state.queue.end(batch.lane, delivered: count, waiting: nil, now: now)
                return false
            }
            state.status.failureCount &+= 1
            state.status.lastFailure = failure.reason
            state.status.lastFailureMoment = .now()
            guard failure.isOfReceiver else {
                (state.failuresInARow, state.pausedUntil) = (0, nil)
                state.queue.end(batch.lane, delivered: count, waiting: { self.wait(after: $0) }, now: now)
                return false
            }
            state.queue.end(batch.lane, delivered: count, waiting: nil, now: now)
            // Those that were under way together fail together, which counts once.
            if state.pausedUntil.map({ $0 <= now }) ?? true {
                state.failuresInARow += 1
                let pause = max(self.wait(after: state.failuresInARow), failure.retryAfter ?? .zero)
                state.pausedUntil = now + pause
            }
            return !wasFailing
        }
        if isNews, let failure { report(.failing(name, failure)) }
    }

    /// Without limit of tries.
    private func wait(after count: Int) -> Duration {
        configuration.retry.wait(after: min(count, 90), random: .random(in: 0..<1)) ?? configuration.retry.max
    }

    // MARK: Noting

    /// Notes how far the target is, again and again while it gets on.
    private func keepNoting() async {
        while true {
            await note()
            await pool.sleep(for: configuration.notePause)
            let goesOn = state.withLock { state in
                if !state.isStopped, state.isWorthNoting, state.queue.confirmed > state.noted { return true }
                state.isNoting = false
                return false
            }
            guard goesOn else { return }
        }
    }

    private func note() async {
        let (position, dropped) = state.withLock { state in
            state.isWorthNoting = false
            state.lastNote = .now
            return (state.queue.confirmed, state.droppedCount)
        }
        guard position > state.withLock({ $0.noted }) else { return }
        do throws(MetadataError) {
            try await store.moveTarget(name, to: position, dropping: dropped)
            state.withLock { state in
                state.noted = position
                state.droppedCount &-= dropped
            }
        } catch {
            report(.noting(name, error))
            state.withLock { $0.isWorthNoting = true }
        }
    }
}
