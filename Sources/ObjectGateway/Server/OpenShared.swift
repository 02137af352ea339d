import Buckets
import Files
import Metadata
import Threads

extension OpenStore {
    /// Metadata in MongoDB. There is no log: small blobs lie in the database, others are files of the data folder or lie on an engine; then
    /// the folder holds the lock, the key and the socket of one gateway of several. Throws a passing error where MongoDB or the engine is
    /// not there yet.
    static func openShared(
        _ uri: String, _ configuration: GatewayConfiguration, _ blobsConfiguration: BlobsConfiguration, pool: Pool
    ) async throws(StartError) -> Parts {
        var blobsConfiguration = blobsConfiguration
        blobsConfiguration.inlineBytesMax = min(blobsConfiguration.inlineBytesMax, MongoStore.contentBytesMax)
        var storeConfiguration = MongoStoreConfiguration(uri: uri)
        storeConfiguration.clientCountMax = configuration.mongoClientsMax
        let folder = try open(folder: configuration.data, hasLog: false)
        let place = SharedPlace(
            folder: folder, configuration: configuration, blobsConfiguration: blobsConfiguration, pool: pool)
        do throws(StartError) {
            switch configuration.blobs {
            case .local: return try await place.openFiles(storeConfiguration)
            case .remote(let address): return try await place.open(address, storeConfiguration)
            }
        } catch {
            folder.close()
            throw error
        }
    }
}

/// Where the blobs of a store with metadata in MongoDB lie, and the opening of both.
private struct SharedPlace {
    let folder: DataFolder
    let configuration: GatewayConfiguration
    let blobsConfiguration: BlobsConfiguration
    let pool: Pool

    func openFiles(_ storeConfiguration: MongoStoreConfiguration) async throws(StartError) -> OpenStore.Parts {
        let blobs: LocalBlobs
        do { blobs = try LocalBlobs.open(folder, configuration: blobsConfiguration) } catch {
            throw StartError("The objects in \(folder.path) cannot be opened: \(error).")
        }
        let metadata = try await connect(storeConfiguration) { try blobs.makeDurable($0) }
        do {
            try await metadata.bindBlobs(to: folder.id)
            // Those of blobs in the database left no files.
            let last = try await metadata.lastReservedBlob()
            try pool.blocking { () throws(BucketsError) in try blobs.skipIDs(through: last) }
        } catch {
            metadata.close()
            if let error = error as? MetadataError { throw StartError(mongoDB: error) }
            throw StartError("The objects in \(folder.path) cannot be opened", because: error)
        }
        metadata.startRelay()
        let objects = ObjectStore(metadata: metadata, blobs: blobs, segments: nil, pool: pool)
        return OpenStore.Parts(
            folder: folder, objects: objects, shared: metadata, search: SearchIndex(metadata, in: folder),
            events: metadata)
    }

    /// Engine and database are bound to one another: the place on the engine carries the id that the database has.
    func open(
        _ address: EngineAddress, _ storeConfiguration: MongoStoreConfiguration
    ) async throws(StartError) -> OpenStore.Parts {
        try BlobsPlace.refuseFiles(of: folder, pool: pool)
        var storeConfiguration = storeConfiguration
        storeConfiguration.garbageAfter = configuration.engine.garbageLifetime ?? .seconds(48 * 3600)
        let metadata = try await connect(storeConfiguration) { _ in }
        var engine: RemoteBlobs?
        do {
            let bound = try await metadata.bindBlobs(toEngine: "\(address)")
            let ids = BlobIDRanges { [metadata] (count) throws(MetadataError) in
                let first = try await metadata.reserveBlobIDs(count).value
                return first..<first &+ max(1, count)
            }
            let place = RemotePlace(address: address, configuration: configuration, pool: pool)
            let blobs = try place.blobs(
                ids: .ranges(ids), storeID: bound.store, garbageLifetime: .zero, blobsConfiguration)
            engine = blobs
            try await place.claim(blobs, mayTake: !bound.isClaimed)
            try await metadata.confirmEngine("\(address)")
            try await metadata.startReporting { [blobs] in blobs.oldestRead }
            metadata.startRelay()
            let objects = ObjectStore(metadata: metadata, blobs: blobs, segments: nil, pool: pool)
            return OpenStore.Parts(
                folder: folder, objects: objects, engine: blobs, shared: metadata,
                search: SearchIndex(metadata, in: folder),
                events: metadata)
        } catch {
            await metadata.endReporting()
            engine?.close()
            if let error = error as? MetadataError { throw StartError(mongoDB: error) }
            throw StartError("OGW_BLOBS cannot be used", because: error)
        }
    }

    private func connect(
        _ storeConfiguration: MongoStoreConfiguration, barrier: @escaping @Sendable ([BlobID]) throws -> Void
    ) async throws(StartError) -> MongoStore {
        do throws(MetadataError) {
            let metadata = try await MongoStore.open(storeConfiguration, pool: pool, barrier: barrier)
            try metadata.reach()
            return metadata
        } catch {
            throw StartError(mongoDB: error)
        }
    }
}
