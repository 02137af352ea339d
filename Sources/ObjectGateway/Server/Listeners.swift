import Buckets
import Bytes
import Files
import HTTPServer
import Metadata
import Targets
import Threads

/// The listeners of a gateway for others than its own machine: S3 and services. Without a store they answer 503.
struct Listeners {
    let s3: Server
    let services: Server?
    let readiness: Readiness
    private let door: Door
    private let metrics: Metrics
    private let publicURL: String
    private let servicesURL: String?

    /// All of them accept connections when it returns, and none does when it throws. `opensAtOnce` says that `open` follows.
    static func start(
        _ configuration: GatewayConfiguration, opensAtOnce: Bool, pool: Pool, log: Log
    ) async throws(StartError) -> Listeners {
        let metrics = Metrics(operations: Gateway.operationNames)
        let readiness = Readiness([.init(name: "metadata") { "the store is not open yet" }])
        // Known in time where the port is.
        let waiting = ServicesRoutes.table(
            metrics: metrics, readiness: readiness, log: log, pool: pool,
            publicURL: configuration.publicURL(bound: configuration.s3Listen), version: ogwVersion,
            elsewhere: Door.problem)
        let door = Door(waiting: waiting, opensAtOnce: opensAtOnce)
        var s3Configuration = ServerConfiguration(configuration)
        s3Configuration.errorBody = { status, reason in
            let error = S3Error(code(of: status), reason)
            return (
                "application/xml", error.document(resource: [], requestID: RequestID.next().text, hostID: [])
            )
        }
        let s3 = try start(
            "OGW_S3_LISTEN", configuration.s3Listen, s3Configuration, pool: pool,
            accessLog: { door.gateway?.account(for: $0) },
            handler: { request in
                if door.gateway == nil { await door.pass(on: pool) }
                guard let gateway = door.gateway else { return Door.refusal(of: request) }
                return await gateway.handle(request)
            })
        var services: Server?
        do throws(StartError) {
            if !configuration.servicesListen.isEmpty {
                services = try start(door, counting: metrics, configuration, pool: pool)
            }
            addSources(to: metrics, s3: s3, services: services)
            return Listeners(
                s3: s3, services: services, readiness: readiness, door: door, metrics: metrics,
                publicURL: configuration.publicURL(bound: s3.boundAddresses),
                servicesURL: configuration.servicesURL(bound: services?.boundAddresses ?? []))
        } catch {
            await s3.stop(within: .seconds(1))
            throw error
        }
    }

    /// The listener of the control socket, for the folder that this process has opened: so a command learns that the store is awaited, and does
    /// not open it itself.
    func startControl(_ configuration: GatewayConfiguration, pool: Pool) throws(StartError) -> Server {
        let door = door
        return try Self.start(
            "OGW_DATA", [ControlSocket.address(in: configuration.data)], ServerConfiguration(), pool: pool,
            handler: { request in
                if let workers = door.workers, workers.takes(request.head) {
                    return await workers.handle(request, isLocal: true)
                }
                return await door.control.handle(request).response
            })
    }

    /// From now on requests reach the store. Once.
    func open(_ store: OpenStore, _ configuration: GatewayConfiguration, pool: Pool, log: Log) {
        let services = ServicesRoutes.table(
            metrics: metrics, readiness: readiness, log: log, pool: pool, publicURL: publicURL, version: ogwVersion,
            store: store.serviceRoutes(publicURL: publicURL), authenticator: ServicesAuthenticator(users: store.users))
        Self.addStoreSources(to: metrics, store: store, log: log)
        let gateway = Gateway(
            store: store.objects, users: store.users, jobs: store.jobs, targets: store.targets, log: log,
            metrics: metrics,
            configuration: configuration)
        door.open(
            Door.Surface(
                gateway: gateway, services: services, control: store.controlTable(log: log),
                workers: store.workerRoutes(log: log, publicURL: publicURL, servicesURL: servicesURL)))
        readiness.replace(by: Self.checks(store, pool: pool))
    }

    private static func start(
        _ door: Door, counting metrics: Metrics, _ configuration: GatewayConfiguration, pool: Pool
    ) throws(StartError) -> Server {
        try start(
            "OGW_SERVICES_LISTEN", configuration.servicesListen, ServerConfiguration(configuration), pool: pool,
            handler: { request in
                if door.gateway == nil { await door.pass(on: pool) }
                let (response, endpoint) = await answer(request, behind: door)
                metrics.recordServicesRequest(
                    method: methodLabel(request.head.method), endpoint: endpoint, status: response.status)
                return response
            })
    }

    private static func answer(
        _ request: Request, behind door: Door
    ) async -> (response: Response, endpoint: String) {
        if let workers = door.workers, workers.takes(request.head) {
            return (await workers.handle(request, isLocal: false), "/api/worker")
        }
        return await door.services.handle(request)
    }

