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
        if known == nil { try refuseLocalFiles() }
        guard let accessKey = configuration.engine.accessKey, let secretKey = configuration.engine.secretKey else {
            let missing = configuration.engine.accessKey == nil ? "OGW_BLOBS_ACCESS_KEY" : "OGW_BLOBS_SECRET_KEY"
            throw StartError("\(missing) is not set: wanted the key for the engine that OGW_BLOBS names.")
        }
        var remote = RemoteBlobsConfiguration(address: address, accessKey: accessKey, secretKey: secretKey)
        remote.partBytes = configuration.engine.partBytes
        remote.uploadBytesMax = configuration.engine.uploadBytesMax
        remote.garbageLifetime = configuration.engine.garbageLifetime
        let session: HTTPSession
        do { session = try HTTPSession.start() } catch { throw StartError("No HTTP client: \(error).") }
        let blobs = RemoteBlobs(
            remote, ids: .folder(local), storeID: folder.id, configuration: blobsConfiguration, session: session,
            pool: pool)
        try await claim(blobs, at: address)
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
    private func refuseLocalFiles() throws(StartError) {
        let hasFiles = pool.blocking {
            let blocks = (try? folder.disk.names(in: folder.objects)) ?? []
            return blocks.contains { ((try? folder.disk.names(in: "\(folder.objects)/\($0)")) ?? []).isEmpty == false }
        }
        guard hasFiles else { return }
        throw StartError(
            "OGW_BLOBS names an engine, but objects of \(folder.path) lie in its files: wanted \"local\", or a new store."
        )
    }

    private func claim(_ blobs: RemoteBlobs, at address: EngineAddress) async throws(StartError) {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(RemoteBlobs.ClaimError) {
                return try await blobs.claim()
            } catch {
                if case .unavailable = error, ContinuousClock.now < deadline {
                    await pool.sleep(for: .milliseconds(500))
                    continue
                }
                throw StartError(Self.sentence(error, address))
            }
        }
    }

    private static func sentence(_ error: RemoteBlobs.ClaimError, _ address: EngineAddress) -> String {
        switch error {
        case .credentials(let reason):
            "OGW_BLOBS_ACCESS_KEY and OGW_BLOBS_SECRET_KEY are refused by \(address): wanted keys that may list, read, write and delete there (\(reason))."
        case .noSuchBucket:
            "OGW_BLOBS names the bucket \"\(address.bucket)\", which \(address.scheme)://\(address.host) does not have: make it first."
        case .otherStore(let id):
            "OGW_BLOBS is \(address): wanted a prefix of its own, this one holds the objects of the store \(id)."
        case .unavailable(let reason), .unusable(let reason):
            "OGW_BLOBS is \(address): wanted an engine that answers (\(reason))."
        }
    }
}
