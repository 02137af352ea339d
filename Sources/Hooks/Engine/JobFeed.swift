import Bytes
public import Metadata
public import Threads

/// What changes of the runs of hooks, for those who watch: the last changes, in memory. Safe for concurrent use.
///
/// Who watches holds a position and asks for what came after it. One who is slower than the changes come is told that some are
/// forgotten; nobody is waited for.
public final class JobFeed: Sendable {
    public enum Kind: Sendable, Equatable {
        /// The run was made.
        case created
        /// A step's job came into this state.
        case step(String, JobState, attempt: Int)
        case progress(step: String, JobProgress)
        /// All its steps have ended.
        case ended(JobGroup.State)
    }

    public struct Change: Sendable, Equatable {
        /// Ascending, without gaps.
        public var position: UInt64
        public var group: JobID
        public var hook: String
        public var bucket: BucketName
        public var key: ObjectKey
        /// Whose object it is.
        public var customer: String?
        public var kind: Kind
    }

    public enum Batch: Sendable, Equatable {
        case changes([Change])
        /// What came after the position is not all in memory any more; `last` is where one can go on.
        case forgotten(last: UInt64)
        /// Nothing came in the time.
        case nothing
        /// Nothing will come any more.
        case ended
    }

    private struct Waiting {
        var waiter: Waiter<Void>
        var until: ContinuousClock.Instant
    }

    private struct State {
        /// The last ones, of which more than `keptMax` are dropped now and then.
        var changes: [Change] = []
        var last: UInt64 = 0
        var waiting: [Waiting] = []
        var watcherCount = 0
        var isEnded = false
    }

    /// Tells the positions of one run of the process from those of another.
    public let epoch = UInt32.random(in: 1...UInt32.max)
    private let pool: Pool
    private let keptMax: Int
    private let watchersMax: Int
    private let state = Lock(State())

    public init(pool: Pool, keptMax: Int = 2048, watchersMax: Int = 1000) {
        (self.pool, self.keptMax, self.watchersMax) = (pool, max(1, keptMax), watchersMax)
    }

    /// The position of the last change.
    public var last: UInt64 { state.withLock { $0.last } }

    func publish(_ kinds: [Kind], of group: JobGroup) {
        guard !kinds.isEmpty else { return }
        let draft = group.event.draft
        let waiting = state.withLock { state -> [Waiting] in
            for kind in kinds {
                state.last += 1
                state.changes.append(
                    Change(
                        position: state.last, group: group.id, hook: group.hook, bucket: draft.bucketName,
                        key: group.event.key, customer: draft.customer, kind: kind))
            }
            if state.changes.count >= 2 * keptMax { state.changes.removeFirst(state.changes.count - keptMax) }
            defer { state.waiting = [] }
            return state.waiting
        }
        resume(waiting)
    }

    /// What came after `position`, at most 100 changes; waits until something does, up to `until`.
    public func next(after position: UInt64, until: ContinuousClock.Instant) async -> Batch {
        while true {
            if let batch = look(after: position) { return batch }
            if ContinuousClock.now >= until { return .nothing }
            await Waiter<Void>.suspend { waiter in
                let isOver = state.withLock { state in
                    if state.isEnded || state.last != position { return true }
                    state.waiting.append(Waiting(waiter: waiter, until: until))
                    return false
                }
                if isOver { waiter.resume(()) }
            }
        }
    }

    private func look(after position: UInt64) -> Batch? {
        state.withLock { state in
            if state.isEnded { return .ended }
            guard position <= state.last, state.last - position <= UInt64(state.changes.count) else {
                return .forgotten(last: state.last)
            }
            let new = state.changes.suffix(Int(state.last - position))
            return new.isEmpty ? nil : .changes(Array(new.prefix(100)))
        }
    }

    /// False where too many watch already. Who was let in calls `leave` once.
    public func enter() -> Bool {
        state.withLock { state in
            guard state.watcherCount < watchersMax, !state.isEnded else { return false }
            state.watcherCount += 1
            return true
        }
    }

    public func leave() { state.withLock { $0.watcherCount -= 1 } }

    /// Those whose time is over go on.
    func wakeOverdue(at now: ContinuousClock.Instant) {
        let overdue = state.withLock { state in
            let overdue = state.waiting.filter { $0.until <= now }
            if !overdue.isEmpty { state.waiting.removeAll { $0.until <= now } }
            return overdue
        }
        resume(overdue)
    }

    func end() {
        let waiting = state.withLock { state in
            state.isEnded = true
            defer { state.waiting = [] }
            return state.waiting
        }
        resume(waiting)
    }

    private func resume(_ waiting: [Waiting]) {
        guard !waiting.isEmpty else { return }
        pool.corked { for one in waiting { one.waiter.resume(()) } }
    }
}