    private static func start(
        _ setting: String, _ addresses: [ListenAddress], _ configuration: ServerConfiguration, pool: Pool,
        accessLog: (@Sendable (AccessRecord) -> Void)? = nil, handler: @escaping @Sendable (Request) async -> Response
    ) throws(StartError) -> Server {
        do {
            return try Server.start(
                addresses, configuration: configuration, pool: pool, accessLog: accessLog, handler: handler)
        } catch .tls(let path, let reason) {
            throw StartError(
                "OGW_TLS_CERT and OGW_TLS_KEY cannot be used: wanted PEM files of a certificate chain and its key"
                    + " (\(path.map { "\($0): " } ?? "")\(reason)).")
        } catch {
            let list = addresses.map(\.description).joined(separator: ",")
            throw StartError("\(setting) is \"\(list)\": wanted addresses that can be listened on (\(error)).")
        }
    }

    /// The code that fits a status which the engine itself answers with, before the gateway sees a request.
    private static func code(of status: Int) -> S3ErrorCode {
        switch status {
        case 405: .methodNotAllowed
        case 408: .requestTimeout
        case 411: .missingContentLength
        case 500: .internalError
        case 501: .notImplemented
        case 503: .slowDown
        default: .invalidRequest
        }
    }

    /// Any other token counts under one label, since a client chooses it.
    private static func methodLabel(_ method: RequestHead.Method) -> String {
        switch method {
        case .get: "GET"
        case .head: "HEAD"
        case .put: "PUT"
        case .post: "POST"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .other: "other"
        }
    }

    private static func checks(_ store: OpenStore, pool: Pool) -> [Readiness.Check] {
        let folder = store.configuration.data
        let objects = store.objects
        var checks: [Readiness.Check] = [
            .init(name: "metadata") {
                await store.answers(pool: pool) ? nil : "the store does not answer"
            },
            .init(name: "blobs") {
                let isThere = pool.blocking { (try? LinuxDisk().contents(of: folder + "/FORMAT")) ?? nil != nil }
                return isThere ? nil : "the data folder is not readable"
            },
            .init(name: "disk") {
                guard let hasRoom = pool.blocking({ try? objects.hasRoom() }) else {
                    return "the free space is unknown"
                }
                return hasRoom ? nil : "too little space is free"
            },
        ]
        if let engine = store.engine {
            checks.append(
                .init(name: "engine") { await engine.answers() ? nil : "the engine of the blobs does not answer" })
        }
        return checks
    }

    private static func addSources(
        to metrics: Metrics, s3: Server, services: Server?
    ) {
        for (name, server) in [("s3", s3 as Server?), ("services", services)] {
            guard let server else { continue }
            let label = [("listener", name)]
            func add(
                _ name: String, _ kind: PrometheusText.Kind, _ help: String,
                _ value: @escaping @Sendable (ServerStatistics) -> Double
            ) {
                metrics.add(
                    .init(name: name, kind: kind, help: help, labels: label, value: { value(server.statistics) }))
            }
            add("ogw_connections", .gauge, "Open connections.") { Double($0.connectionsOpen) }
            add("ogw_connections_accepted_total", .counter, "Connections accepted.") { Double($0.connectionsAccepted) }
            add("ogw_network_received_bytes_total", .counter, "Bytes received, heads included.") {
                Double($0.bytesReceived)
            }
            add("ogw_network_sent_bytes_total", .counter, "Bytes sent, heads included.") { Double($0.bytesSent) }
            add("ogw_requests_malformed_total", .counter, "Requests refused before they were understood.") {
                Double($0.requestsRefused)
            }
            add("ogw_tls_handshakes_failed_total", .counter, "TLS handshakes that failed.") {
                Double($0.handshakesFailed)
            }
        }
    }

    private static func addStoreSources(to metrics: Metrics, store: OpenStore, log: Log) {
        func add(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: @escaping @Sendable () -> Double
        ) {
            metrics.add(.init(name: name, kind: kind, help: help, value: value))
        }
        if let metadata = store.embedded { addCommitSources(add, metadata) }
        let sweeper = store.objects.sweeper
        add("ogw_blobs_removed_total", .counter, "Blobs whose files were removed.") { Double(sweeper.removedCount) }
        let objects = store.objects
        add("ogw_directory_syncs_total", .counter, "Syncs of blob directories.") { Double(objects.directorySyncCount) }
        if let engine = store.engine {
            add("ogw_engine_requests_total", .counter, "Requests to the engine of the blobs, repetitions included.") {
                Double(engine.requestCount)
            }
            add("ogw_engine_repetitions_total", .counter, "Requests to the engine that were made again.") {
                Double(engine.repetitionCount)
            }
        }
        addCheckSources(add, store)
        addSearchSources(add, store.search)
        addTargetSources(to: metrics, store.targets)
        addEventSources(to: metrics, store.sources)
        let folder = store.configuration.data
        add("ogw_disk_free_bytes", .gauge, "Free space of the data folder.") {
            Double((try? LinuxDisk().space(at: folder).free) ?? 0)
        }
        add("ogw_log_lines_dropped_total", .counter, "Log lines that were lost.") { Double(log.dropped) }
    }

