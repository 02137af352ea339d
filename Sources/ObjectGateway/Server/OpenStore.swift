import Buckets
import Files
import Metadata
public import Threads

/// An opened data folder: metadata, blobs and users, under the folder's lock.
public final class OpenStore: Sendable {
    let metadata: SQLiteStore
    let objects: ObjectStore
    /// Nil where the blobs lie in the folder.
    let engine: RemoteBlobs?
    let scrubber: Scrubber
    let search: SearchIndex
    let users: UserDirectory
    let configuration: GatewayConfiguration
    private let folder: DataFolder

    private init(
        folder: DataFolder, metadata: SQLiteStore, objects: ObjectStore, engine: RemoteBlobs?, users: UserDirectory,
        configuration: GatewayConfiguration
    ) {
        self.folder = folder
        self.metadata = metadata
        self.objects = objects
        self.engine = engine
        var scrubConfiguration = ScrubConfiguration()
        scrubConfiguration.rate = configuration.scrubRate
        scrubber = Scrubber(objects: objects, configuration: scrubConfiguration)
        search = SearchIndex(metadata)
        self.users = users
        self.configuration = configuration
    }

    /// Whether the folder holds a store.
    public static func exists(in folder: String) -> Bool {
        DataFolder.isStore(folder)
    }

    /// Opens the folder that the configuration names, or makes it. Blocks for the disk.
    public static func open(_ configuration: GatewayConfiguration, pool: Pool) async throws(StartError) -> OpenStore {
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.freeBytesMin = configuration.diskFreeMin
        blobsConfiguration.inlineBytesMax = configuration.inlineMax
        blobsConfiguration.verifiedFor = configuration.verifiedFor
        blobsConfiguration.verifiedBlobsMax = configuration.verifiedMax
        let folder = try open(folder: configuration.data)
        let (blobs, metadata): (LocalBlobs, SQLiteStore)
        do {
            (blobs, metadata) = try open(folder, blobsConfiguration, pool: pool)
        } catch {
            folder.close()
            throw error
        }
        let engine: RemoteBlobs?
        do {
            engine = try await BlobsPlace(configuration: configuration, folder: folder, local: blobs, pool: pool)
                .open(blobsConfiguration)
        } catch {
            await metadata.close()
            folder.close()
            throw error
        }
        let objects =
            if let engine {
                ObjectStore(metadata: metadata, blobs: engine, segments: metadata.segments, pool: pool)
            } else {
                ObjectStore(metadata: metadata, blobs: blobs, pool: pool)
            }
        do {
            // A new key beside old users would make their secrets unreadable for good.
            let hasUsers = try await !metadata.users().isEmpty
            let secrets = try SecretBox.open(folder: folder.path, mayCreate: !hasUsers)
            let users = UserDirectory(metadata: metadata, secrets: secrets)
            return OpenStore(
                folder: folder, metadata: metadata, objects: objects, engine: engine, users: users,
                configuration: configuration)
        } catch {
            await metadata.close()
            folder.close()
            throw StartError("The users of \(folder.path) cannot be read: \(error).")
        }
    }

    static func open(folder path: String) throws(StartError) -> DataFolder {
        do throws(DataFolderError) {
            return try DataFolder.open(path)
        } catch .inUse {
            throw StartError("OGW_DATA is \"\(path)\": wanted a folder that no other process uses (its LOCK is held).")
        } catch {
            throw StartError("OGW_DATA is \"\(path)\": wanted a folder that can be used as a store (\(error)).")
        }
    }

    private static func open(
        _ folder: DataFolder, _ configuration: BlobsConfiguration, pool: Pool
    ) throws(StartError) -> (LocalBlobs, SQLiteStore) {
        do {
            let blobs = try LocalBlobs.open(folder, configuration: configuration)
            let metadata = try SQLiteStore.open(folder, pool: pool, barrier: { try blobs.makeDurable($0) })
            try blobs.skipIDs(through: metadata.lastBlob)
            return (blobs, metadata)
        } catch {
            throw StartError("The store in \(folder.path) cannot be opened: \(error).")
        }
    }

    public func close() async {
        objects.sweeper.stop()
        await scrubber.stop()
        await search.stop()
        await metadata.close()
        folder.close()
        engine?.close()
    }

    var administration: Administration {
        Administration(
            metadata: metadata, users: users, configuration: configuration,
            check: StoreCheck(scrubber: scrubber, objects: objects))
    }
}
