import Threads

/// What the committer has done since the store was opened.
public struct CommitStatistics: Sendable, Equatable {
    /// Batches, each one commit of the database.
    public var batches: UInt64 = 0
    /// Requests that took effect.
    public var commits: UInt64 = 0
    /// Those of them for which a client waited, and no job, target or other work behind the writes.
    public var clientCommits: UInt64 = 0
    /// Requests that were refused or failed.
    public var refusals: UInt64 = 0
    /// Requests in the largest batch.
    public var largestBatch = 0
    /// Requests that wait now.
    public var queueDepth = 0
}

/// Takes writes from all threads and commits them in groups: whatever queued up while the last group was being committed
/// is the next one, so a lone request waits for nothing and a crowd shares one sync.
final class Committer: Sendable {
    private struct Request {
        let mutation: Mutation
        let caller: Caller

        var isLone: Bool { if case .one = caller { true } else { false } }

        func answer(_ result: Result<Answer, MetadataError>) {
            switch caller {
            case .one(let continuation): continuation.resume(returning: result)
            case .joined(let answers, let index): answers.take(result, at: index)
            }
        }
    }

    private enum Caller {
        case one(CheckedContinuation<Result<Answer, MetadataError>, Never>)
        /// One of several that are answered together.
        case joined(JoinedAnswers, Int)
    }

    private struct State {
        var queue: [Request] = []
        /// A thread is committing.
        var isDraining = false
        var isClosed = false
        /// Wait for a checkpoint.
        var settlers: [CheckedContinuation<Void, Never>] = []
        var closers: [CheckedContinuation<Void, Never>] = []
        var statistics = CommitStatistics()
    }

    private let state = Lock(State())
    private let writer: BatchWriter
    private let pool: Pool
    private let batchLengthMax: Int
    private let batchBytesMax: Int
    private let queueLengthMax: Int

    init(writer: BatchWriter, pool: Pool, configuration: SQLiteStoreConfiguration) {
        self.writer = writer
        self.pool = pool
        batchLengthMax = max(1, configuration.batchLengthMax)
        batchBytesMax = configuration.batchBytesMax
        queueLengthMax = configuration.queueLengthMax
    }

    /// Returns when the outcome is durable.
    func submit(_ mutation: Mutation) async throws(MetadataError) -> Answer {
        let result = await withCheckedContinuation { continuation in
            enqueue(Request(mutation: mutation, caller: .one(continuation)))
        }
        return try result.get()
    }

    /// All at once, so that they share commits; one result for each, in order.
    func submit(_ mutations: [Mutation]) async -> [Result<Answer, MetadataError>] {
        if mutations.isEmpty { return [] }
        return await withCheckedContinuation { continuation in
            let answers = JoinedAnswers(count: mutations.count, continuation)
            for (index, mutation) in mutations.enumerated() {
                enqueue(Request(mutation: mutation, caller: .joined(answers, index)))
            }
        }
    }

    private func enqueue(_ request: Request) {
        enum Next { case drain, wait, refuse(String) }
        let next: Next = state.withLock { state in
            if state.isClosed { return .refuse("the store is closed") }
            if state.queue.count >= queueLengthMax { return .refuse("\(queueLengthMax) writes are waiting") }
            state.queue.append(request)
            if state.isDraining { return .wait }
            state.isDraining = true
            return .drain
        }
        switch next {
        case .wait: break
        case .refuse(let reason): request.answer(.failure(.overloaded(reason)))
        // A lone request is committed where it stands, without waking another thread, where the thread is one that may block. What
        // queued up meanwhile is not its task's affair. One of several would not have waited for its neighbours.
        case .drain:
            let isDone = request.isLone && Pool.isOnPoolThread && pool.blocking { drain(batchCountMax: 1) }
            if !isDone { goOn() }
        }
    }

    private func goOn() { pool.run { self.pool.blocking { _ = self.drain(batchCountMax: .max) } } }

    private enum Work {
        case batch([Request])
        case settle([CheckedContinuation<Void, Never>])
        case none([CheckedContinuation<Void, Never>])
        /// Requests wait.
        case more
    }

