import Mongo

/// From the embedded store into a database of MongoDB.
///
/// What is written has the ids that it has in the source, so that writing it twice is writing it once. A note in the database says how far
/// that is; until `endMigration` removes it no gateway opens the database.
public struct MongoMigration: Sendable {
    let source: SQLiteStore
    let target: MongoStore
    /// Of the source, 16 bytes.
    let storeID: [UInt8]
    /// The address of the engine that has the blobs; nil where they are files.
    let engine: String?
    /// Gives blobs that lie in the log a place of their own, durably, and says what is known of them there.
    let place: @Sendable ([MigratedBlob]) async throws -> [StoredBlob]
    var batchLength = MigrationWalk.batchLength

    public init(
        from source: SQLiteStore, to target: MongoStore, storeID: [UInt8], engine: String?,
        place: @escaping @Sendable ([MigratedBlob]) async throws -> [StoredBlob]
    ) {
        (self.source, self.target, self.storeID, self.engine) = (source, target, storeID, engine)
        self.place = place
    }

    /// Returns when the database holds all that the source does, and that was compared. Throws `refused` where the database is neither empty
    /// nor half of this very migration.
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
        try await source.refuseHooks()
        let former = try await target.migrationNote(of: storeID)
        let digest = try await StoreDigest.read(source) {
            tell(MigrationProgress(step: .reading, versions: $0, versionsTotal: nil))
        }
        var report = MigrationReport(digest: digest)
        var note = MigrationNote(identity: digest.identity)
        if let former, former.identity == note.identity {
            note = former
            report.isContinued = true
        } else {
            // What the source was then is of no use.
            if former != nil { try await target.clear() }
            try await target.keep(note, of: storeID)
        }
        try await target.bindMigrated(to: storeID, engine: engine)
        report.blobsPlaced = try await copy(&note, digest, tell)
        let found = try await StoreDigest.read(target) {
            tell(MigrationProgress(step: .verifying, versions: $0, versionsTotal: digest.versions))
        }
        guard found == digest else {
            // The next attempt begins anew.
            try await target.keep(MigrationNote(identity: []), of: storeID)
            throw MigrationError.mismatch(
                "the database \(target.database.name) does not hold what the data folder does: "
                    + found.difference(from: digest))
        }
        note.isVerified = true
        try await target.keep(note, of: storeID)
        return report
    }

    /// Returns how many blobs got a place.
    private func copy(
        _ note: inout MigrationNote, _ digest: StoreDigest, _ tell: @Sendable (MigrationProgress) -> Void
    ) async throws -> UInt64 {
        let places = BlobPlaces(try await source.migratedBuckets(), place)
        var walk = MigrationWalk(source, from: note.place, batchLength: batchLength)
        var placed: UInt64 = 0
        while var rows = try await walk.next() {
            placed += try await places.give(&rows)
            try await target.write(rows)
            note.place = walk.place
            for case .version in rows.map(\.change) { note.versions += 1 }
            try await target.keep(note, of: storeID)
            tell(MigrationProgress(step: .copying, versions: note.versions, versionsTotal: digest.versions))
        }
        try await target.raise("buckets", to: digest.bucketIDMax)
        try await target.raise("blobs", to: Int64(clamping: try source.lastBlobNamed().value))
        return placed
    }
}

extension MigrationError {
    /// Any error of a step.
    init(_ error: any Error) {
        switch error {
        case let error as MigrationError: self = error
        case let error as MetadataError: self = .failed(error)
        default: self = .failed(.broken("\(error)"))
        }
    }
}
