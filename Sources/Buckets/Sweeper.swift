public import Metadata
import Synchronization
import Threads

/// Removes blobs that nothing names any more from where they lie, and then forgets them. The only one who does.
public final class Sweeper: Sendable {
    private let metadata: any MetadataStore
    private let blobs: any BlobStore
    private let pool: Pool
    /// The longest time between two sweeps.
    private let interval: Duration
    /// The shortest: what is deleted meanwhile goes in one sweep.
    private let pause: Duration
    private let state = Lock(State())
    private let removed = Atomic<UInt64>(0)
    private let marks: Lock<GarbageMarks>

    private struct State {
        var isRunning = false
        /// Counts starts, so that the tasks of a former one end.
        var generation = 0
        /// Something may have become garbage since the last sweep began.
        var isWoken = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    init(
        metadata: any MetadataStore, blobs: any BlobStore, pool: Pool, interval: Duration = .seconds(30),
        pause: Duration = .milliseconds(200)
    ) {
        (self.metadata, self.blobs, self.pool) = (metadata, blobs, pool)
        (self.interval, self.pause) = (interval, pause)
        marks = Lock(GarbageMarks(lifetime: blobs.garbageLifetime))
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

    /// Removes all present garbage and returns how many blobs that were. What is pinned or too young, and what could not be
    /// removed, stays listed for a later sweep; a blob that is gone already is fine.
    @discardableResult
    public func sweep() async throws(MetadataError) -> Int {
        var count = 0
        // The list is oldest first, so that what is passed over stays at its head.
        var passed = 0
        var left = try ripeCount()
        while left > 0 {
            let limit = min(Self.batchLength, Int(clamping: left))
            let garbage = [BlobID](try await metadata.garbage(limit: passed + limit).dropFirst(passed))
            if garbage.isEmpty { return count }
            left -= UInt64(min(garbage.count, limit))
            let free = pool.blocking { blobs.pins.unpinned(of: garbage) }
            passed += garbage.count - free.count
            if free.isEmpty { continue }
            let gone = await blobs.remove(free, pool: pool)
            if gone.isEmpty { return count }
            try await metadata.forgetGarbage(gone)
            marks.withLock { $0.take(gone.count) }
            count += gone.count
            removed.add(UInt64(gone.count), ordering: .relaxed)
            if gone.count < free.count { return count }
        }
        return count
    }

    /// How many of the list, from its head on, are old enough.
    private func ripeCount() throws(MetadataError) -> UInt64 {
        if blobs.garbageLifetime == .zero { return .max }
        let listed = try pool.blocking { () throws(MetadataError) in try metadata.garbageCount() }
        let now = ContinuousClock.now
        return marks.withLock { marks in
            marks.note(count: listed, now: now)
            return marks.ripe(now: now)
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
