/// Sleeping tasks by the moment they wake, in a binary heap.
struct TimerQueue {
    private struct Entry {
        var wake: UInt64
        var waiter: Waiter<Void>
    }

    private var heap: [Entry] = []

    /// The earliest moment, in `Monotonic.nanoseconds`.
    var next: UInt64? { heap.first?.wake }

    mutating func insert(_ waiter: Waiter<Void>, at wake: UInt64) {
        heap.append(Entry(wake: wake, waiter: waiter))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].wake <= heap[child].wake { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    /// Removes all entries that are due at `now`.
    mutating func due(_ now: UInt64) -> [Waiter<Void>] {
        var due: [Waiter<Void>] = []
        while let first = heap.first, first.wake <= now {
            due.append(first.waiter)
            removeFirst()
        }
        return due
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].wake < heap[least].wake { least = child }
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
