import Glibc
import Synchronization
import Testing
import Threads

struct PoolTests {
    @Test func `a task runs on the pool's threads and stays there after waiting`() async throws {
        let pool = try Pool.start(threads: 2)
        defer { pool.stop() }
        let places = Lock<[Bool]>([])
        await finished(1) { done in
            pool.run {
                places.withLock { $0.append(Pool.isOnPoolThread) }
                await pool.yield()
                places.withLock { $0.append(Pool.isOnPoolThread) }
                await pool.sleep(for: .milliseconds(5))
                places.withLock { $0.append(Pool.isOnPoolThread) }
                done()
            }
        }
        #expect(!Pool.isOnPoolThread)
        #expect(places.withLock { $0 } == [true, true, true])
    }

    @Test func `every one of many tasks that yield comes to its end`() async throws {
        let pool = try Pool.start(threads: 4)
        defer { pool.stop() }
        let count = Atomic<Int>(0)
        await finished(2000) { done in
            for _ in 0..<2000 {
                pool.run {
                    for _ in 0..<20 {
                        await pool.yield()
                        count.add(1, ordering: .relaxed)
                    }
                    done()
                }
            }
        }
        #expect(count.load(ordering: .relaxed) == 40_000)
    }

    @Test func `tasks that a committer resumes in corked batches all go on`() async throws {
        let pool = try Pool.start(threads: 4)
        defer { pool.stop() }
        let waiting = Lock<[Waiter<Int>]>([])
        let sum = Atomic<Int>(0)
        await finished(500) { done in
            for _ in 0..<500 {
                pool.run {
                    let value = await Waiter<Int>.suspend { waiter in waiting.withLock { $0.append(waiter) } }
                    sum.add(value, ordering: .relaxed)
                    done()
                }
            }
            while waiting.withLock({ $0.count }) < 500 { usleep(1000) }
            let all = waiting.withLock { $0 }
            pool.corked { for (index, waiter) in all.enumerated() { waiter.resume(index) } }
        }
        #expect(sum.load(ordering: .relaxed) == 499 * 500 / 2)
    }

    @Test func `threads that block are replaced, so that others can release them`() async throws {
        let pool = try Pool.start(threads: 2)
        defer { pool.stop() }
        let inside = Atomic<Int>(0)
        await finished(10) { done in
            for _ in 0..<10 {
                pool.run {
                    pool.blocking {
                        inside.add(1, ordering: .relaxed)
                        // Ten tasks on two threads: each waits until all are inside.
                        while inside.load(ordering: .relaxed) < 10 { usleep(500) }
                    }
                    done()
                }
            }
        }
        #expect(inside.load(ordering: .relaxed) == 10)
    }

    @Test func `blocking returns and rethrows what its body does, on any thread`() throws {
        struct Failure: Error {}
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        #expect(pool.blocking { 7 } == 7)
        #expect(throws: Failure.self) { try pool.blocking { () throws(Failure) -> Int in throw Failure() } }
    }

    @Test func `sleepers wake in the order of their moments`() async throws {
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        let order = Lock<[Int]>([])
        await finished(4) { done in
            for delay in [90, 30, 60, 1] {
                pool.run {
                    await pool.sleep(for: .milliseconds(delay))
                    order.withLock { $0.append(delay) }
                    done()
                }
            }
        }
        #expect(order.withLock { $0 } == [1, 30, 60, 90])
    }

    @Test func `a stop wakes sleepers and runs what is queued`() async throws {
        let pool = try Pool.start(threads: 2)
        let ended = Atomic<Int>(0)
        let asleep = Atomic<Int>(0)
        for _ in 0..<3 {
            pool.run {
                asleep.add(1, ordering: .relaxed)
                await pool.sleep(for: .seconds(3600))
                ended.add(1, ordering: .relaxed)
            }
        }
        while asleep.load(ordering: .relaxed) < 3 { usleep(500) }
        pool.stop()
        #expect(ended.load(ordering: .relaxed) == 3)
        pool.stop()
    }

    @Test func `a watched descriptor is reported once, until it is watched again`() async throws {
        let pool = try Pool.start(threads: 2)
        defer { pool.stop() }
        let pipe = Pipe()
        let owner = Counter()
        let token = pool.register(owner)
        #expect(pool.watch(pipe.reader, for: .read, token: token, isNew: true))
        pipe.write()
        eventually { owner.events.load(ordering: .relaxed) == 1 }
        pipe.write()
        await pool.sleep(for: .milliseconds(20))
        #expect(owner.events.load(ordering: .relaxed) == 1)
        #expect(pool.watch(pipe.reader, for: .read, token: token))
        eventually { owner.events.load(ordering: .relaxed) == 2 }
        pool.forget(token)
    }

    @Test func `an event for a forgotten owner does not reach the one that took its place`() async throws {
        let pool = try Pool.start(threads: 2)
        defer { pool.stop() }
        let pipe = Pipe()
        let former = Counter()
        let token = pool.register(former)
        #expect(pool.watch(pipe.reader, for: .read, token: token, isNew: true))
        pool.forget(token)
        let next = Counter()
        let newToken = pool.register(next)
        #expect(newToken != token)
        pipe.write()
        await pool.sleep(for: .milliseconds(30))
        #expect(former.events.load(ordering: .relaxed) == 0)
        #expect(next.events.load(ordering: .relaxed) == 0)
    }

    @Test func `registered owners are told the time`() throws {
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        let owner = Counter()
        let token = pool.register(owner)
        eventually { owner.ticks.load(ordering: .relaxed) >= 2 }
        pool.forget(token)
    }
}

private final class Counter: Pollable {
    let events = Atomic<Int>(0)
    let ticks = Atomic<Int>(0)

    func descriptorIsReady() { events.add(1, ordering: .relaxed) }
    func tick(now: UInt64) { ticks.add(1, ordering: .relaxed) }
}

private final class Pipe {
    let reader: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [0, 0]
        _ = unsafe pipe(&ends)
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        close(reader)
        close(writer)
    }

    func write() {
        var byte: UInt8 = 1
        _ = unsafe Glibc.write(writer, &byte, 1)
    }
}

/// Waits at most ten seconds.
private func eventually(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    for _ in 0..<10_000 {
        if condition() { return }
        usleep(1000)
    }
    Issue.record("did not happen", sourceLocation: sourceLocation)
}

/// Returns when the closure that `body` gets was called `count` times.
private func finished(_ count: Int, _ body: (@escaping @Sendable () -> Void) -> Void) async {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    body { continuation.yield() }
    var left = count
    for await _ in stream {
        left -= 1
        if left == 0 { return }
    }
}
