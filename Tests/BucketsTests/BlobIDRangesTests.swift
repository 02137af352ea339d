import Metadata
import Testing
import Threads

@testable import Buckets

@Suite struct BlobIDRangesTests {
    @Test func `each id is given once, whoever asks`() async throws {
        let next = Lock<UInt64>(100)
        let reserve: BlobIDRanges.Reserve = { count in
            await Fixture.pool.yield()
            return next.withLock { next in
                defer { next += count }
                return next..<next + count
            }
        }
        let gateways = [BlobIDRanges(count: 7, reserve: reserve), BlobIDRanges(count: 7, reserve: reserve)]
        let given = Lock<[UInt64]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask(executorPreference: Fixture.pool) {
                    let id = try await gateways[number % 2].next()
                    given.withLock { $0.append(id.value) }
                }
            }
            try await group.waitForAll()
        }
        let ids = given.withLock { $0 }
        #expect(Set(ids).count == 200 && (ids.min() ?? 0) >= 100)
    }

    @Test func `a store that gives none is said to be away`() async {
        let broken = BlobIDRanges { _ throws(MetadataError) in throw .unavailable("no primary") }
        let empty = BlobIDRanges { _ in 5..<5 }
        for ranges in [broken, empty] {
            await #expect {
                _ = try await ranges.next()
            } throws: { error in
                if case .unavailable? = error as? BucketsError { true } else { false }
            }
        }
    }
}
