import Metadata
import Synchronization
import Threads

/// Calls the store's `maintain` at intervals, and says in the log what came of it.
final class Maintenance: Sendable {
    private let store: SQLiteStore
    private let pool: Pool
    private let log: Log
    private let isStopped = Atomic(false)

    init(_ store: SQLiteStore, pool: Pool, log: Log) {
        (self.store, self.pool, self.log) = (store, pool, log)
    }

    func start() {
        pool.run { [weak self, pool, interval = store.maintenanceInterval] in
            while true {
                await pool.sleep(for: interval)
                guard let self, !self.isStopped.load(ordering: .relaxed) else { return }
                await self.round()
            }
        }
    }

    /// No round begins after this.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func round() async {
        do {
            let report = try await store.maintain()
            if let base = report.base { log.event("base_made", ["lsn": .integer(Int(clamping: base))]) }
            if report.segmentsRemoved > 0 || report.blobsMoved > 0 {
                log.event(
                    "log_compacted",
                    [
                        "segments_removed": .integer(report.segmentsRemoved),
                        "blobs_moved": .integer(report.blobsMoved),
                        "bytes_moved": .integer(Int(clamping: report.bytesMoved)),
                    ])
            }
            for reason in report.damaged { log.event("segment_damaged", level: .error, ["reason": .text(reason)]) }
        } catch {
            // The next round tries again; what ended the store was told by whoever met it.
            if !isStopped.load(ordering: .relaxed) {
                log.event("maintenance_failed", level: .warning, ["error": .failure(error)])
            }
        }
    }
}
