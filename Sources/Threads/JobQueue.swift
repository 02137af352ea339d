/// A first-in, first-out queue of jobs in a ring that doubles when it is full.
struct JobQueue {
    private var ring: [UnownedJob?]
    private var head = 0
    private(set) var count = 0

    init() { ring = Array(repeating: nil, count: 256) }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: UnownedJob) {
        if count == ring.count { grow() }
        ring[(head &+ count) & (ring.count &- 1)] = job
        count += 1
    }

    mutating func popFirst() -> UnownedJob? {
        guard count > 0 else { return nil }
        let job = ring[head]
        ring[head] = nil
        head = (head &+ 1) & (ring.count &- 1)
        count -= 1
        return job
    }

    private mutating func grow() {
        var larger: [UnownedJob?] = []
        larger.reserveCapacity(ring.count * 2)
        for offset in 0..<count { larger.append(ring[(head &+ offset) & (ring.count &- 1)]) }
        larger.append(contentsOf: repeatElement(nil, count: ring.count * 2 - count))
        ring = larger
        head = 0
    }
}
