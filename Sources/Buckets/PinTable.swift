import Metadata
import Threads

/// The blobs that readers have yet to open. The sweeper leaves them alone.
///
/// A reader pins first and then makes sure that the row still names the blobs; the sweeper reads its list first and then
/// looks here. So a blob that the row named after the pin is either not on the list yet or found pinned.
final class PinTable: Sendable {
    private let blobsMax: Int
    private let state = Lock(State())

    private struct State {
        var entries: [Int: Entry] = [:]
        var blobCount = 0
        var lastTicket = 0
    }

    private struct Entry {
        var extents: [BlobExtent]
        var ids: ClosedRange<BlobID>
        let moment = Monotonic.nanoseconds
        /// A sweep passed over one of the blobs.
        var isAwaited = false
    }

    /// At most `blobsMax` blobs are pinned at once, 32 bytes each.
    init(blobsMax: Int) { self.blobsMax = blobsMax }

    /// Pins until the pin goes; `whenAwaited` is called then if a sweep passed over one of the blobs. Throws `overloaded`
    /// when the table is full.
    func pin(
        _ extents: [BlobExtent], whenAwaited: @escaping @Sendable () -> Void
    ) throws(BucketsError) -> Pin {
        guard let first = extents.first?.blob else { return Pin(table: self, ticket: 0, whenAwaited: whenAwaited) }
        var ids = first...first
        for extent in extents {
            ids = min(ids.lowerBound, extent.blob)...max(ids.upperBound, extent.blob)
        }
        let entry = Entry(extents: extents, ids: ids)
        let ticket = state.withLock { state -> Int? in
            guard extents.count <= blobsMax - state.blobCount else { return nil }
            state.blobCount += extents.count
            state.lastTicket += 1
            state.entries[state.lastTicket] = entry
            return state.lastTicket
        }
        guard let ticket else { throw .overloaded("more than \(blobsMax) parts of objects are being read") }
        return Pin(table: self, ticket: ticket, whenAwaited: whenAwaited)
    }

    /// Those of `blobs` that nobody has pinned, in the same order.
    func unpinned(of blobs: [BlobID]) -> [BlobID] {
        let entries = state.withLock { $0.entries }
        if entries.isEmpty { return blobs }
        let wanted = Set(blobs)
        var pinned: Set<BlobID> = []
        var awaited: [Int] = []
        for (ticket, entry) in entries where blobs.contains(where: entry.ids.contains) {
            let found = entry.extents.lazy.map(\.blob).filter(wanted.contains)
            if found.isEmpty { continue }
            pinned.formUnion(found)
            awaited.append(ticket)
        }
        state.withLock { [awaited] state in
            for ticket in awaited { state.entries[ticket]?.isAwaited = true }
        }
        return pinned.isEmpty ? blobs : blobs.filter { !pinned.contains($0) }
    }

    /// True when a sweep passed over one of the blobs.
    fileprivate func release(_ ticket: Int) -> Bool {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: ticket) else { return false }
            state.blobCount -= entry.extents.count
            return entry.isAwaited
        }
    }

    /// Blobs pinned now; one that two readers have pinned counts twice.
    var count: Int { state.withLock { $0.blobCount } }

    /// When the oldest pin was made, in `Monotonic.nanoseconds`; nil without one.
    var oldest: UInt64? { state.withLock { state in state.entries.values.lazy.map(\.moment).min() } }

    /// Keeps its blobs from being swept as long as it lives.
    final class Pin: Sendable {
        private let table: PinTable
        private let ticket: Int
        private let whenAwaited: @Sendable () -> Void

        fileprivate init(table: PinTable, ticket: Int, whenAwaited: @escaping @Sendable () -> Void) {
            (self.table, self.ticket, self.whenAwaited) = (table, ticket, whenAwaited)
        }

        deinit { if table.release(ticket) { whenAwaited() } }
    }
}
