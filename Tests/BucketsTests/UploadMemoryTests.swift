import Testing
import Threads

@testable import Buckets

@Suite struct UploadMemoryTests {
    private let pool = Fixture.pool

    @Test func `who finds no room waits for it, in the order of coming`() async throws {
        let memory = UploadMemory(bytesMax: 64 << 20, partBytes: 16 << 20, patience: .seconds(60), pool: pool)
        var held: UploadMemory.Share? = try await memory.take(48 << 20)
        let order = Lock<[Int]>([])
        for number in 0..<3 {
            pool.run {
                let share = try? await memory.take(48 << 20)
                order.withLock { $0.append(number) }
                withExtendedLifetime(share) {}
            }
            await pool.sleep(for: .milliseconds(20))
        }
        #expect(order.withLock { $0 } == [])
        withExtendedLifetime(held) {}
        held = nil
        while order.withLock({ $0.count }) < 3 { await pool.sleep(for: .milliseconds(5)) }
        #expect(order.withLock { $0 } == [0, 1, 2])
    }

    @Test func `small requests have room of their own`() async throws {
        let memory = UploadMemory(bytesMax: 64 << 20, partBytes: 16 << 20, patience: .seconds(60), pool: pool)
        let held = try await memory.take(48 << 20)
        let small = try await memory.take(1 << 20)
        withExtendedLifetime((held, small)) {}
    }

    @Test func `who waits too long is refused, and leaves the others their turn`() async throws {
        let memory = UploadMemory(bytesMax: 64 << 20, partBytes: 16 << 20, patience: .milliseconds(50), pool: pool)
        let held = try await memory.take(32 << 20)
        await #expect {
            _ = try await memory.take(48 << 20)
        } throws: { error in
            if case .overloaded? = error as? BucketsError { true } else { false }
        }
        let fits = try await memory.take(16 << 20)
        withExtendedLifetime((held, fits)) {}
    }
}
