import Buckets
import Files
import Metadata
import Threads

extension OpenStore {
    /// How long a start waits for MongoDB, which may be starting too.
    private static let serverWait = Duration.seconds(60)

    /// Metadata in MongoDB, and each blob in a file of the data folder, which has no log.
    static func openShared(
        _ uri: String, _ configuration: GatewayConfiguration, _ blobsConfiguration: BlobsConfiguration, pool: Pool
    ) async throws(StartError) -> Parts {
        guard configuration.blobs == .local else {
            throw StartError("OGW_BLOBS names an engine: with metadata in MongoDB this version wants \"local\".")
        }
        var blobsConfiguration = blobsConfiguration
        blobsConfiguration.inlineBytesMax = 0
        var storeConfiguration = MongoStoreConfiguration(uri: uri)
        storeConfiguration.clientCountMax = configuration.mongoClientsMax
        let folder = try open(folder: configuration.data, hasLog: false)
        do {
            let blobs = try LocalBlobs.open(folder, configuration: blobsConfiguration)
            let metadata = try await MongoStore.open(
                storeConfiguration, pool: pool, barrier: { try blobs.makeDurable($0) })
            try await bind(metadata, to: folder)
            metadata.startRelay()
            let objects = ObjectStore(metadata: metadata, blobs: blobs, segments: nil, pool: pool)
            return Parts(folder: folder, objects: objects, shared: metadata, search: MongoSearch(metadata))
        } catch MetadataError.broken(let reason), MetadataError.unavailable(let reason) {
            folder.close()
            throw StartError("OGW_METADATA: \(reason).")
        } catch {
            folder.close()
            throw StartError("The objects in \(folder.path) cannot be opened: \(error).")
        }
    }

    private static func bind(_ metadata: MongoStore, to folder: DataFolder) async throws(MetadataError) {
        let start = ContinuousClock.now
        while true {
            do throws(MetadataError) {
                return try await metadata.bindBlobs(to: folder.id)
            } catch {
                guard case .unavailable = error, ContinuousClock.now - start < serverWait else { throw error }
            }
        }
    }
}
