import Addons
import Buckets
import Files
import Hooks
import Metadata
import Targets
public import Threads

/// An opened data folder: metadata, blobs and users, under the folder's lock.
public final class OpenStore: Sendable {
    let metadata: any MetadataStore
    /// Nil where metadata is in MongoDB.
    let embedded: SQLiteStore?
    /// Nil where metadata is in the folder.
    let shared: MongoStore?
    let objects: ObjectStore
    /// Nil where the blobs lie in the folder.
    let engine: RemoteBlobs?
    let scrubber: Scrubber
    let search: any AssetSearch
    /// Hooks and their jobs, stopped until somebody starts it.
    let jobs: JobEngine
    /// Receivers of events, to whom nothing is delivered until somebody starts it.
    let targets: TargetEngine
    /// Lists that events come from, of which nothing is taken until `startSources`.
    let sources: SourceEngine
    /// Services that hooks call.
    let addons: AddonRegister
    let users: UserDirectory
    private let callbackTokens: CallbackTokens
    let workerTokens: WorkerTokens
    let configuration: GatewayConfiguration
    private let parts: Parts

    /// What is opened first.
    struct Parts {
        var folder: DataFolder
        var objects: ObjectStore
        /// The blobs' files, or the directories that keep ids from coming back; nil where several gateways share the store.
        var local: LocalBlobs?
        var engine: RemoteBlobs?
        var embedded: SQLiteStore?
        var shared: MongoStore?
        var search: any AssetSearch

        var metadata: any MetadataStore { objects.metadata }
        var events: any EventStore

        func close() async {
            await embedded?.close()
            await shared?.endReporting()
            folder.close()
            engine?.close()
        }
    }

    private init(
        _ parts: Parts, users: UserDirectory, secrets: SecretBox, workerTokens: WorkerTokens,
        configuration: GatewayConfiguration, pool: Pool
    ) {
        self.parts = parts
        let objects = parts.objects
        metadata = parts.metadata
        embedded = parts.embedded
        shared = parts.shared
        self.objects = objects
        engine = parts.engine
        scrubber = Scrubber(objects: objects, configuration: configuration.scrub)
        search = parts.search
        let jobs = JobEngine(store: parts.events, hooks: HookDirectory(parts.events), pool: pool)
        var targetConfiguration = TargetEngineConfiguration()
        targetConfiguration.region = configuration.region
        targetConfiguration.outbound = configuration.outbound
        let sealing = SealedRegister.Sealing(
            seal: { secrets.seal($0, context: $1) }, open: { secrets.open($0, context: $1) })
        let targets = TargetEngine(
            store: parts.events, sealing: sealing, pool: pool, configuration: targetConfiguration)
        sources = SourceEngine(
            store: parts.events, sealing: sealing, pool: pool, configuration: targetConfiguration)
        addons = AddonRegister(store: parts.events, sealing: sealing, pool: pool)
        callbackTokens = CallbackTokens(secrets)
        jobs.follow { targets.notice() }
        (self.jobs, self.targets) = (jobs, targets)
        self.users = users
        self.workerTokens = workerTokens
        self.configuration = configuration
    }

    /// Whether the folder holds a store.
    public static func exists(in folder: String) -> Bool {
        DataFolder.isStore(folder)
    }

    /// Opens the folder that the configuration names, or makes it. Blocks for the disk.
    public static func open(_ configuration: GatewayConfiguration, pool: Pool) async throws(StartError) -> OpenStore {
        let blobsConfiguration = BlobsConfiguration(configuration)
        let parts: Parts
        switch configuration.metadata {
        case .sqlite: parts = try await openEmbedded(configuration, blobsConfiguration, pool: pool)
        case .mongoDB(let uri): parts = try await openShared(uri, configuration, blobsConfiguration, pool: pool)
        }
        do {
            let secrets = try await openSecrets(of: parts, configuration)
            let users = UserDirectory(
                metadata: parts.metadata, secrets: secrets, freshFor: parts.shared == nil ? nil : .seconds(1))
            let tokens = try pool.blocking { () throws(StartError) in
                if let shared = parts.shared { return WorkerTokens(shared) }
                return try WorkerTokens(folder: parts.folder.path)
            }
            return OpenStore(
                parts, users: users, secrets: secrets, workerTokens: tokens, configuration: configuration, pool: pool)
        } catch {
            await parts.close()
            throw StartError("The users of \(configuration.data) cannot be read", because: error)
        }
    }

    /// The key that seals secrets. Throws where it is not the one that those of the store are sealed with.
    private static func openSecrets(
        of parts: Parts, _ configuration: GatewayConfiguration
    ) async throws -> SecretBox {
        let users = try await parts.metadata.users()
        let check = try await parts.shared?.keyCheck()
        // A new key beside old users would make their secrets unreadable for good.
        let mayCreate = users.isEmpty && check == nil
        let path = configuration.keyFile ?? "\(parts.folder.path)/\(SecretBox.fileName)"
        let secrets = try SecretBox.open(file: path, mayCreate: mayCreate)
        if let user = users.first, secrets.open(user.sealedSecret, accessKey: user.accessKey) == nil {
            throw StartError(wrongKey: path)
        }
        guard let shared = parts.shared, let new = secrets.check() else { return secrets }
        let kept = if let check { check } else { try await shared.keepKeyCheck(new) }
        guard secrets.passes(kept) else { throw StartError(wrongKey: path) }
        return secrets
    }

