import Buckets
import Files
import Metadata
public import Threads

/// An opened data folder: metadata, blobs and users, under the folder's lock.
public final class OpenStore: Sendable {
    let metadata: SQLiteStore
    let objects: ObjectStore
    let users: UserDirectory
    let configuration: GatewayConfiguration

    private init(
        metadata: SQLiteStore, objects: ObjectStore, users: UserDirectory, configuration: GatewayConfiguration
    ) {
        self.metadata = metadata
        self.objects = objects
        self.users = users
        self.configuration = configuration
    }

    /// Whether the folder holds a store.
    public static func exists(in folder: String) -> Bool {
        (try? LinuxDisk().contents(of: folder + "/FORMAT")) ?? nil != nil
    }

    /// Opens the folder that the configuration names, or makes it. Blocks for the disk.
    public static func open(_ configuration: GatewayConfiguration, pool: Pool) async throws(StartError) -> OpenStore {
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.freeBytesMin = configuration.diskFreeMin
        let folder = configuration.data
        let blobs: LocalBlobs
        let metadata: SQLiteStore
        do throws(BucketsError) {
            blobs = try LocalBlobs.open(root: folder, configuration: blobsConfiguration)
        } catch .folderInUse {
            throw StartError(
                "OGW_DATA is \"\(folder)\": wanted a folder that no other process uses (its LOCK is held).")
        } catch {
            throw StartError("OGW_DATA is \"\(folder)\": wanted a folder that can be used as a store (\(error)).")
        }
        do throws(MetadataError) {
            metadata = try SQLiteStore.open(
                path: folder + "/meta", pool: pool, barrier: { try blobs.makeDurable($0) })
        } catch {
            blobs.close()
            throw StartError("The metadata in \(folder)/meta cannot be opened: \(error).")
        }
        let objects = ObjectStore(metadata: metadata, blobs: blobs, pool: pool)
        do {
            // A new key beside old users would make their secrets unreadable for good.
            let hasUsers = try await !metadata.users().isEmpty
            let secrets = try SecretBox.open(folder: folder, mayCreate: !hasUsers)
            let users = UserDirectory(metadata: metadata, secrets: secrets)
            return OpenStore(metadata: metadata, objects: objects, users: users, configuration: configuration)
        } catch {
            await metadata.close()
            blobs.close()
            throw StartError("The users of \(folder) cannot be read: \(error).")
        }
    }

    public func close() async {
        objects.sweeper.stop()
        await metadata.close()
        objects.blobs.close()
    }

    var administration: Administration {
        Administration(metadata: metadata, users: users, configuration: configuration)
    }
}
