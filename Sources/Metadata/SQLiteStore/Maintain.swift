public import Files
import RedoLog
import SQLite
import Threads

extension SQLiteStore {
    /// One round of maintenance: a base where one is due, compaction of segments that are mostly dead, removal of those that
    /// nothing needs. One round at a time. A `damaged` segment is reported and left alone.
    public func maintain() async throws(MetadataError) -> MaintenanceReport {
        var report = MaintenanceReport()
        let configuration = configuration.maintenance
        let bases = Bases(folder: folder)
        let compactor = Compactor(
            segments: segments, committer: committer, pool: pool, configuration: configuration)
        do {
            report.base = try pool.blocking { try makeBaseIfDue(bases, compactor) }
            let kept = try pool.blocking { () throws(SystemError) in try bases.list() }
            // Without a base the log has to give everything back.
            guard let oldest = kept.suffix(max(1, configuration.basesKept)).first else { return report }
            if try pool.blocking({ try compactor.sealed() }).last?.lastLSN ?? 0 > writer.settledPosition.lsn {
                await committer.settle()
            }
            let needless = min(oldest, writer.settledPosition.lsn)
            let sealed = try pool.blocking { try compactor.sealed() }.filter { $0.lastLSN <= needless }
            let live = try read { (rows) throws(MetadataError) in try rows.liveBytes() }
            for segment in sealed {
                let liveBytes = live[segment.number] ?? 0
                let enough = segment.size / 100 * UInt64(max(0, configuration.liveShareMin))
                guard liveBytes > 0, liveBytes < enough else { continue }
                do {
                    let place = { (id: BlobID) throws(MetadataError) -> StoredBlob? in
                        try self.read { (rows) throws(MetadataError) in try rows.blob(id) }
                    }
                    try await compactor.moveBlobs(of: segment, place: place, &report)
                } catch let error as LogError {
                    report.damaged.append(error.description)
                }
            }
            let left = try read { (rows) throws(MetadataError) in try rows.liveBytes() }
            report.segmentsRemoved = try pool.blocking { try remove(sealed.filter { left[$0.number] ?? 0 == 0 }) }
            return report
        } catch let error as MetadataError {
            throw error
        } catch let error as LogError {
            throw MetadataError(error)
        } catch let error as SystemError {
            throw error.isDiskFull ? .diskFull : .unavailable("maintenance: \(error)")
        } catch {
            throw .broken("maintenance: \(error)")
        }
    }

    private func makeBaseIfDue(_ bases: Bases, _ compactor: Compactor) throws -> UInt64? {
        let newest = try bases.list().last
        let since = try compactor.sealed().filter { $0.lastLSN > newest ?? 0 }.reduce(0) { $0 + $1.size }
        let database = try folder.disk.open(folder.metadata + "/main.db", .read).size()
        guard since >= max(configuration.maintenance.baseEveryBytes, database) else { return nil }
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

    private func remove(_ sealed: [Compactor.Sealed]) throws -> Int {
        if sealed.isEmpty { return 0 }
        // Nobody is to be sent there any more by what was remembered.
        cache.clear()
        for segment in sealed { try segments.remove(segment.number) }
        try segments.syncDirectory()
        return sealed.count
    }

    /// Gives the database of a folder back from its newest base and the log, at the next opening. No store may be open there.
    /// What was there goes to `quarantine/`. Returns the number of the last record of the base; nil where there is none.
    public static func restoreFromBase(_ folder: DataFolder) throws(MetadataError) -> UInt64? {
        try Bases(folder: folder).restoreNewest()
    }
}
