import Buckets
import Files
import Glibc
public import HTTPServer
import Hooks
import Metadata
import Targets
public import Threads

/// A gateway that serves: listeners, an opened store, the control socket and the sweeper.
///
/// With metadata in MongoDB the listeners answer 503 as long as MongoDB, or the engine of the blobs, is not there yet.
public final class RunningGateway: Sendable {
    /// What came of a store that was opened after the start.
    public enum Outcome: Sendable {
        /// With what is printed once after a first start.
        case opened(welcome: String?)
        /// It cannot be used, and waiting does not help.
        case refused(StartError)
    }

    private let configuration: GatewayConfiguration
    private let log: Log
    private let listeners: Listeners
    private let pool: Pool
    private let state = Lock(State())

    private struct State {
        var isStopped = false
        var isOpening = false
        var opened: Opened?
        /// From when the folder was opened first, also while the store is awaited.
        var control: Server?
        var welcome: String?
    }

    private struct Opened {
        var store: OpenStore
        var maintenance: Maintenance?
        var supervisor: WorkerSupervisor?
    }

    private init(_ configuration: GatewayConfiguration, listeners: Listeners, pool: Pool, log: Log) {
        (self.configuration, self.listeners, self.pool, self.log) = (configuration, listeners, pool, log)
    }

    /// What is printed once after a first start; nil otherwise, and as long as the store is not open.
    public var welcome: String? { state.withLock { $0.welcome } }

    /// Serves when it returns. Nothing is left open when it throws. `later` is called where the store could not be opened yet.
    public static func start(
        _ configuration: GatewayConfiguration, pool: Pool, log: Log,
        later: @escaping @Sendable (Outcome) -> Void = { _ in }
    ) async throws(StartError) -> RunningGateway {
        let configuration = try fitted(configuration, log: log)
        let startFile = try readStartFile(configuration, pool: pool)
        guard case .mongoDB = configuration.metadata else {
            let (store, newRoot) = try await open(configuration, startFile, pool: pool, log: log)
            do throws(StartError) {
                let listeners = try await Listeners.start(configuration, opensAtOnce: true, pool: pool, log: log)
                let gateway = RunningGateway(configuration, listeners: listeners, pool: pool, log: log)
                gateway.flushLog()
                try await gateway.stopOnFailure { () async throws(StartError) in
                    _ = try await gateway.serve(store, newRoot: newRoot)
                }
                gateway.announce()
                return gateway
            } catch {
                await store.close()
                throw error
            }
        }
        let listeners = try await Listeners.start(configuration, opensAtOnce: false, pool: pool, log: log)
        let gateway = RunningGateway(configuration, listeners: listeners, pool: pool, log: log)
        gateway.flushLog()
        gateway.announce()
        gateway.state.withLock { $0.isOpening = true }
        try await gateway.stopOnFailure { () async throws(StartError) in
            guard let failure = try await gateway.tryToOpen(startFile) else {
                gateway.state.withLock { $0.isOpening = false }
                return
            }
            log.event("store_awaited", level: .warning, ["reason": .text(failure.description)])
            pool.run { await gateway.keepOpening(startFile, later) }
        }
        return gateway
    }

    private func stopOnFailure(_ body: () async throws(StartError) -> Void) async throws(StartError) {
        do throws(StartError) {
            try await body()
        } catch {
            state.withLock { $0.isOpening = false }
            await stop()
            throw error
        }
    }

    // MARK: The store

    private static func open(
        _ configuration: GatewayConfiguration, _ startFile: StartFile?, pool: Pool, log: Log
    ) async throws(StartError) -> (store: OpenStore, newRoot: KnownUser?) {
        let store = try await OpenStore.open(configuration, pool: pool)
        do throws(StartError) {
            let newRoot = try await FirstStart(store: store).run()
            if let startFile {
                let changed = try await StartFileApplication(file: startFile, store: store).run()
                log.event(
                    "start_file",
                    [
                        "users": .integer(changed.users), "buckets": .integer(changed.buckets),
                        "targets": .integer(changed.targets), "sources": .integer(changed.sources),
                        "addons": .integer(changed.addons),
                    ])
            }
            return (store, newRoot)
        } catch {
            await store.close()
            throw error
        }
    }

