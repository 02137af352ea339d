internal import CLinux
import Glibc
import Synchronization
import Threads

/// One listening socket. Accepts while the server has room, and pauses above its limit.
// @unchecked: `token` is written once, before the listener is armed.
final class Listener: Pollable, @unchecked Sendable {
    let address: ListenAddress
    let isTLS: Bool
    private let descriptor: Int32
    private let core: ServerCore
    private var token = PollToken.none
    private let isPaused = Atomic<Bool>(false)
    private let isClosed = Lock(false)

    private static let acceptsPerTurn = 32

    init(core: ServerCore, descriptor: Int32, address: ListenAddress, isTLS: Bool) {
        self.core = core
        self.descriptor = descriptor
        self.address = address
        self.isTLS = isTLS
    }

    func open() {
        token = core.pool.register(self)
        _ = core.pool.watch(descriptor, for: .read, token: token, isNew: true)
    }

    /// The descriptor closes here; what runs in `descriptorIsReady` meanwhile holds the lock.
    func close() {
        isClosed.withLock { isClosed in
            if isClosed { return }
            isClosed = true
            core.pool.forget(token)
            Glibc.close(descriptor)
        }
        if case .unix(let path) = address { _ = unsafe unlink(path) }
    }

    func descriptorIsReady() {
        isClosed.withLock { isClosed in
            if isClosed { return }
            for _ in 0..<Self.acceptsPerTurn {
                if core.openConnections >= core.configuration.connectionsMax {
                    isPaused.store(true, ordering: .sequentiallyConsistent)
                    // A connection may have closed before it could see the pause.
                    if core.openConnections >= core.configuration.connectionsMax { return }
                    isPaused.store(false, ordering: .relaxed)
                }
                switch acceptOne() {
                case .accepted: continue
                case .nobody: return arm()
                case .outOfResources:
                    // Armed at once, the same client would be reported again without end; the next tick tries again.
                    isPaused.store(true, ordering: .sequentiallyConsistent)
                    return
                }
            }
            arm()
        }
    }

    /// Accepts again after a pause.
    func resume() {
        guard isPaused.exchange(false, ordering: .sequentiallyConsistent) else { return }
        isClosed.withLock { if !$0 { arm() } }
    }

    /// Where descriptors ran out, accepting starts anew at the next tick.
    func tick(now: UInt64) {
        if core.openConnections < core.configuration.connectionsMax { resume() }
    }

    private func arm() { _ = core.pool.watch(descriptor, for: .read, token: token) }

    private enum Accept { case accepted, nobody, outOfResources }

    private func acceptOne() -> Accept {
        var storage = sockaddr_storage()
        // SAFETY: the storage fits every address family.
        let accepted = unsafe clinux_accept(descriptor, &storage)
        guard accepted >= 0 else {
            switch errno {
            case EAGAIN: return .nobody
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfResources
            // The client is gone already, or a signal came: look for the next one.
            default: return .accepted
            }
        }
        if case .tcp = address { setOption(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        let (host, port) = SocketAddress.numeric(storage)
        let connection = Connection(
            core: core, descriptor: accepted,
            info: ConnectionInfo(peerAddress: host, peerPort: port, isTLS: isTLS))
        connection.open()
        return .accepted
    }
}

func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
}
