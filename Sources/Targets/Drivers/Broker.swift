import Glibc
import Threads

/// A connection to a broker, by a library that blocks. For one thread.
protocol BrokerConnection: AnyObject {
    /// As `EventTarget.send`. After a failure the connection is not used any more.
    func send(_ messages: [TargetMessage]) -> Delivery
}

/// Sends events by a connection that a thread of its own keeps, since the libraries of brokers block. It is opened when there is something
/// to send, and anew after a failure.
public final class Broker: EventTarget {
    public let isOrdered = true
    public let concurrency = 1
    public let batchMax = 100
    /// Of a connection, and of what is awaited on it, in seconds.
    static let timeout_s = 15

    typealias Opening = @Sendable () throws(TargetFailure) -> any BrokerConnection

    private struct Work {
        var messages: [TargetMessage]
        var waiter: Waiter<Delivery>
    }

    private struct State {
        /// What the thread is to take.
        var waiting: Work?
        /// Who waits for what the thread does now.
        var running: Waiter<Delivery>?
        var isClosed = false
    }

    private let state = Lock(State())
    /// Counts what the thread is to look at.
    private let signal: Signal
    private let open: Opening

    private init(signal: Signal, _ open: @escaping Opening) { (self.signal, self.open) = (signal, open) }

    static func start(_ open: @escaping Opening) throws(TargetFailure) -> Broker {
        let broker = Broker(signal: Signal(), open)
        // SAFETY: the new thread takes over the reference that is passed to it.
        let own = unsafe Unmanaged.passRetained(broker)
        var thread = pthread_t()
        let error = unsafe pthread_create(&thread, nil, brokerThread, own.toOpaque())
        guard error == 0 else {
            unsafe own.release()
            throw TargetFailure("no thread could be started: errno \(error)")
        }
        pthread_detach(thread)
        return broker
    }

    private static let closed = Delivery(acceptedCount: 0, failure: TargetFailure("the target was closed"))

    public func send(_ messages: [TargetMessage]) async -> Delivery {
        await Waiter<Delivery>.suspend { waiter in
            let isTaken = state.withLock { state in
                if state.isClosed || state.waiting != nil || state.running != nil { return false }
                state.waiting = Work(messages: messages, waiter: waiter)
                return true
            }
            if isTaken { signal.raise() } else { waiter.resume(Self.closed) }
        }
    }

    public func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { (state.waiting, state.running) = (nil, nil) }
            return [state.waiting?.waiter, state.running].compactMap { $0 }
        }
        signal.raise()
        for waiter in waiters { waiter.resume(Self.closed) }
    }

    fileprivate func run() {
        // Some of the libraries write to sockets without MSG_NOSIGNAL. Threads that they start inherit this.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        var connection: (any BrokerConnection)?
        while true {
            signal.wait()
            let (messages, isClosed) = state.withLock { state -> ([TargetMessage]?, Bool) in
                guard let work = state.waiting else { return (nil, state.isClosed) }
                (state.waiting, state.running) = (nil, work.waiter)
                return (work.messages, false)
            }
            if isClosed { return }
            guard let messages else { continue }
            let delivery = Self.deliver(messages, by: &connection, open)
            let waiter = state.withLock { $0.running.take() }
            waiter?.resume(delivery)
        }
    }

    private static func deliver(
        _ messages: [TargetMessage], by connection: inout (any BrokerConnection)?, _ open: Opening
    ) -> Delivery {
        let isKept = connection != nil
        for isAgain in [false, true] {
            do throws(TargetFailure) {
                let present = if let connection { connection } else { try open() }
                connection = present
                let delivery = present.send(messages)
                if delivery.failure == nil { return delivery }
                connection = nil
                // A kept connection may have been closed by the broker, which is no trouble of it.
                if isAgain || !isKept || delivery.acceptedCount > 0 { return delivery }
            } catch {
                connection = nil
                return Delivery(acceptedCount: 0, failure: error)
            }
        }
        return Delivery(acceptedCount: 0)
    }
}

private func brokerThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    // SAFETY: `start` passed a retained broker.
    let broker = unsafe Unmanaged<Broker>.fromOpaque(argument).takeRetainedValue()
    broker.run()
    return nil
}

/// A semaphore.
// @unchecked: the kernel's semaphore is made for several threads.
@safe private final class Signal: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        // SAFETY: initialised before use, destroyed and freed in deinit only.
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        // SAFETY: nobody refers to it any more, so nobody waits.
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func raise() { unsafe sem_post(semaphore) }
    func wait() { while unsafe sem_wait(semaphore) != 0 {} }
}
