public import Metadata
import Synchronization
public import Threads

/// Removes the files of blobs that nothing names any more, and then forgets them. The only one who does.
public final class Sweeper: Sendable {
    private let metadata: any MetadataStore
    private let blobs: LocalBlobs
    private let pool: Pool
    /// The longest time between two sweeps.
    private let interval: Duration
    /// The shortest: what is deleted meanwhile goes in one sweep.
    private let pause: Duration
    private let state = Lock(State())
    private let removed = Atomic<UInt64>(0)

    private struct State {
        var isRunning = false
        /// Counts starts, so that the tasks of a former one end.
        var generation = 0
        /// Something may have become garbage since the last sweep began.
        var isWoken = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    public init(
        metadata: any MetadataStore, blobs: LocalBlobs, pool: Pool, interval: Duration = .seconds(30),
        pause: Duration = .milliseconds(200)
    ) {
        (self.metadata, self.blobs, self.pool) = (metadata, blobs, pool)
        (self.interval, self.pause) = (interval, pause)
    }

    /// Sweeps from now on, first at once. Does nothing when it was started before.
    public func start() {
        let generation = state.withLock { state -> Int? in
            if state.isRunning { return nil }
            state.isRunning = true
            state.isWoken = true
            state.generation += 1
            return state.generation
        }
        guard let generation else { return }
        pool.run { await self.run(generation) }
        pool.run { [weak self, pool, interval] in
            while self?.isCurrent(generation) == true {
                let slept = ContinuousClock.now
                await pool.sleep(for: interval)
                // A pool that stops lets nobody sleep.
                if slept.duration(to: .now) < interval / 2 { return }
                self?.wake()
            }
        }
    }

    /// Ends after the sweep under way.
    public func stop() {
        let waiter = state.withLock { state in
            state.isRunning = false
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Says that something may have become garbage. Cheap.
    public func wake() {
        let waiter = state.withLock { state in
            state.isWoken = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Files removed since the opening, for metrics.
    public var removedCount: UInt64 { removed.load(ordering: .relaxed) }

    /// Removes all present garbage and returns how many blobs that were. What is pinned, and what could not be removed, stays
    /// listed for a later sweep; a file that is gone already is fine.
    @discardableResult
    public func sweep() async throws(MetadataError) -> Int {
        var count = 0
        // The list is oldest first, so that what is passed over stays at its head.
        var pinned = 0
        while true {
            let garbage = [BlobID](try await metadata.garbage(limit: pinned + Self.batchLength).dropFirst(pinned))
            if garbage.isEmpty { return count }
            let free = pool.blocking { blobs.pins.unpinned(of: garbage) }
            pinned += garbage.count - free.count
            if free.isEmpty { continue }
            let gone = pool.blocking { free.filter { (try? blobs.remove($0)) != nil } }
            // A name that a crash brings back after its row is forgotten would be an orphan.
            guard !gone.isEmpty, (try? pool.blocking({ try blobs.makeRemovalDurable(gone) })) != nil else {
                return count
            }
            try await metadata.forgetGarbage(gone)
            count += gone.count
            removed.add(UInt64(gone.count), ordering: .relaxed)
            if gone.count < free.count { return count }
        }
    }

    private static let batchLength = 256

    private func run(_ generation: Int) async {
        while true {
            await untilWoken()
            guard isCurrent(generation) else { return }
            state.withLock { $0.isWoken = false }
            // A failure is that of the store or the disk, which others meet and report; the next sweep tries again.
            _ = try? await sweep()
            await pool.sleep(for: pause)
        }
    }

    private func isCurrent(_ generation: Int) -> Bool {
        state.withLock { $0.isRunning && $0.generation == generation }
    }

    private func untilWoken() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.isWoken || !state.isRunning { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