    /// Returns why the store is not there yet; nil where it is. Throws what waiting does not help.
    private func tryToOpen(_ startFile: StartFile?) async throws(StartError) -> StartError? {
        let store: OpenStore
        let newRoot: KnownUser?
        do throws(StartError) {
            (store, newRoot) = try await Self.open(configuration, startFile, pool: pool, log: log)
        } catch {
            guard error.isPassing else { throw error }
            try startControl()
            return error
        }
        do throws(StartError) {
            if try await serve(store, newRoot: newRoot) { return nil }
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return nil
    }

    /// Commands of this machine reach the gateway when it returns. The folder is this process's.
    private func startControl() throws(StartError) {
        if state.withLock({ $0.control != nil }) { return }
        let control = try listeners.startControl(configuration, pool: pool)
        state.withLock { $0.control = control }
    }

    private func keepOpening(_ startFile: StartFile?, _ later: @Sendable (Outcome) -> Void) async {
        var outcome: Outcome?
        while outcome == nil, !state.withLock({ $0.isStopped }) {
            await pool.sleep(for: .milliseconds(500))
            do throws(StartError) {
                if try await tryToOpen(startFile) == nil { outcome = .opened(welcome: welcome) }
            } catch {
                log.event("store_refused", level: .error, ["reason": .text(error.description)])
                outcome = .refused(error)
            }
        }
        state.withLock { $0.isOpening = false }
        if let outcome, !state.withLock({ $0.isStopped }) { later(outcome) }
    }

    /// False where the gateway was stopped meanwhile.
    private func serve(_ store: OpenStore, newRoot: KnownUser?) async throws(StartError) -> Bool {
        if state.withLock({ $0.isStopped }) { return false }
        observe(store)
        do throws(MetadataError) { try await store.jobs.start() } catch {
            throw StartError("The jobs of \(configuration.data) cannot be read", because: error)
        }
        do throws(MetadataError) { try await store.targets.start() } catch {
            throw StartError("The targets of \(configuration.data) cannot be read", because: error)
        }
        store.startSources()
        try startControl()
        listeners.open(store, configuration, pool: pool, log: log)
        let maintenance = store.embedded.map { Maintenance($0, pool: pool, log: log) }
        let welcome = newRoot.map {
            let endpoint = configuration.publicURL(bound: listeners.s3.boundAddresses)
            return FirstStart.welcome($0, endpoint: endpoint, region: configuration.region)
        }
        store.search.start()
        store.objects.sweeper.start()
        store.scrubber.start()
        maintenance?.start()
        let supervisor = WorkerSupervisor(
            store.jobs, configuration.workers, data: configuration.data, pool: pool, log: log)
        await supervisor?.start()
        state.withLock { state in
            state.opened = Opened(store: store, maintenance: maintenance, supervisor: supervisor)
            state.welcome = welcome
        }
        return true
    }

    private func observe(_ store: OpenStore) {
        let log = log
        store.objects.damage.observe { damage in
            log.event(
                "blob_damaged", level: .error,
                ["blob": .text("\(damage.blob.value)"), "reason": .text(damage.reason)])
        }
        store.scrubber.observe { report in
            guard report.finished != nil else { return }
            log.event(
                "store_checked", level: report.errors > 0 ? .error : .info,
                [
                    "blobs": .unsigned(report.blobs), "bytes": .unsigned(report.bytes),
                    "errors": .unsigned(report.errors), "orphans": .unsigned(report.orphans),
                ])
        }
        store.jobs.observe { log.report($0) }
        store.targets.observe { log.report($0) }
        store.sources.observe { log.report($0) }
        store.search.observe { status in
            if let failure = status.failure {
                log.event("search_index_failed", level: .error, ["reason": .text(failure)])
            } else {
                log.event(status.isBuilding ? "search_index_building" : "search_index_built")
            }
        }
    }

    /// The addresses that the S3 listener has, with the ports that were chosen for 0.
    public var s3Addresses: [ListenAddress] { listeners.s3.boundAddresses }
    public var servicesAddresses: [ListenAddress] { listeners.services?.boundAddresses ?? [] }

    /// Lets requests under way end, within the configured time, and closes the store.
    public func stop() async {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        guard isFirst else { return }
        log.event("stopping")
        // An attempt to open the store that is under way ends by itself, within the patience of the store at most.
        while state.withLock({ $0.isOpening }) { await pool.sleep(for: .milliseconds(10)) }
        let opened = state.withLock { $0.opened }
        opened?.maintenance?.stop()
        listeners.readiness.stop()
        // The workers first, as long as they can give back what they have; then all others who wait for jobs, so that no
        // listener waits for them.
        await opened?.supervisor?.stop()
        await opened?.store.sources.stop()
        await opened?.store.jobs.stop()
        await opened?.store.targets.stop()
        await listeners.s3.stop(within: configuration.stopTimeout)
        await listeners.services?.stop(within: .seconds(1))
        if let control = state.withLock({ $0.control.take() }) {
            await control.stop(within: .seconds(1))
            _ = try? LinuxDisk().remove(ControlSocket.path(in: configuration.data))
        }
        await opened?.store.close()
        log.event("stopped")
        log.drain()
    }

    /// Reads the certificate files again; connections that are open keep the former certificate.
    /// Blocks for the disk.
    public func reload() {
        guard configuration.tlsCertificate != nil else {
            log.event("reload_ignored", ["reason": "no certificate is set"])
            return
        }
        do {
            try listeners.s3.reloadCertificate()
            try listeners.services?.reloadCertificate()
            log.event("certificate_reloaded")
        } catch {
            log.event("certificate_not_reloaded", level: .error, ["error": .failure(error)])
        }
    }

    /// With no more connections than the descriptors that this process may open.
    private static func fitted(
        _ configuration: GatewayConfiguration, log: Log
    ) throws(StartError) -> GatewayConfiguration {
        let count = try DescriptorLimit.raise()
        log.event("descriptors", level: .debug, ["limit": .integer(count)])
        var fitted = configuration
        fitted.connectionsMax = DescriptorLimit.connections(configuration.connectionsMax, of: count)
        if fitted.connectionsMax < configuration.connectionsMax {
            log.event(
                "connections_limited", level: .warning,
                [
                    "connections_max": .integer(fitted.connectionsMax),
                    "wanted": .integer(configuration.connectionsMax),
                    "descriptors": .integer(count),
                ])
        }
        return fitted
    }

    /// Before anything is opened, so that a file with a slip changes nothing.
    private static func readStartFile(
        _ configuration: GatewayConfiguration, pool: Pool
    ) throws(StartError) -> StartFile? {
        guard let path = configuration.startFile else { return nil }
        do throws(SettingError) {
            return try pool.blocking { () throws(SettingError) in try StartFile.read(path) }
        } catch {
            throw StartError(error)
        }
    }

    private func flushLog() {
        let log = log
        pool.run { [weak self, pool] in
            while let self, !self.state.withLock({ $0.isStopped }) {
                await pool.sleep(for: .seconds(1))
                log.flush()
            }
        }
    }

    private func announce() {
        for address in s3Addresses {
            log.event("listening", ["listener": "s3", "address": .text(address.description)])
        }
        for address in servicesAddresses {
            log.event("listening", ["listener": "services", "address": .text(address.description)])
        }
    }
}
