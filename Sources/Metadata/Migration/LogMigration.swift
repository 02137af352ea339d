import Bytes
public import Files
import RedoLog
public import Threads

/// From a database of MongoDB into the log of a data folder that has none.
///
/// The log gets one record for each row; the database of the folder is then made from it, as after a crash. A note in the folder says how
/// far that is. The folder stays one without a log (`FORMAT`) until the caller changes that.
public struct LogMigration: Sendable {
    let source: MongoStore
    let folder: DataFolder
    let pool: Pool
    /// Gives blobs that lie in the database a place of their own, durably, and says what is known of them there.
    let place: @Sendable ([MigratedBlob]) async throws -> [StoredBlob]
    var batchLength = MigrationWalk.batchLength

    public init(
        from source: MongoStore, to folder: DataFolder, pool: Pool,
        place: @escaping @Sendable ([MigratedBlob]) async throws -> [StoredBlob]
    ) {
        (self.source, self.folder, self.pool, self.place) = (source, folder, pool, place)
    }

    /// Returns when the folder holds all that the database does, and that was compared. Throws `refused` where there is a log that is not
    /// half of this migration.
    public func run(
        tell: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws(MigrationError) -> MigrationReport {
        do {
            return try await carry(tell)
        } catch {
            throw MigrationError(error)
        }
    }

    private func carry(_ tell: @Sendable (MigrationProgress) -> Void) async throws -> MigrationReport {
        let notes = MigrationNoteFile(folder)
        let former = try pool.blocking { try notes.read() }
        if former == nil, let found = try pool.blocking({ try notes.contentOfFolder() }) {
            throw MigrationError.refused(
                "the folder \(folder.path) is not empty (\(found)): wanted one without log and database")
        }
        try await source.refuseHooks()
        try await source.settle()
        let digest = try await StoreDigest.read(source) {
            tell(MigrationProgress(step: .reading, versions: $0, versionsTotal: nil))
        }
        var report = MigrationReport(digest: digest)
        var note = MigrationNote(identity: digest.identity)
        if let former, former.identity == note.identity {
            note = former
            report.isContinued = true
        } else {
            try pool.blocking {
                try notes.clearFolder()
                try notes.write(note)
            }
        }
        report.blobsPlaced = try await copy(&note, notes, digest, tell)
        let found = try await digestOfTarget {
            tell(MigrationProgress(step: .verifying, versions: $0, versionsTotal: digest.versions))
        }
        guard found == digest else {
            try pool.blocking { try notes.write(MigrationNote(identity: [])) }
            throw MigrationError.mismatch(
                "the folder \(folder.path) does not hold what the database does: " + found.difference(from: digest))
        }
        note.isVerified = true
        let verified = note
        try pool.blocking { try notes.write(verified) }
        return report
    }

    private func copy(
        _ note: inout MigrationNote, _ notes: MigrationNoteFile, _ digest: StoreDigest,
        _ tell: @Sendable (MigrationProgress) -> Void
    ) async throws -> UInt64 {
        if note.place.stage == .end { return 0 }
        let files = SegmentFiles(disk: folder.disk, directory: folder.segments, storeID: folder.id)
        let log = try pool.blocking { () throws(LogError) in
            var reader = try LogReader(files: files, from: .origin)
            while try reader.next() != nil {}
            return try LogWriter.begin(after: reader.position, files: files)
        }
        var walk = MigrationWalk(source, from: note.place, batchLength: batchLength)
        let places = BlobPlaces(try await source.migratedBuckets(), place)
        var placed: UInt64 = 0
        while var rows = try await walk.next() {
            placed += try await places.give(&rows)
            let records = MigratedRecords(rows, digest, written: note.versions)
            try pool.blocking { () throws(LogError) in
                var group = try log.newGroup()
                for body in records.bodies {
                    if group.length + body.count > Self.groupBytesMax, !group.isEmpty {
                        try log.commit(group)
                        group = try log.newGroup()
                    }
                    try group.append(body: body)
                }
                try log.commit(group)
            }
            note.place = walk.place
            note.versions += records.versions
            let kept = note
            try pool.blocking { try notes.write(kept) }
            tell(MigrationProgress(step: .copying, versions: note.versions, versionsTotal: digest.versions))
        }
        // Also where the last batch was followed by nothing.
        note.place = walk.place
        let kept = note
        try pool.blocking { try notes.write(kept) }
        return placed
    }

    private static let groupBytesMax = 4 << 20

    private func digestOfTarget(tell: (UInt64) -> Void) async throws -> StoreDigest {
        var configuration = SQLiteStoreConfiguration()
        configuration.ballastBytes = 0
        let settings = configuration
        let store = try pool.blocking { () throws(MetadataError) in
            try SQLiteStore.open(folder, pool: pool, configuration: settings, barrier: { _ in })
        }
        let digest: StoreDigest
        do {
            digest = try await StoreDigest.read(store, tell: tell)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return digest
    }
}

/// Rows as the bodies of records.
private struct MigratedRecords {
    private(set) var bodies: [[UInt8]] = []
    private(set) var versions: UInt64 = 0

    /// `written` is the count of versions before these.
    init(_ rows: [MigratedRow], _ digest: StoreDigest, written: UInt64) {
        let now = Timestamp.now()
        // Above every number that is given here.
        let top = max(digest.bucketIDMax, Int64(clamping: digest.versions &+ digest.garbage))
        var number = Int64(clamping: digest.versions) - Int64(clamping: written)
        for row in rows {
            var decision = Decision(sequence: top)
            decision.changes = row.blobs.map { .blobAdded($0.id, size: $0.size, crc32c: $0.crc32c, isInLog: false) }
            switch row.change {
            case .version(let bucket, var version):
                // Sequences of MongoDB are each key's own, these are the store's: the walk comes to the newest of a key first.
                version.sequence = number
                decision.changes.append(.version(bucket, version))
                number -= 1
                versions += 1
            case .asset(let asset, _): decision.changes.append(.asset(asset, change: number + 1))
            case .completed(let id, let bucket, var version, let moment):
                // Which of the numbers is its version's is not known here; a repeated Complete is answered by the result itself.
                version.sequence = 0
                decision.changes.append(.completed(id, bucket, version, at: moment))
            default: decision.changes.append(row.change)
            }
            bodies.append(Records.encode(decision, at: now))
        }
    }
}
