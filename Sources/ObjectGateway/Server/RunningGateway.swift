import Buckets
import Files
import Glibc
public import HTTPServer
import Metadata
import Synchronization
public import Threads

/// A gateway that serves: an opened store, its listeners, the control socket and the sweeper.
public final class RunningGateway: Sendable {
    private let store: OpenStore
    private let log: Log
    private let readiness: Readiness
    private let s3: Server
    private let services: Server?
    private let control: Server
    private let pool: Pool
    private let maintenance: Maintenance?
    private let isStopped = Atomic(false)

    /// What is printed once after a first start; nil otherwise.
    public let welcome: String?

    private init(
        store: OpenStore, log: Log, readiness: Readiness, s3: Server, services: Server?, control: Server, pool: Pool,
        welcome: String?
    ) {
        self.store = store
        maintenance = store.embedded.map { Maintenance($0, pool: pool, log: log) }
        self.log = log
        self.readiness = readiness
        self.s3 = s3
        self.services = services
        self.control = control
        self.pool = pool
        self.welcome = welcome
    }

    /// Serves when it returns. Nothing is left open when it throws.
    public static func start(
        _ configuration: GatewayConfiguration, pool: Pool, log: Log
    ) async throws(StartError) -> RunningGateway {
        let configuration = try fitted(configuration, log: log)
        let startFile = try readStartFile(configuration, pool: pool)
        let store = try await OpenStore.open(configuration, pool: pool)
        do throws(StartError) {
            let newRoot = try await FirstStart(store: store).run()
            if let startFile {
                let changed = try await StartFileApplication(file: startFile, store: store).run()
                log.event("start_file", ["users": .integer(changed.users), "buckets": .integer(changed.buckets)])
            }
            let listeners = try await Listeners.start(store, configuration, pool: pool, log: log)
            let gateway = RunningGateway(
                store: store, log: log, readiness: listeners.readiness, s3: listeners.s3,
                services: listeners.services, control: listeners.control, pool: pool,
                welcome: newRoot.map {
                    let endpoint = configuration.publicURL(bound: listeners.s3.boundAddresses)
                    return FirstStart.welcome($0, endpoint: endpoint, region: configuration.region)
                })
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
            store.search.observe { status in
                if let failure = status.failure {
                    log.event("search_index_failed", level: .error, ["reason": .text(failure)])
                } else {
                    log.event(status.isBuilding ? "search_index_building" : "search_index_built")
                }
            }
            store.search.start()
            store.objects.sweeper.start()
            store.scrubber.start()
            gateway.maintenance?.start()
            gateway.flushLog()
            gateway.announce()
            return gateway
        } catch {
            await store.close()
            throw error
        }
    }

    /// The addresses that the S3 listener has, with the ports that were chosen for 0.
    public var s3Addresses: [ListenAddress] { s3.boundAddresses }
    public var servicesAddresses: [ListenAddress] { services?.boundAddresses ?? [] }

    /// Lets requests under way end, within the configured time, and closes the store.
    public func stop() async {
        guard isStopped.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        log.event("stopping")
        maintenance?.stop()
        readiness.stop()
        await s3.stop(within: store.configuration.stopTimeout)
        await services?.stop(within: .seconds(1))
        await control.stop(within: .seconds(1))
        _ = try? LinuxDisk().remove(ControlSocket.path(in: store.configuration.data))
        await store.close()
        log.event("stopped")
        log.drain()
    }

    /// Reads the certificate files again; connections that are open keep the former certificate.
    /// Blocks for the disk.
    public func reload() {
        guard store.configuration.tlsCertificate != nil else {
            log.event("reload_ignored", ["reason": "no certificate is set"])
            return
        }
        do {
            try s3.reloadCertificate()
            try services?.reloadCertificate()
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
            while let self, !self.isStopped.load(ordering: .relaxed) {
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
