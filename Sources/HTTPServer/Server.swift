import Files
import Glibc
import Synchronization
public import Threads

/// An HTTP/1.1 server on a pool.
///
/// Handlers run as tasks on the pool, one per request; calls in them that may block belong inside `pool.blocking { }`.
public final class Server: Sendable {
    private let core: ServerCore

    private init(core: ServerCore) { self.core = core }

    /// Listens on all of `addresses`, or on none and throws. `accessLog` is called after each response, on a pool
    /// thread. May block while names are resolved.
    public static func start(
        _ addresses: [ListenAddress], configuration: ServerConfiguration = ServerConfiguration(), pool: Pool,
        accessLog: (@Sendable (AccessRecord) -> Void)? = nil,
        handler: @escaping @Sendable (Request) async -> Response
    ) throws(ServerError) -> Server {
        // A peer that is gone must be an error of the call, not the end of the process; sendfile has no flag for it.
        signal(SIGPIPE, SIG_IGN)
        let core = ServerCore(configuration: configuration, pool: pool, handler: handler, accessLog: accessLog)
        core.tls.store(try loadCertificate(configuration))
        var listeners: [Listener] = []
        do throws(ServerError) {
            for address in addresses { listeners += try listen(address, core) }
        } catch {
            for listener in listeners { listener.close() }
            throw error
        }
        core.adopt(listeners)
        for listener in listeners { listener.open() }
        return Server(core: core)
    }

    private static func listen(_ address: ListenAddress, _ core: ServerCore) throws(ServerError) -> [Listener] {
        do throws(SystemError) {
            return try open(address, core)
        } catch {
            throw .cannotListen(address, error)
        }
    }

    private static func open(_ address: ListenAddress, _ core: ServerCore) throws(SystemError) -> [Listener] {
        let backlog = core.configuration.backlog
        let isTLS = core.tls.load() != nil
        switch address {
        case .unix(let path):
            let descriptor = try SocketAddress.listen(path: path, backlog: backlog)
            return [Listener(core: core, descriptor: descriptor, address: address, isTLS: false)]
        case .tcp(let host, let port):
            return try SocketAddress.listen(host: host, port: port, backlog: backlog).map { descriptor in
                let (host, port) = SocketAddress.bound(descriptor)
                return Listener(
                    core: core, descriptor: descriptor, address: .tcp(host: host, port: port), isTLS: isTLS)
            }
        }
    }

    private static func loadCertificate(_ configuration: ServerConfiguration) throws(ServerError) -> TLSContext? {
        guard let certificate = configuration.tlsCertificatePath, let key = configuration.tlsKeyPath else { return nil }
        return try TLSContext.load(certificatePath: certificate, keyPath: key)
    }

    /// Reads the certificate and key files again, for connections that come from now on. On failure the former ones
    /// stay in use. Reads the disk.
    public func reloadCertificate() throws(ServerError) {
        guard let context = try Self.loadCertificate(core.configuration) else { throw .noCertificate }
        core.tls.store(context)
    }

    /// The addresses in numeric form, with the ports that were chosen for 0; none after a stop.
    public var boundAddresses: [ListenAddress] { core.allListeners.map(\.address) }

    public var statistics: ServerStatistics {
        let counters = core.counters
        return ServerStatistics(
            connectionsOpen: counters.open.load(ordering: .relaxed),
            connectionsAccepted: counters.accepted.load(ordering: .relaxed),
            requests: counters.requests.load(ordering: .relaxed),
            bytesReceived: counters.received.load(ordering: .relaxed),
            bytesSent: counters.sent.load(ordering: .relaxed),
            handshakes: counters.handshakes.load(ordering: .relaxed),
            handshakesFailed: counters.handshakesFailed.load(ordering: .relaxed),
            requestsRefused: counters.refused.load(ordering: .relaxed))
    }

    /// Accepts no more, closes idle connections, and lets running requests end. After `limit` what still waits for a
    /// peer is cut; a handler that waits for something else is left alone. Returns when no connection is open, or soon
    /// after the limit.
    public func stop(within limit: Duration = .seconds(10)) async {
        core.isStopping.store(true, ordering: .sequentiallyConsistent)
        for listener in core.allListeners { listener.close() }
        // They hold the core, which holds them.
        core.adopt([])
        for connection in core.allConnections { connection.stop() }
        let end = Monotonic.nanoseconds &+ limit.nanosecondsClamped
        while core.openConnections > 0, Monotonic.nanoseconds < end { await core.pool.sleep(for: .milliseconds(10)) }
        if core.openConnections == 0 { return }
        core.isAborting.store(true, ordering: .sequentiallyConsistent)
        for connection in core.allConnections { connection.stop() }
        let last = Monotonic.nanoseconds &+ 1_000_000_000
        while core.openConnections > 0, Monotonic.nanoseconds < last { await core.pool.sleep(for: .milliseconds(10)) }
    }
}
