/// What a job can be in. The raw values stand in the store and never change meaning.
///
/// ```
///                 claim                 complete
///   available ------------> leased ----------------> completed
///       ^                    | | |
///       |  its time comes    | | |  fails for good, or for the last time
///    waiting <---------------+ | +-------------------> dead
///                fails         |                        |
///                              | cancel                 | retry
///   (any before its end) ------+---> cancelled          +---> available
/// ```
///
/// A lease that runs out counts as a failure; one that is given back makes the job available again and costs no try. A job whose worker
/// waits for an answer from outside is waiting too: its time comes with the answer.
public enum JobState: UInt8, Sendable, CaseIterable {
    case available = 0
    case leased = 1
    /// For its next try.
    case waiting = 2
    case completed = 3
    /// It is kept with its reason until somebody retries or forgets it.
    case dead = 4
    case cancelled = 5

    public var isEnded: Bool {
        switch self {
        case .available, .leased, .waiting: false
        case .completed, .dead, .cancelled: true
        }
    }

    /// Whether the change is one of the drawing above.
    public func canBecome(_ next: JobState) -> Bool {
        switch (self, next) {
        case (.available, .leased), (.leased, .completed), (.leased, .waiting), (.leased, .available), (.leased, .dead),
            (.waiting, .available), (.dead, .available):
            true
        case (.available, .cancelled), (.leased, .cancelled), (.waiting, .cancelled): true
        // A chain that is too long never runs.
        case (.available, .dead): true
        default: false
        }
    }

    public var name: String {
        switch self {
        case .available: "available"
        case .leased: "leased"
        case .waiting: "waiting"
        case .completed: "completed"
        case .dead: "dead"
        case .cancelled: "cancelled"
        }
    }
}
