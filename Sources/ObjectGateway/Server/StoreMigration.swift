import Buckets
import Files
public import Metadata
public import Threads

/// Moves the metadata of a stopped store from its data folder into MongoDB, or back (`ogw migrate`).
///
/// The source stays what it is until the target holds the same; then `FORMAT` says of the data folder where its metadata is, and that is the
/// moment from which on the other one counts. What was cut short goes on when it is begun again.
public struct StoreMigration: Sendable {
    public enum Direction: Sendable {
        case toMongoDB(String)
        case toSQLite(from: String)
    }

    public struct Outcome: Sendable {
        /// Nil where a former attempt had compared everything, and the target at most had to be taken into use.
        public var report: MigrationReport?
        /// Below the data folder: where the former log and database are kept.
        public var former: String?
    }

    private let direction: Direction
    private let configuration: GatewayConfiguration
    private let pool: Pool

    /// `configuration` names the folder, and where blobs lie; not where metadata is.
    public init(_ direction: Direction, _ configuration: GatewayConfiguration, pool: Pool) {
        (self.direction, self.configuration, self.pool) = (direction, configuration, pool)
    }

    public func run(
        tell: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws(MigrationError) -> Outcome {
        do {
            switch direction {
            case .toMongoDB(let uri): return try await moveToMongoDB(try await open(uri), tell)
            case .toSQLite(let uri): return try await moveToSQLite(try await open(uri), tell)
            }
        } catch let error as MigrationError {
            throw error
        } catch let error as MetadataError {
            throw .failed(error)
        } catch {
            throw .failed(.broken("\(error)"))
        }
    }

    private func open(_ uri: String) async throws -> MongoStore {
        var settings = MongoStoreConfiguration(uri: uri)
        settings.clientCountMax = configuration.mongoClientsMax
        settings.isForMigration = true
        do {
            return try await MongoStore.open(settings, pool: pool)
        } catch MetadataError.broken(let reason) {
            throw MigrationError.refused("MongoDB: \(reason)")
        }
    }

    private func refused(_ what: String) -> MigrationError { .refused(what) }

    // MARK: To MongoDB

    private func moveToMongoDB(
        _ target: MongoStore, _ tell: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws -> Outcome {
        defer { target.close() }
        let path = configuration.data
        guard OpenStore.exists(in: path) else {
            throw refused("OGW_DATA is \"\(path)\": wanted the folder of a store")
        }
        do throws(DataFolderError) {
            try pool.blocking { () throws(DataFolderError) in try DataFolder.open(path).close() }
        } catch .otherMetadata(folder: _, hasLog: false) {
            return try await takeIntoUse(target)
        } catch {
            throw refusal(of: error)
        }
        let parts: OpenStore.Parts
        do throws(StartError) {
            parts = try await OpenStore.openEmbedded(configuration, BlobsConfiguration(configuration), pool: pool)
        } catch {
            throw refused(sentence(error))
        }
        do {
            let outcome = try await move(parts, to: target, tell)
            parts.folder.close()
            parts.engine?.close()
            return outcome
        } catch {
            await parts.close()
            throw error
        }
    }

    private func move(
        _ parts: OpenStore.Parts, to target: MongoStore, _ tell: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws -> Outcome {
        guard let source = parts.embedded else { throw refused("the metadata of the folder is in MongoDB already") }
        var engine: String?
        if case .remote(let address) = configuration.blobs { engine = "\(address)" }
        let objects = parts.objects
        let migration = MongoMigration(
            from: source, to: target, storeID: parts.folder.id, engine: engine,
            place: { try await objects.keepOutsideLog($0) })
        let report = try await migration.run(tell: tell)
        if let local = parts.local {
            // The directories say which ids were given; those of the log alone have none.
            try pool.blocking { () throws(BucketsError) in try local.skipIDs(through: source.lastBlob) }
        }
        await source.close()
        let former = try switchOff(parts.folder)
        try await target.endMigration()
        return Outcome(report: report, former: former)
    }

    /// From here on the metadata is in MongoDB. The log and the database are kept where nothing reads them.
    private func switchOff(_ folder: DataFolder) throws -> String? {
        try pool.blocking {
            try folder.setLog(false)
            return try MigrationNoteFile(folder).setFormerAside()
        }
    }

    /// The folder has no log any more: a former attempt came that far, or to its end.
    private func takeIntoUse(_ target: MongoStore) async throws -> Outcome {
        let folder: DataFolder
        do throws(DataFolderError) {
            folder = try pool.blocking { () throws(DataFolderError) in
                try DataFolder.open(configuration.data, hasLog: false)
            }
        } catch {
            throw refusal(of: error)
        }
        defer { folder.close() }
        guard try await target.holdsMetadata(of: folder.id) else {
            throw refused("OGW_DATA is \"\(configuration.data)\": its metadata is in another database of MongoDB")
        }
        let former = try switchOff(folder)
        try await target.endMigration()
        return Outcome(report: nil, former: former)
    }

    // MARK: Back

    private func moveToSQLite(
        _ source: MongoStore, _ tell: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws -> Outcome {
        defer { source.close() }
        guard let place = try await source.blobsPlace() else {
            throw refused("the database holds no store: no gateway used it yet")
        }
        try refuseOtherPlace(place)
        let folder: DataFolder
        do throws(DataFolderError) {
            folder = try openTarget(place)
        } catch .otherMetadata(folder: _, hasLog: true) {
            return try await takeLogIntoUse(source)
        } catch {
            throw refusal(of: error)
        }
        defer { folder.close() }
        guard folder.id == place.store else {
            throw refused(
                place.engine == nil
                    ? "OGW_DATA is \"\(configuration.data)\": wanted the folder that has the objects of the database"
                    : "OGW_DATA is \"\(configuration.data)\": wanted a new folder, or the one that the metadata came from"
            )
        }
        try await source.refuseUnlessMovable(to: folder.id)
        let (objects, engine) = try blobs(of: source, in: folder)
        defer { engine?.close() }
        let migration = LogMigration(
            from: source, to: folder, pool: pool, place: { try await objects.keepOutsideLog($0) })
        let report = try await migration.run(tell: tell)
        let last = try await source.lastReservedBlob()
        try await source.markMoved(to: folder.id)
        try pool.blocking {
            // Ids that were handed out for what never was published do not come back.
            try LocalBlobs.open(folder).skipIDs(through: last)
            try folder.setLog(true)
            try MigrationNoteFile(folder).remove()
        }
        return Outcome(report: report, former: nil)
    }

    /// The blobs of the database, among which those get a place that lie in itself.
    private func blobs(of source: MongoStore, in folder: DataFolder) throws -> (ObjectStore, RemoteBlobs?) {
        let settings = BlobsConfiguration(configuration)
        let local = try pool.blocking { () throws(BucketsError) in
            try LocalBlobs.open(folder, configuration: settings)
        }
        guard case .remote(let address) = configuration.blobs else {
            return (ObjectStore(metadata: source, blobs: local, segments: nil, pool: pool), nil)
        }
        do throws(StartError) {
            let place = RemotePlace(address: address, configuration: configuration, pool: pool)
            let engine = try place.blobs(
                ids: .folder(local), storeID: folder.id, garbageLifetime: .zero, settings)
            return (ObjectStore(metadata: source, blobs: engine, segments: nil, pool: pool), engine)
        } catch {
            throw refused(sentence(error))
        }
    }

    /// A new folder gets the id that the objects on the engine carry.
    private func openTarget(
        _ place: (store: [UInt8], engine: String?)
    ) throws(DataFolderError) -> DataFolder {
        try pool.blocking { () throws(DataFolderError) in
            try DataFolder.open(configuration.data, hasLog: false, newID: place.store)
        }
    }

    /// Nothing is made before the settings fit.
    private func refuseOtherPlace(_ place: (store: [UInt8], engine: String?)) throws {
        switch (configuration.blobs, place.engine) {
        case (.local, nil):
            if OpenStore.exists(in: configuration.data) { break }
            throw refused(
                "OGW_DATA is \"\(configuration.data)\": wanted the folder that has the objects of the database")
        case (.remote(let address), .some(let engine)) where "\(address)" == engine: break
        case (_, .some(let engine)):
            throw refused("the objects of the database lie at \(engine): wanted OGW_BLOBS to name that place")
        case (.remote, nil):
            throw refused("the objects of the database lie in a data folder: wanted OGW_BLOBS=local")
        }
    }

    /// The folder has a log: a former attempt came that far, or to its end.
    private func takeLogIntoUse(_ source: MongoStore) async throws -> Outcome {
        let folder: DataFolder
        do throws(DataFolderError) {
            folder = try pool.blocking { () throws(DataFolderError) in try DataFolder.open(configuration.data) }
        } catch {
            throw refusal(of: error)
        }
        defer { folder.close() }
        guard try await source.hasMoved(to: folder.id) else {
            throw refused("OGW_DATA is \"\(configuration.data)\": it keeps its metadata itself already")
        }
        try pool.blocking { try MigrationNoteFile(folder).remove() }
        return Outcome(report: nil, former: nil)
    }

    // MARK: Sentences

    private func refusal(of error: DataFolderError) -> MigrationError {
        if case .inUse = error {
            return refused(
                "OGW_DATA is \"\(configuration.data)\": wanted a folder that no other process uses (its LOCK is held)")
        }
        return refused("OGW_DATA is \"\(configuration.data)\": wanted a folder that can be used as a store (\(error))")
    }

    /// Without its end.
    private func sentence(_ error: StartError) -> String {
        let text = error.description
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
