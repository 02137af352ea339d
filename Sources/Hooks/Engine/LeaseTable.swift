import Bytes
public import Metadata

/// How far a job is, as its worker says.
public struct JobProgress: Sendable, Equatable {
    public var stage: String
    /// Of the stage, 0...1.
    public var fraction: Double

    public init(stage: String, fraction: Double) {
        self.stage = String(stage.prefix(100))
        self.fraction = fraction.isFinite ? min(1, max(0, fraction)) : 0
    }
}

/// The focal point that a worker was told, nil for none.
public struct NotedFocus: Sendable, Equatable {
    public var point: FocalPoint?

    public init(point: FocalPoint?) { self.point = point }
}

/// The leases that are out, and when they end. Heartbeats live here only: a store that starts again gives each a whole period.
struct LeaseTable {
    struct Lease {
        var job: Job
        var group: JobGroup
        var ends: ContinuousClock.Instant
        var progress: JobProgress?
        /// That nothing was heard of it may have another reason than its worker's end: it was given before the gateway started,
        /// or the answer with it has not reached the worker as far as is known.
        var isDoubtful: Bool
        var focus: NotedFocus?
    }

    private(set) var leases: [JobID: Lease] = [:]
    let period: Duration

    init(period: Duration) { self.period = period }

    /// `confirmedWithin` is the time that a doubtful lease has for its first renewal, where that is shorter than the period.
    mutating func add(
        _ leased: LeasedJob, at now: ContinuousClock.Instant, isDoubtful: Bool = false,
        confirmedWithin: Duration? = nil
    ) {
        leases[leased.job.id] = Lease(
            job: leased.job, group: leased.group, ends: now + min(period, confirmedWithin ?? period),
            isDoubtful: isDoubtful)
    }

    /// False where the token is not the lease's.
    mutating func renew(
        _ id: JobID, token: [UInt8], progress: JobProgress?, at now: ContinuousClock.Instant
    ) -> Bool {
        guard var lease = leases[id], lease.job.token == token else { return false }
        lease.ends = now + period
        lease.isDoubtful = false
        if let progress { lease.progress = progress }
        leases[id] = lease
        return true
    }

    mutating func note(_ focus: NotedFocus, of id: JobID) { leases[id]?.focus = focus }

    /// It goes on, as somebody else says.
    mutating func extend(_ id: JobID, at now: ContinuousClock.Instant) { leases[id]?.ends = now + period }

    @discardableResult
    mutating func remove(_ id: JobID) -> Lease? { leases.removeValue(forKey: id) }

    func lease(_ id: JobID, token: [UInt8]) -> Lease? {
        leases[id].flatMap { $0.job.token == token ? $0 : nil }
    }

    func ended(by now: ContinuousClock.Instant) -> [Lease] { leases.values.filter { $0.ends <= now } }
}
