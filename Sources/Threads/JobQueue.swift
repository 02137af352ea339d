/// What a worker takes from the queue: a job, an event that another worker brought from epoll beside its own, or a task that
/// lets others go first.
enum Work {
    case job(UnownedJob)
    case resumption(Waiter<Void>)
    /// The event's data.
    case event(UInt64)
}

/// A first-in, first-out queue of work in a ring that doubles when it is full.
struct JobQueue {
    private var ring: [Work?]
    private var head = 0
    private(set) var count = 0

    init() { ring = Array(repeating: nil, count: 256) }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ work: Work) {
        if count == ring.count { grow() }
        ring[(head &+ count) & (ring.count &- 1)] = work
        count += 1
    }

    mutating func popFirst() -> Work? {
        guard count > 0 else { return nil }
        let work = ring[head]
        ring[head] = nil
        head = (head &+ 1) & (ring.count &- 1)
        count -= 1
        return work
    }

    private mutating func grow() {
        var larger: [Work?] = []
        larger.reserveCapacity(ring.count * 2)
        for offset in 0..<count { larger.append(ring[(head &+ offset) & (ring.count &- 1)]) }
        larger.append(contentsOf: repeatElement(nil, count: ring.count * 2 - count))
        ring = larger
        head = 0
    }
}