    private static func addCommitSources(
        _ add: (String, PrometheusText.Kind, String, @escaping @Sendable () -> Double) -> Void, _ metadata: SQLiteStore
    ) {
        add("ogw_commit_batches_total", .counter, "Commits of the metadata store.") {
            Double(metadata.statistics.batches)
        }
        add("ogw_commit_requests_total", .counter, "Requests that took effect in a commit.") {
            Double(metadata.statistics.commits)
        }
        add("ogw_commit_refusals_total", .counter, "Requests that a commit refused, failed conditions included.") {
            Double(metadata.statistics.refusals)
        }
        add("ogw_commit_batch_max", .gauge, "Requests in the largest batch.") {
            Double(metadata.statistics.largestBatch)
        }
        add("ogw_commit_queue", .gauge, "Requests that wait for a commit.") { Double(metadata.statistics.queueDepth) }
    }

    private static func addSearchSources(
        _ add: (String, PrometheusText.Kind, String, @escaping @Sendable () -> Double) -> Void,
        _ search: any AssetSearch
    ) {
        add("ogw_search_lag_seconds", .gauge, "Age of the oldest change of an asset that search does not know yet.") {
            search.status().lag / .seconds(1)
        }
        add("ogw_search_builds_total", .counter, "Times that the search index was made anew.") {
            Double(search.status().buildCount)
        }
    }

    private static func addTargetSources(to metrics: Metrics, _ targets: TargetEngine) {
        func add(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String,
            _ value: @escaping @Sendable (TargetStatus) -> Double
        ) {
            metrics.add(
                Metrics.Family(name: name, kind: kind, help: help) {
                    targets.statuses().map { ([("target", $0.name)], value($0.status)) }
                })
        }
        add("ogw_target_pending", .gauge, "Events that are to be delivered, as far as they are read ahead.") {
            Double($0.pendingCount)
        }
        add("ogw_target_lag_seconds", .gauge, "Age of the oldest event that is to be delivered.") {
            $0.oldestPending.map { max(0, Double(Timestamp.now().milliseconds - $0.milliseconds) / 1000) } ?? 0
        }
        add("ogw_target_delivered_total", .counter, "Events delivered.") { Double($0.deliveredCount) }
        add("ogw_target_failures_total", .counter, "Deliveries that failed.") { Double($0.failureCount) }
        add("ogw_target_dropped_total", .counter, "Events that were given up for their age.") {
            Double($0.droppedCount)
        }
    }

    /// Of events from outside.
    private static func addEventSources(to metrics: Metrics, _ sources: SourceEngine) {
        func add(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String,
            _ value: @escaping @Sendable (SourceStatus) -> Double
        ) {
            metrics.add(
                Metrics.Family(name: name, kind: kind, help: help) {
                    sources.statuses().map { ([("source", $0.name)], value($0.status)) }
                })
        }
        add("ogw_source_waiting", .gauge, "Messages that are not taken yet.") { Double($0.waitingCount) }
        add("ogw_source_dead", .gauge, "Messages that were set aside.") { Double($0.deadCount) }
        add("ogw_source_taken_total", .counter, "Messages whose events are committed.") { Double($0.takenCount) }
        add("ogw_source_refused_total", .counter, "Messages that can be no events.") { Double($0.refusedCount) }
        add("ogw_source_failures_total", .counter, "Times that nothing could be taken.") { Double($0.failureCount) }
    }

    private static func addCheckSources(
        _ add: (String, PrometheusText.Kind, String, @escaping @Sendable () -> Double) -> Void, _ store: OpenStore
    ) {
        let (scrubber, objects) = (store.scrubber, store.objects)
        add("ogw_blobs_damaged_total", .counter, "Damaged blobs found, each once.") {
            Double(objects.damage.count)
        }
        add("ogw_blobs_in_doubt", .gauge, "Files whose commit was neither confirmed nor refused.") {
            Double(objects.inDoubtCount)
        }
        add("ogw_garbage_queue", .gauge, "Blobs whose files are yet to be removed.") {
            Double((try? objects.metadata.garbageCount()) ?? 0)
        }
        add("ogw_scrub_blobs_total", .counter, "Blobs that the check of everything stored has read.") {
            Double(scrubber.checkedCount)
        }
        add("ogw_scrub_errors", .gauge, "Damaged or missing blobs that the last or present check found.") {
            Double(scrubber.report.errors)
        }
        add("ogw_scrub_orphans", .gauge, "Files without a row that the last or present check found.") {
            Double(scrubber.report.orphans)
        }
        add("ogw_scrub_finished_seconds", .gauge, "When the last check ended, in seconds since 1970; 0 for none.") {
            Double(scrubber.report.finished?.seconds ?? 0)
        }
    }
}

extension ServerConfiguration {
    init(_ configuration: GatewayConfiguration) {
        self.init()
        connectionsMax = configuration.connectionsMax
        headerTimeout = configuration.headTimeout
        keepAliveTimeout = configuration.idleTimeout
        bodyRateMin = configuration.rateMin
        bodyRateGrace = configuration.stallTimeout
        tlsCertificatePath = configuration.tlsCertificate
        tlsKeyPath = configuration.tlsKey
    }
}
