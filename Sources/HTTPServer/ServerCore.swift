import Synchronization
import Threads

/// What the listeners and connections of one server share.
final class ServerCore: Sendable {
    let configuration: ServerConfiguration
    let pool: Pool
    let handler: @Sendable (Request) async -> Response
    let accessLog: (@Sendable (AccessRecord) -> Void)?
    let heads: BufferList
    let bodies: BufferList
    let date = DateCache()
    let counters = Counters()
    let tls = CurrentCertificate()
    /// Connections close after their current response.
    let isStopping = Atomic<Bool>(false)
    /// Connections close at once.
    let isAborting = Atomic<Bool>(false)
    private let connections = Lock<[ObjectIdentifier: Connection]>([:])
    private let listeners = Lock<[Listener]>([])

    init(
        configuration: ServerConfiguration, pool: Pool, handler: @escaping @Sendable (Request) async -> Response,
        accessLog: (@Sendable (AccessRecord) -> Void)?
    ) {
        self.configuration = configuration
        self.pool = pool
        self.handler = handler
        self.accessLog = accessLog
        heads = BufferList(capacity: max(configuration.decoder.headerBytesMax, 4096), keep: 64)
        bodies = BufferList(capacity: max(configuration.bodyTurnBytes, 4096), keep: 8)
    }

    var openConnections: Int { counters.open.load(ordering: .relaxed) }

    func adopt(_ listeners: [Listener]) { self.listeners.withLock { $0 = listeners } }

    var allListeners: [Listener] { listeners.withLock { $0 } }

    func opened(_ connection: Connection) {
        counters.open.add(1, ordering: .relaxed)
        counters.accepted.add(1, ordering: .relaxed)
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func closed(_ connection: Connection) {
        _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
        let open = counters.open.subtract(1, ordering: .relaxed).newValue
        if open == configuration.connectionsMax - 1 { for listener in allListeners { listener.resume() } }
    }

    var allConnections: [Connection] { connections.withLock { Array($0.values) } }

    /// Counters, each on its own; relaxed, as nothing is derived from them.
    final class Counters: Sendable {
        let open = Atomic<Int>(0)
        let accepted = Atomic<Int>(0)
        let requests = Atomic<Int>(0)
        let refused = Atomic<Int>(0)
        let received = Atomic<UInt64>(0)
        let sent = Atomic<UInt64>(0)
        let handshakes = Atomic<Int>(0)
        let handshakesFailed = Atomic<Int>(0)
    }
}

/// The certificate that new connections get.
final class CurrentCertificate: Sendable {
    private let context = Lock<TLSContext?>(nil)

    func load() -> TLSContext? { context.withLock { $0 } }
    func store(_ new: TLSContext?) { context.withLock { $0 = new } }
}
