import Metadata
import Threads

/// Variants that readers asked for and that are not there yet, with those who wait for them. Each has one job, however many ask;
/// how many there are is bounded, in all and for each reader. Safe for concurrent use.
final class VariantQueue: Sendable {
    struct Wanted: Hashable {
        var bucket: BucketID
        var key: ObjectKey
        /// Of the version.
        var sequence: Int64
        /// The built-in hook's name.
        var hook: String
    }

    enum Admission: Equatable {
        /// The caller is to make the job.
        case first
        /// The job is there already.
        case joined
        case tooMany
    }

    private struct Waiting {
        var waiter: Waiter<JobGroup?>
        var until: ContinuousClock.Instant
    }

    private struct Entry {
        var reader: String
        var since: ContinuousClock.Instant
        var waiting: [Waiting] = []
    }

    private struct State {
        var entries: [Wanted: Entry] = [:]
        var waitingCount = 0
        var isStopped = false
    }

    static let countMax = 256
    static let countOfReaderMax = 32
    private static let waitingMax = 1_000
    /// After which one counts no more whose end was not heard of.
    private static let ageMax = Duration.seconds(600)

    private let state = Lock(State())

    /// `isUnderWay` says that a job is there which this process has not made.
    func enter(_ wanted: Wanted, reader: String, isUnderWay: Bool, at now: ContinuousClock.Instant) -> Admission {
        state.withLock { state in
            if state.isStopped { return .tooMany }
            if let entry = state.entries[wanted], entry.since + Self.ageMax > now { return .joined }
            let rest = state.entries.filter { $0.value.since + Self.ageMax > now || !$0.value.waiting.isEmpty }
            state.entries = rest
            guard rest.count < Self.countMax,
                rest.values.count(where: { $0.reader == reader }) < Self.countOfReaderMax
            else { return .tooMany }
            var entry = rest[wanted] ?? Entry(reader: reader, since: now)
            entry.since = now
            state.entries[wanted] = entry
            return isUnderWay ? .joined : .first
        }
    }

    /// The run once it has ended; nil where that takes longer, or nobody makes it any more.
    func wait(for wanted: Wanted, until: ContinuousClock.Instant) async -> JobGroup? {
        await Waiter<JobGroup?>.suspend { waiter in
            let waits = state.withLock { state in
                guard state.entries[wanted] != nil, state.waitingCount < Self.waitingMax, ContinuousClock.now < until
                else { return false }
                state.entries[wanted]?.waiting.append(Waiting(waiter: waiter, until: until))
                state.waitingCount += 1
                return true
            }
            if !waits { waiter.resume(nil) }
        }
    }

    /// The run ended, or none could be made, which nil stands for.
    func end(_ wanted: Wanted, _ group: JobGroup?) {
        let waiting = state.withLock { state -> [Waiting] in
            guard let entry = state.entries.removeValue(forKey: wanted) else { return [] }
            state.waitingCount -= entry.waiting.count
            return entry.waiting
        }
        for one in waiting { one.waiter.resume(group) }
    }

    /// Those whose time is over go on; their jobs do too.
    func wakeOverdue(at now: ContinuousClock.Instant) {
        let overdue = state.withLock { state -> [Waiting] in
            guard state.waitingCount > 0 else { return [] }
            var overdue: [Waiting] = []
            for (wanted, entry) in state.entries where entry.waiting.contains(where: { $0.until <= now }) {
                overdue += entry.waiting.filter { $0.until <= now }
                state.entries[wanted]?.waiting.removeAll { $0.until <= now }
            }
            state.waitingCount -= overdue.count
            return overdue
        }
        for one in overdue { one.waiter.resume(nil) }
    }

    func stop() {
        let waiting = state.withLock { state -> [Waiting] in
            state.isStopped = true
            defer { (state.entries, state.waitingCount) = ([:], 0) }
            return state.entries.values.flatMap(\.waiting)
        }
        for one in waiting { one.waiter.resume(nil) }
    }
}
