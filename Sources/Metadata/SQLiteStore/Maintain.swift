public import Files
import RedoLog
import SQLite
import Threads

extension SQLiteStore {
    public var maintenanceInterval: Duration { configuration.maintenance.interval }

    /// One round of maintenance: a base where one is due, compaction of segments that are mostly dead, removal of those that
    /// nothing needs. One round at a time. A damaged segment is reported
    /// once, and goes too when nothing is left in it that can be read and is needed.
    public func maintain() async throws(MetadataError) -> MaintenanceReport {
        var report = MaintenanceReport()
        let configuration = configuration.maintenance
        let bases = Bases(folder: folder)
        let compactor = Compactor(segments: segments)
        report.base = try pool.blocking { () throws(MetadataError) in try makeBaseIfDue(bases, compactor) }
        // Without a base the log has to give everything back.
        guard let oldest = try oldestBase(bases) else { return report }
        if try sealed(compactor).last?.lastLSN ?? 0 > writer.settledPosition.lsn { await committer.settle() }
        let needless = min(oldest, writer.settledPosition.lsn)
        let sealed = try sealed(compactor).filter { $0.lastLSN <= needless }
        let live = try read { (rows) throws(MetadataError) in try rows.liveBytes() }
        for segment in sealed {
            let liveBytes = live[segment.number] ?? 0
            let enough = segment.size / 100 * UInt64(max(0, configuration.liveShareMin))
            guard liveBytes > 0, liveBytes < enough else { continue }
            do {
                try await moveBlobs(of: segment, &report)
            } catch {
                guard case .broken(let reason) = error else { throw error }
                // Once: what could not be read then is not to be read later either.
                guard evacuated.withLock({ $0.insert(segment.number).inserted }) else { continue }
                report.damaged.append(reason)
                try await evacuate(segment.number, &report)
            }
        }
        let left = try read { (rows) throws(MetadataError) in try rows.liveBytes() }
        report.segmentsRemoved = try pool.blocking { () throws(MetadataError) in
            try remove(sealed.filter { left[$0.number] ?? 0 == 0 })
        }
        return report
    }

    private func moveBlobs(of segment: Compactor.Sealed, _ report: inout MaintenanceReport) async throws(MetadataError)
    {
        var walk: Compactor.Walk
        do { walk = try Compactor.Walk(segment, segments) } catch { throw MetadataError(error) }
        var moved: UInt64 = 0
        let started = ContinuousClock.now
        while true {
            let batch = try pool.blocking { () throws(MetadataError) in
                try walk.next(bytesMax: 1 << 20) { (id) throws(MetadataError) in
                    try readers.read { (rows) throws(MetadataError) in try rows.blob(id) }
                }
            }
            if batch.isEmpty { return }
            for result in await committer.submit(batch.map(\.mutation)) { _ = try result.get() }
            moved += batch.reduce(0) { $0 + UInt64($1.bytes.count) }
            report.blobsMoved += batch.count
            report.bytesMoved += batch.reduce(0) { $0 + UInt64($1.bytes.count) }
            // Others write and read meanwhile: no faster than the setting.
            let rate = Double(max(1, configuration.maintenance.compactionBytesPerSecond))
            let ahead = Duration.seconds(Double(moved) / rate) - started.duration(to: .now)
            if ahead > .milliseconds(2) { await pool.sleep(for: ahead) }
        }
    }

    private func sealed(_ compactor: Compactor) throws(MetadataError) -> [Compactor.Sealed] {
        do { return try pool.blocking { () throws(LogError) in try compactor.sealed() } } catch {
            throw MetadataError(error)
        }
    }

    private func oldestBase(_ bases: Bases) throws(MetadataError) -> UInt64? {
        do {
            let kept = try pool.blocking { () throws(SystemError) in try bases.list() }
            return kept.suffix(max(1, configuration.maintenance.basesKept)).first
        } catch {
            throw .unavailable("base: \(error)")
        }
    }

    private func makeBaseIfDue(_ bases: Bases, _ compactor: Compactor) throws(MetadataError) -> UInt64? {
        let (newest, size): (UInt64, UInt64)
        do {
            newest = try bases.list().last ?? 0
            size = try folder.disk.open(folder.metadata + "/main.db", .read).size()
        } catch {
            throw .unavailable("base: \(error)")
        }
        let since = try sealed(compactor).filter { $0.lastLSN > newest }.reduce(0) { $0 + $1.size }
        guard since >= max(configuration.maintenance.baseEveryBytes, size) else { return nil }
        return try makeBase(bases)
    }

    /// Makes a base of the database as it is now. Returns the number of its last record.
    public func makeBase() async throws(MetadataError) -> UInt64 {
        let bases = Bases(folder: folder)
        return try pool.blocking { () throws(MetadataError) in try makeBase(bases) }
    }

    private func makeBase(_ bases: Bases) throws(MetadataError) -> UInt64 {
        let lsn = try readers.read { (rows) throws(MetadataError) in try bases.make(from: rows.connection) }
        do { try bases.removeOld(keeping: configuration.maintenance.basesKept) } catch {
            throw .unavailable("base: \(error)")
        }
        return lsn
    }

    private func remove(_ sealed: [Compactor.Sealed]) throws(MetadataError) -> Int {
        if sealed.isEmpty { return 0 }
        // Nobody is to be sent there any more by what was remembered.
        cache.clear()
        do {
            for segment in sealed { try segments.remove(segment.number) }
            try segments.syncDirectory()
        } catch {
            throw MetadataError(error)
        }
        return sealed.count
    }

    /// Rows, and up to which record the log is applied; for reports.
    public func counts() async throws(MetadataError) -> (buckets: Int, versions: Int, lastRecord: UInt64) {
        try read { (rows) throws(MetadataError) in
            (
                buckets: Int(clamping: try rows.bucketCount()), versions: Int(clamping: try rows.versionCount()),
                lastRecord: try rows.viewState().applied.lsn
            )
        }
    }

    /// Gives the database of a folder back from its newest base and the log, at the next opening. No store may be open there.
    /// What was there goes to `quarantine/`. Returns the number of the last record of the base; nil where there is none.
    public static func restoreFromBase(_ folder: DataFolder) throws(MetadataError) -> UInt64? {
        try Bases(folder: folder).restoreNewest()
    }
}
