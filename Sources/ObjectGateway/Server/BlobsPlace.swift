import Buckets
import Files
import HTTPClient
import Metadata
import Threads

/// Where the blobs of a store lie, as its settings and its folder say, and the opening of it.
struct BlobsPlace {
    let configuration: GatewayConfiguration
    let folder: DataFolder
    let local: LocalBlobs
    let pool: Pool

    /// Beside the metadata: there where the blobs are on an engine, with its address for whoever looks.
    private static let note = "blobs"
    /// How long an engine may take to come, when both are started together.
    private static let patience = Duration.seconds(30)

    /// Nil for blobs in the folder. Throws where the folder's blobs are elsewhere than the settings say, and where the engine
    /// cannot be used.
    func open(_ blobsConfiguration: BlobsConfiguration) async throws(StartError) -> RemoteBlobs? {
        let known = pool.blocking { (try? folder.disk.contents(of: "\(folder.metadata)/\(Self.note)")) ?? nil }
        guard case .remote(let address) = configuration.blobs else {
            guard let known else { return nil }
            let place = String(decoding: known.prefix { $0 != 0x0A }, as: UTF8.self)
            throw StartError(
                "OGW_BLOBS is \"local\", but the objects of \(folder.path) lie on an engine: wanted \(place).")
        }
        if known == nil { try Self.refuseFiles(of: folder, pool: pool) }
        let engine = RemotePlace(address: address, configuration: configuration, pool: pool)
        let blobs = try engine.blobs(
            ids: .folder(local), storeID: folder.id, garbageLifetime: .seconds(3600), blobsConfiguration)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(StartError) {
                try await engine.claim(blobs)
                break
            } catch {
                guard error.isPassing, ContinuousClock.now < deadline else { throw StartError(error.description) }
                await pool.sleep(for: .milliseconds(500))
            }
        }
        do {
            try pool.blocking {
                try folder.disk.replace(Self.note, in: folder.metadata, with: [UInt8]("\(address)\n".utf8))
            }
        } catch {
            throw StartError("The store in \(folder.path) cannot be written: \(error).")
        }
        return blobs
    }

    /// Files would be looked for on the engine.
    static func refuseFiles(of folder: DataFolder, pool: Pool) throws(StartError) {
        let hasFiles = pool.blocking {
            let blocks = (try? folder.disk.names(in: folder.objects)) ?? []
            return blocks.contains { ((try? folder.disk.names(in: "\(folder.objects)/\($0)")) ?? []).isEmpty == false }
        }
        guard hasFiles else { return }
        throw StartError(
            "OGW_BLOBS names an engine, but objects of \(folder.path) lie in its files: wanted \"local\", or a new store."
        )
    }
}

/// The place on an engine that the settings name.
struct RemotePlace {
    let address: EngineAddress
    let configuration: GatewayConfiguration
    let pool: Pool

    /// Asks nothing of the engine yet. `garbageLifetime` is what counts where the settings say nothing.
    func blobs(
        ids: RemoteBlobs.IDs, storeID: [UInt8], garbageLifetime: Duration, _ blobsConfiguration: BlobsConfiguration
    ) throws(StartError) -> RemoteBlobs {
        guard let accessKey = configuration.engine.accessKey, let secretKey = configuration.engine.secretKey else {
            let missing = configuration.engine.accessKey == nil ? "OGW_BLOBS_ACCESS_KEY" : "OGW_BLOBS_SECRET_KEY"
            throw StartError("\(missing) is not set: wanted the key for the engine that OGW_BLOBS names.")
        }
        var remote = RemoteBlobsConfiguration(address: address, accessKey: accessKey, secretKey: secretKey)
        remote.partBytes = configuration.engine.partBytes
        remote.uploadBytesMax = configuration.engine.uploadBytesMax
        remote.garbageLifetime =
            if case .ranges = ids { .zero } else { configuration.engine.garbageLifetime ?? garbageLifetime }
        let session: HTTPSession
        do { session = try HTTPSession.start() } catch { throw StartError("No HTTP client: \(error).") }
        return RemoteBlobs(
            remote, ids: ids, storeID: storeID, configuration: blobsConfiguration, session: session, pool: pool)
    }

    /// Makes sure that the place can be used and is the store's. Without `mayTake` it must be so already.
    func claim(_ blobs: RemoteBlobs, mayTake: Bool = true) async throws(StartError) {
        do throws(RemoteBlobs.ClaimError) {
            try await blobs.claim(mayTake: mayTake)
        } catch {
            let isPassing = if case .unavailable = error { true } else { false }
            throw StartError(sentence(error), isPassing: isPassing)
        }
    }

    private func sentence(_ error: RemoteBlobs.ClaimError) -> String {
        switch error {
        case .credentials(let reason):
            "OGW_BLOBS_ACCESS_KEY and OGW_BLOBS_SECRET_KEY are refused by \(address): wanted keys that may list, read, write and delete there (\(reason))."
        case .noSuchBucket:
            "OGW_BLOBS names the bucket \"\(address.bucket)\", which \(address.scheme)://\(address.host) does not have: make it first."
        case .otherStore(let id):
            "OGW_BLOBS is \(address): wanted a prefix of its own, this one holds the objects of the store \(id)."
        case .noStore:
            "OGW_BLOBS is \(address): wanted the place where the objects of the database lie, this one has no store.id."
        case .unavailable(let reason), .unusable(let reason):
            "OGW_BLOBS is \(address): wanted an engine that answers (\(reason))."
        }
    }
}
