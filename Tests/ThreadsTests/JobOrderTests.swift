import Synchronization
import Testing
import Threads

struct JobOrderTests {
    @Test func `one thread runs jobs in the order they came`() async throws {
        let pool = try Pool.start(threads: 1)
        defer { pool.stop() }
        let order = Lock<[Int]>([])
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        pool.run {
            // More than the ring holds at first, enqueued while its only reader is busy here.
            for index in 0..<1000 {
                pool.run {
                    order.withLock { $0.append(index) }
                    if index == 999 { continuation.finish() }
                }
            }
        }
        for await _ in stream {}
        #expect(order.withLock { $0 } == Array(0..<1000))
    }
}