    /// Commits until nothing waits, then true; or until so many batches are committed. One at a time: `isDraining` says that it
    /// runs.
    private func drain(batchCountMax: Int) -> Bool {
        var batchCount = 0
        while true {
            switch next(mayTakeBatch: batchCount < batchCountMax) {
            case .batch(let batch):
                batchCount += 1
                let answers = writer.commit(batch.map(\.mutation))
                count(batch, answers)
                pool.corked {
                    for (request, answer) in zip(batch, answers) { request.answer(answer) }
                }
                writer.checkpointIfGrown()
            case .settle(let settlers):
                writer.settle()
                for settler in settlers { settler.resume() }
            case .none(let closers):
                for closer in closers { closer.resume() }
                return true
            case .more: return false
            }
        }
    }

    private func next(mayTakeBatch: Bool) -> Work {
        state.withLock { state in
            if !state.settlers.isEmpty {
                defer { state.settlers = [] }
                return .settle(state.settlers)
            }
            if state.queue.isEmpty {
                state.isDraining = false
                defer { state.closers = [] }
                return .none(state.closers)
            }
            if !mayTakeBatch { return .more }
            let length = batchLength(of: state.queue)
            if length == state.queue.count {
                defer { state.queue = [] }
                return .batch(state.queue)
            }
            defer { state.queue.removeFirst(length) }
            return .batch([Request](state.queue.prefix(length)))
        }
    }

    /// Has the write-ahead log copied into the database now, as far as readers allow.
    func settle() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let (isClosed, starts) = state.withLock { state in
                if state.isClosed { return (true, false) }
                state.settlers.append(continuation)
                defer { state.isDraining = true }
                return (false, !state.isDraining)
            }
            if isClosed { continuation.resume() }
            if starts { goOn() }
        }
    }

    /// How many from the head of the queue go into one batch: at least one.
    private func batchLength(of queue: [Request]) -> Int {
        var bytes = 0
        for (index, request) in queue.enumerated() {
            bytes += request.mutation.payloadLength
            if index > 0, index >= batchLengthMax || bytes > batchBytesMax { return index }
        }
        return queue.count
    }

    private func count(_ batch: [Request], _ answers: [Result<Answer, MetadataError>]) {
        var (done, ofClients): (UInt64, UInt64) = (0, 0)
        for case (let request, .success) in zip(batch, answers) {
            done += 1
            if !request.mutation.isBehindWrites { ofClients += 1 }
        }
        state.withLock { [done, ofClients] state in
            state.statistics.batches += 1
            state.statistics.commits += done
            state.statistics.clientCommits += ofClients
            state.statistics.refusals += UInt64(answers.count) - done
            state.statistics.largestBatch = max(state.statistics.largestBatch, answers.count)
        }
    }

    var statistics: CommitStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.queueDepth = state.queue.count
            return statistics
        }
    }

    /// Refuses new writes and returns when those that wait are answered and the write-ahead log is empty.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isDraining { state.closers.append(continuation) }
                return !state.isDraining
            }
            if isIdle { continuation.resume() }
        }
        pool.blocking { writer.finish() }
    }
}

/// Collects the answers of requests that one caller waits for together.
private final class JoinedAnswers: Sendable {
    private let state: Lock<State>
    private let continuation: CheckedContinuation<[Result<Answer, MetadataError>], Never>

    private struct State {
        var results: [Result<Answer, MetadataError>]
        var missing: Int
    }

    init(count: Int, _ continuation: CheckedContinuation<[Result<Answer, MetadataError>], Never>) {
        state = Lock(State(results: Array(repeating: .success(.done), count: count), missing: count))
        self.continuation = continuation
    }

    /// The last one resumes the caller.
    func take(_ result: Result<Answer, MetadataError>, at index: Int) {
        let all: [Result<Answer, MetadataError>]? = state.withLock { state in
            state.results[index] = result
            state.missing -= 1
            return state.missing == 0 ? state.results : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}
