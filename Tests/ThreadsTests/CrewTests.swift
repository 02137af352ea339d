import Glibc
import Synchronization
import Testing
import Threads

/// What holds although only as many threads run as there are cores.
struct CrewTests {
    @Test(arguments: [1, 2, 4])
    func `no event of many descriptors is lost`(atOnce: Int) throws {
        let pool = try Pool.start(threads: 4, atOnce: atOnce)
        defer { pool.stop() }
        let owners = (0..<200).map { _ in PipeOwner(pool) }
        for owner in owners { owner.open() }
        for _ in 0..<50 {
            for owner in owners { owner.write() }
        }
        eventually { owners.allSatisfy { $0.received.load(ordering: .relaxed) == 50 } }
        for owner in owners { owner.close() }
    }

    @Test func `a descriptor is served while as many jobs as run at once do not end`() throws {
        let pool = try Pool.start(threads: 4, atOnce: 2)
        defer { pool.stop() }
        let owner = PipeOwner(pool)
        owner.open()
        let spinning = Atomic<Int>(0)
        let ended = Atomic<Int>(0)
        for _ in 0..<2 {
            pool.run {
                spinning.add(1, ordering: .relaxed)
                // Not inside `blocking`: such a thread is found out by the watcher alone.
                while owner.received.load(ordering: .relaxed) == 0 { usleep(100) }
                ended.add(1, ordering: .relaxed)
            }
        }
        eventually { spinning.load(ordering: .relaxed) == 2 }
        owner.write()
        eventually { ended.load(ordering: .relaxed) == 2 }
        owner.close()
    }

    @Test func `jobs run beside threads that block, however many they are`() throws {
        let pool = try Pool.start(threads: 4, atOnce: 1)
        defer { pool.stop() }
        let isReleased = Atomic<Bool>(false)
        let inside = Atomic<Int>(0)
        for _ in 0..<12 {
            pool.run {
                pool.blocking {
                    inside.add(1, ordering: .relaxed)
                    while !isReleased.load(ordering: .relaxed) { usleep(200) }
                }
                inside.subtract(1, ordering: .relaxed)
            }
        }
        eventually { inside.load(ordering: .relaxed) == 12 }
        pool.run { isReleased.store(true, ordering: .relaxed) }
        eventually { inside.load(ordering: .relaxed) == 0 }
        // The threads that came back take work as before.
        let count = Atomic<Int>(0)
        for _ in 0..<1000 { pool.run { count.add(1, ordering: .relaxed) } }
        eventually { count.load(ordering: .relaxed) == 1000 }
    }

    @Test func `a task that yields lets what is queued go first`() throws {
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        let order = Lock<[Int]>([])
        pool.run {
            pool.run { order.withLock { $0.append(1) } }
            await pool.yield()
            order.withLock { $0.append(2) }
        }
        eventually { order.withLock { $0.count } == 2 }
        #expect(order.withLock { $0 } == [1, 2])
    }

    @Test func `descriptors are served between jobs that never leave the queue empty`() throws {
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        let owner = PipeOwner(pool)
        owner.open()
        let ended = Atomic<Int>(0)
        for _ in 0..<3 {
            pool.run {
                // A bound, so that the pool can be stopped where this fails.
                for _ in 0..<10_000_000 where owner.received.load(ordering: .relaxed) == 0 { await pool.yield() }
                ended.add(1, ordering: .relaxed)
            }
        }
        owner.write()
        eventually { ended.load(ordering: .relaxed) == 3 }
        owner.close()
    }
}

/// Reads what comes through its pipe, a byte at a time, and counts it.
private final class PipeOwner: Pollable {
    let received = Atomic<Int>(0)
    private let pool: Pool
    private let reader: Int32
    private let writer: Int32
    private let token = Lock(PollToken.none)

    init(_ pool: Pool) {
        self.pool = pool
        var ends: [Int32] = [0, 0]
        _ = unsafe pipe(&ends)
        (reader, writer) = (ends[0], ends[1])
    }

    func open() {
        token.withLock { $0 = pool.register(self) }
        #expect(pool.watch(reader, for: .read, token: token.withLock { $0 }, isNew: true))
    }

    func write() {
        var byte: UInt8 = 1
        _ = unsafe Glibc.write(writer, &byte, 1)
    }

    func close() {
        pool.forget(token.withLock { $0 })
        Glibc.close(reader)
        Glibc.close(writer)
    }

    func descriptorIsReady() {
        var byte: UInt8 = 0
        if unsafe read(reader, &byte, 1) == 1 { received.add(1, ordering: .relaxed) }
        _ = pool.watch(reader, for: .read, token: token.withLock { $0 })
    }

    func tick(now: UInt64) {}
}

/// Waits at most half a minute.
private func eventually(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    for _ in 0..<30_000 {
        if condition() { return }
        usleep(1000)
    }
    Issue.record("did not happen", sourceLocation: sourceLocation)
}