    static func openEmbedded(
        _ configuration: GatewayConfiguration, _ blobsConfiguration: BlobsConfiguration, pool: Pool
    ) async throws(StartError) -> Parts {
        let folder = try open(folder: configuration.data)
        let (blobs, metadata): (LocalBlobs, SQLiteStore)
        do {
            (blobs, metadata) = try open(folder, blobsConfiguration, configuration.maintenance, pool: pool)
        } catch {
            folder.close()
            throw error
        }
        do throws(StartError) {
            let engine = try await BlobsPlace(configuration: configuration, folder: folder, local: blobs, pool: pool)
                .open(blobsConfiguration)
            let objects =
                if let engine {
                    ObjectStore(metadata: metadata, blobs: engine, segments: metadata.segments, pool: pool)
                } else {
                    ObjectStore(metadata: metadata, blobs: blobs, pool: pool)
                }
            return Parts(
                folder: folder, objects: objects, local: blobs, engine: engine, embedded: metadata,
                search: SearchIndex(metadata), events: metadata)
        } catch {
            await metadata.close()
            folder.close()
            throw error
        }
    }

    static func open(folder path: String, hasLog: Bool = true) throws(StartError) -> DataFolder {
        do throws(DataFolderError) {
            return try DataFolder.open(path, hasLog: hasLog)
        } catch .inUse {
            throw .held(path)
        } catch {
            throw StartError("OGW_DATA is \"\(path)\": wanted a folder that can be used as a store (\(error)).")
        }
    }

    private static func open(
        _ folder: DataFolder, _ configuration: BlobsConfiguration, _ maintenance: MaintenanceConfiguration, pool: Pool
    ) throws(StartError) -> (LocalBlobs, SQLiteStore) {
        var storeConfiguration = SQLiteStoreConfiguration()
        storeConfiguration.maintenance = maintenance
        do {
            let blobs = try LocalBlobs.open(folder, configuration: configuration)
            let metadata = try SQLiteStore.open(
                folder, pool: pool, configuration: storeConfiguration, barrier: { try blobs.makeDurable($0) })
            try blobs.skipIDs(through: metadata.lastBlob)
            return (blobs, metadata)
        } catch {
            throw StartError("The store in \(folder.path) cannot be opened", because: error)
        }
    }

    /// Whether the metadata can be read now.
    func answers(pool: Pool) async -> Bool {
        if let shared { return (try? shared.reach()) != nil }
        return (try? await metadata.buckets(after: nil, prefix: [], limit: 1)) != nil
    }

    /// Begins to take events from outside.
    func startSources() {
        let (hooks, users) = (hookAdministration, users)
        sources.start { messages, user in try await hooks.take(messages, as: user, of: users) }
    }

    public func close() async {
        await sources.stop()
        await jobs.stop()
        await targets.stop()
        objects.sweeper.stop()
        await scrubber.stop()
        await search.stop()
        await parts.close()
    }

    func assetRoutes(publicURL: String) -> AssetRoutes {
        AssetRoutes(store: metadata, index: search, publicURL: publicURL)
    }

    /// Those of the services listener that need a store.
    func serviceRoutes(publicURL: String) -> [Route] {
        assetRoutes(publicURL: publicURL).routes + VariantRoutes(services: services).routes + jobRoutes
            + AddonCallbacks(jobs: jobs, tokens: callbackTokens).routes
    }

    /// Those of the control socket.
    func controlTable(log: Log) -> RouteTable {
        RouteTable(ControlRoutes.routes(administration) + jobRoutes.map { $0.forOwner() }, log: log)
    }

    func workerRoutes(log: Log, publicURL: String, servicesURL: String?) -> WorkerRoutes {
        let orders = AddonOrders(
            services: services, addons: addons, users: users, tokens: callbackTokens, publicURL: publicURL,
            servicesURL: servicesURL)
        return WorkerRoutes(services: services, engine: jobs, tokens: workerTokens, log: log, addons: orders)
    }

    private var services: Services {
        Services(objects: objects, jobs: jobs, targets: targets, configuration: configuration)
    }

    private var jobRoutes: [Route] {
        JobRoutes(jobs: jobs, metadata: metadata).routes
            + HookRoutes(administration: hookAdministration).routes
            + TargetRoutes(targets: targets, jobs: jobs, metadata: metadata).routes
            + SourceRoutes(sources: sources, users: users).routes
            + AddonRoutes(
                addons: addons, jobs: jobs, metadata: metadata, outbound: configuration.outbound, pool: objects.pool
            ).routes
    }

    private var hookAdministration: HookAdministration {
        HookAdministration(jobs: jobs, targets: targets, addons: addons, metadata: metadata)
    }

    var administration: Administration {
        Administration(
            metadata: metadata, users: users, configuration: configuration,
            check: StoreCheck(scrubber: scrubber, objects: objects),
            tokens: WorkerTokenRoutes(tokens: workerTokens, pool: objects.pool))
    }
}

extension BlobsConfiguration {
    init(_ configuration: GatewayConfiguration) {
        self.init()
        freeBytesMin = configuration.diskFreeMin
        inlineBytesMax = configuration.inlineMax
        verifiedFor = configuration.verifiedFor
        verifiedBlobsMax = configuration.verifiedMax
    }
}
