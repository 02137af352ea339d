import Synchronization

/// Bytes that all uploads together may hold in memory.
final class MemoryBudget: Sendable {
    private let bytesMax: Int
    private let taken = Atomic<Int>(0)

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// In bytes.
    var takenBytes: Int { taken.load(ordering: .relaxed) }

    private func take(_ count: Int) -> Bool {
        if taken.add(count, ordering: .relaxed).newValue <= bytesMax { return true }
        give(count)
        return false
    }

    private func give(_ count: Int) { taken.subtract(count, ordering: .relaxed) }

    /// What one upload holds, given back when this object goes.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let count = Atomic<Int>(0)

        init(of budget: MemoryBudget) { self.budget = budget }

        deinit { budget.give(count.load(ordering: .relaxed)) }

        /// False, with nothing changed, where the budget has not so many bytes left.
        func grow(by bytes: Int) -> Bool {
            guard budget.take(bytes) else { return false }
            count.add(bytes, ordering: .relaxed)
            return true
        }
    }
}
