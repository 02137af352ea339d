/// How long entries of a list have been in it, where the list is oldest first and says only how many it has. Where only one
/// process takes entries out, and only such as are ripe, the ripe ones stand at its head.
struct GarbageMarks {
    private let lifetime: Duration
    /// Taken out since the beginning.
    private var removed: UInt64 = 0
    /// How many entries had been listed at some moments, removed ones included; oldest first.
    private var marks: [(moment: ContinuousClock.Instant, total: UInt64)] = []
    /// Between two marks at least a part of the lifetime lies, so that they stay few.
    private static let marksPerLifetime = 64

    init(lifetime: Duration) { self.lifetime = lifetime }

    /// The list has `count` entries now.
    mutating func note(count: UInt64, now: ContinuousClock.Instant) {
        if let last = marks.last, last.moment.duration(to: now) < lifetime / Self.marksPerLifetime { return }
        marks.append((now, removed &+ count))
    }

    /// How many entries, from the head on, have been listed for a lifetime or longer.
    mutating func ripe(now: ContinuousClock.Instant) -> UInt64 {
        while marks.count > 1, marks[1].moment.duration(to: now) >= lifetime { marks.removeFirst() }
        guard let first = marks.first, first.moment.duration(to: now) >= lifetime, first.total > removed else {
            return 0
        }
        return first.total - removed
    }

    mutating func take(_ count: Int) { removed &+= UInt64(max(0, count)) }
}
