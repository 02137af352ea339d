import Glibc
import Synchronization

/// A fixed number of counters that any thread may raise without waiting for another: each lies in several shards, and a
/// thread keeps to one of them.
// @unchecked: the memory is written by atomic operations only, and lives as long as this object.
@safe final class CounterTable: @unchecked Sendable {
    let count: Int
    private static let shardCount = 8
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    init(count: Int) {
        self.count = max(0, count)
        // SAFETY: every cell is initialised here and stays so until deinit.
        unsafe cells = .allocate(capacity: self.count * Self.shardCount)
        for index in 0..<(self.count * Self.shardCount) { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        // SAFETY: no reference is left; all cells were initialised in init.
        unsafe cells.deinitialize(count: count * Self.shardCount)
        unsafe cells.deallocate()
    }

    /// The shard of the calling thread, to be passed to `add`.
    static func shard() -> Int {
        // Thread descriptors lie far apart and aligned; the multiplication spreads what differs into the high bits.
        Int(truncatingIfNeeded: (UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 61)
    }

    /// Ignored where `index` is not in 0 ..< count.
    func add(_ amount: UInt64, to index: Int, shard: Int) {
        guard index >= 0, index < count, shard >= 0, shard < Self.shardCount, amount > 0 else { return }
        // SAFETY: index and shard were checked against the allocation just above.
        unsafe cells[shard * count + index].wrappingAdd(amount, ordering: .relaxed)
    }

    func value(of index: Int) -> UInt64 {
        guard index >= 0, index < count else { return 0 }
        var sum: UInt64 = 0
        for shard in 0..<Self.shardCount {
            // SAFETY: index was checked, and shard stays below shardCount.
            sum &+= unsafe cells[shard * count + index].load(ordering: .relaxed)
        }
        return sum
    }
}
