import Bytes
internal import CLinux
import Glibc
import Synchronization
import Threads

/// One client connection.
///
/// `word` says who owns it. Its task runs while bytes move (`running`) and parks it to wait: it stores `arming`, tells
/// epoll, and moves to `parked` or `idle` unless an event came in between (`notified`). From there whoever wins the
/// compare-exchange (an event, a deadline, a stop) resumes or closes. Only the owner closes the descriptor, and never
/// between arming and parked, so no call names a descriptor that was closed. An idle connection has no task.
// @unchecked: all `var`s belong to the owner; `word` hands them over with acquire and release.
final class Connection: Pollable, @unchecked Sendable {
    enum Word {
        static let running: UInt8 = 0
        static let arming: UInt8 = 1
        static let notified: UInt8 = 2
        /// A task waits in `waiter`.
        static let parked: UInt8 = 3
        /// No task waits; the next byte starts one.
        static let idle: UInt8 = 4
        static let closed: UInt8 = 5
    }

    enum Wake: Sendable { case ready, late, stopping }

    let core: ServerCore
    let descriptor: Int32
    let info: ConnectionInfo
    private let word = Atomic<UInt8>(Word.running)
    /// In `Monotonic.milliseconds`.
    private let deadline = Atomic<UInt64>(.max)
    private var token = PollToken.none
    private var isWatched = false
    private var waiter: Waiter<Wake>?

    /// Bytes received and not yet consumed; nil while there are none.
    var input: ByteBuffer?
    private var decoder: RequestDecoder
    /// Made when the first byte of a TLS connection comes.
    private(set) var tls: TLSSession?
    /// Of the current request.
    var body = BodyState.none
    var mustContinue = false
    var budget = RateBudget()
    var bytesReceived: UInt64 = 0
    var bytesSent: UInt64 = 0
    /// Counts requests; a body that outlives its request finds another number.
    let requestNumber = Atomic<Int>(0)
    /// Held by whoever moves body bytes, so that misuse from two tasks is an error and not a race.
    let isTransferring = Atomic<Bool>(false)

    init(core: ServerCore, descriptor: Int32, info: ConnectionInfo) {
        self.core = core
        self.descriptor = descriptor
        self.info = info
        decoder = RequestDecoder(limits: core.configuration.decoder)
    }

    var pool: Pool { core.pool }

    /// Registers the connection and parks it until its first byte comes.
    func open() {
        core.opened(self)
        token = pool.register(self)
        switch parkIdle(timeout: core.configuration.headerTimeout) {
        case .parked: break
        case .ready: pool.run { await self.run() }
        case .failed: finishClosing()
        }
    }

    // MARK: The loop

    /// From a readable byte until the connection lies idle or ends.
    private func run() async {
        if info.isTLS, tls == nil, await !handshake() { return finishClosing() }
        var hasEvent = true
        while true {
            switch await nextHead(tryReading: hasEvent) {
            case .head(let head):
                switch await exchange(head) {
                case .kept: break
                case .closing: return await close(lingering: true)
                case .cut: return reset()
                }
                // What the peer sent may lie decrypted in the session, where epoll does not see it.
                hasEvent = tls != nil
                if hasInput { await pool.yield() }
            case .failure(let error):
                await refuse(status: error.status, reason: error.reason)
                return await close(lingering: true)
            case .late:
                await refuse(status: 408, reason: "The request header did not come in time.")
                return await close(lingering: false)
            case .idle: return
            case .ended: return await close(lingering: false)
            }
        }
    }

    private func handshake() async -> Bool {
        guard let session = core.tls.load()?.session(on: descriptor) else { return false }
        tls = session
        let limit = Monotonic.milliseconds + core.configuration.headerTimeout.millisecondsClamped
        while true {
            let transfer = session.handshake()
            switch transfer {
            case .moved:
                core.counters.handshakes.add(1, ordering: .relaxed)
                return true
            case .mustWaitToRead, .mustWaitToWrite:
                if await wait(for: transfer.interest, until: limit) == .ready { continue }
            case .ended: break
            }
            core.counters.handshakesFailed.add(1, ordering: .relaxed)
            return false
        }
    }

    private enum NextHead {
        case head(RequestHead)
        case failure(DecodeError)
        case late
        /// Parked: another thread may own the connection already.
        case idle
        case ended
    }

    private var hasInput: Bool { input.map { !$0.isEmpty } ?? false }

    private func nextHead(tryReading: Bool) async -> NextHead {
        var mayRead = tryReading
        var headDeadline: UInt64?
        while true {
            if let input, !input.isEmpty {
                switch input.withBytes({ decoder.decode($0) }) {
                case .head(let head, let consumed):
                    input.consume(consumed)
                    bytesReceived = UInt64(consumed)
                    return .head(head)
                case .failure(let error): return .failure(error)
                case .needsMore: mayRead = true
                }
            } else if !mayRead {
                releaseInput()
                if core.isStopping.load(ordering: .relaxed) { return .ended }
                switch parkIdle(timeout: core.configuration.keepAliveTimeout) {
                case .parked: return .idle
                case .ready: break
                case .failed: return .ended
                }
            }
            mayRead = true
            let transfer = receive()
            switch transfer {
            case .moved: continue
            case .ended: return .ended
            case .mustWaitToRead, .mustWaitToWrite: break
            }
            guard hasInput || transfer.interest == .write else {
                mayRead = false
                continue
            }
            let limit = headDeadline ?? Monotonic.milliseconds + core.configuration.headerTimeout.millisecondsClamped
            headDeadline = limit
            switch await wait(for: transfer.interest, until: limit) {
            case .ready: break
            case .late: return hasInput ? .late : .ended
            case .stopping: return .ended
            }
        }
    }

    /// Serves one request.
    private func exchange(_ head: RequestHead) async -> Outcome {
        let number = requestNumber.add(1, ordering: .relaxed).newValue
        let start = Monotonic.nanoseconds
        body = BodyState(head.body, limits: core.configuration.chunked)
        mustContinue = head.expectsContinue
        budget = RateBudget(core.configuration)
        bytesSent = 0
        if !hasInput { releaseInput() }
        core.counters.requests.add(1, ordering: .relaxed)
        let received = Timestamp.now()
        let source: any BodySource = head.body == .none ? NoBody.shared : ConnectionBody(self, number: number)
        let request = Request(
            head: head, body: RequestBody(length: head.body.length, source: source), connection: info,
            received: received)
        let response = await core.handler(request)
        let outcome = await send(response, to: head, at: received)
        requestNumber.add(1, ordering: .relaxed)
        finished(head, status: response.status, start: start, isComplete: outcome != .cut, note: response.note)
        return outcome
    }

    private func finished(
        _ head: RequestHead?, status: Int, start: UInt64, isComplete: Bool, note: (any Sendable)?
    ) {
        core.counters.received.add(bytesReceived, ordering: .relaxed)
        core.counters.sent.add(bytesSent, ordering: .relaxed)
        guard let log = core.accessLog else { return }
        log(
            AccessRecord(
                head: head, status: status, bytesSent: bytesSent, bytesReceived: bytesReceived,
                duration: .nanoseconds(Int64(clamping: Monotonic.nanoseconds &- start)), connection: info,
                isComplete: isComplete, note: note))
    }

    /// Answers a request that no handler sees.
    private func refuse(status: Int, reason: String) async {
        core.counters.refused.add(1, ordering: .relaxed)
        let (contentType, bytes) = core.configuration.errorBody(status, reason)
        var headers = HeaderBlock()
        headers.add("Content-Type", contentType)
        bytesSent = 0
        bytesReceived = UInt64(input?.count ?? 0)
        budget = RateBudget(core.configuration)
        let start = Monotonic.nanoseconds
        var out = ResponseHead.encode(
            status: status, headers: headers, framing: .length(UInt64(bytes.count)), persistence: .close,
            date: core.date.text(.now()), room: bytes.count)
        out.append(contentsOf: bytes)
        let isComplete = (try? await sendAll(out)) != nil
        finished(nil, status: status, start: start, isComplete: isComplete, note: nil)
    }

    // MARK: Receiving

    /// Receives into `input`, which has room: it is never full where this is called.
    func receive() -> Transfer {
        let buffer = input ?? core.heads.take()
        input = buffer
        var transfer = Transfer.ended
        // SAFETY: the space is used within the call only.
        _ = unsafe buffer.fill { space in
            transfer = unsafe receive(into: space)
            if case .moved(let count) = transfer { return count }
            return 0
        }
        return transfer
    }

    /// Receives from the socket or through TLS.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Transfer {
        if let tls { return unsafe tls.receive(into: space) }
        return unsafe PlainTransport.receive(descriptor, into: space)
    }

    func releaseInput() {
        guard let buffer = input else { return }
        input = nil
        core.heads.give(buffer)
    }

    // MARK: Waiting

    /// Parks until the socket is ready. Arms epoll again each time: an event is reported once.
    func wait(for interest: Interest, until limit: UInt64) async -> Wake {
        if let input, input.isEmpty { releaseInput() }
        return await Waiter<Wake>.suspend { waiter in
            self.waiter = waiter
            let parking = park(for: interest, until: limit, as: Word.parked)
            if parking == .parked { return }
            self.waiter = nil
            waiter.resume(parking == .ready ? .ready : .stopping)
        }
    }

    /// Parks without a task.
    private func parkIdle(timeout: Duration) -> Parking {
        park(for: .read, until: Monotonic.milliseconds + timeout.millisecondsClamped, as: Word.idle)
    }

    private enum Parking {
        /// Another thread may own the connection already.
        case parked
        /// An event came meanwhile; the caller still owns the connection, as it does after `failed`.
        case ready
        case failed
    }

    private func park(for interest: Interest, until limit: UInt64, as parked: UInt8) -> Parking {
        deadline.store(limit, ordering: .relaxed)
        word.store(Word.arming, ordering: .releasing)
        let isNew = !isWatched
        isWatched = true
        guard pool.watch(descriptor, for: interest, token: token, isNew: isNew) else {
            word.store(Word.running, ordering: .relaxed)
            return .failed
        }
        guard exchange(Word.arming, parked) else {
            word.store(Word.running, ordering: .relaxed)
            return .ready
        }
        // A stop that looked before the word was set did not find this connection.
        if core.isStopping.load(ordering: .sequentiallyConsistent) { stop() }
        return .parked
    }

    private func exchange(_ old: UInt8, _ new: UInt8) -> Bool {
        word.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
    }

    // MARK: Waking

    func descriptorIsReady() {
        while true {
            switch word.load(ordering: .acquiring) {
            case Word.parked:
                if exchange(Word.parked, Word.running) { return resume(.ready, asTail: true) }
            case Word.idle:
                if exchange(Word.idle, Word.running) { return pool.immediate { await self.run() } }
            case Word.arming:
                if exchange(Word.arming, Word.notified) { return }
            default: return
            }
        }
    }

    /// A deadline that passed. The connection may have been parked anew since the look: a needless wake is harmless
    /// then, an early end would not be.
    func tick(now: UInt64) {
        guard deadline.load(ordering: .relaxed) <= now else { return }
        if exchange(Word.parked, Word.running) {
            resume(deadline.load(ordering: .relaxed) <= now ? .late : .ready, asTail: false)
        } else if exchange(Word.idle, Word.running) {
            if deadline.load(ordering: .relaxed) <= now { finishClosing() } else { pool.run { await self.run() } }
        }
    }

    /// Ends the connection where it is idle, and where it waits while the server aborts.
    func stop() {
        if exchange(Word.idle, Word.running) { return finishClosing() }
        if core.isAborting.load(ordering: .sequentiallyConsistent), exchange(Word.parked, Word.running) {
            resume(.stopping, asTail: false)
        }
    }

    private func resume(_ reason: Wake, asTail: Bool) {
        guard let waiter else { return }
        self.waiter = nil
        if asTail { pool.tail { waiter.resume(reason) } } else { waiter.resume(reason) }
    }

    // MARK: Closing

    /// Lingering: says that no more will come, then takes and drops what the peer still sends, for a while.
    private func close(lingering: Bool) async {
        releaseInput()
        tls?.sayFarewell()
        if lingering, shutdown(descriptor, Int32(SHUT_WR)) == 0 {
            let isStopping = core.isStopping.load(ordering: .relaxed)
            let patience =
                isStopping
                ? min(core.configuration.lingerTimeout, .milliseconds(200)) : core.configuration.lingerTimeout
            let limit = Monotonic.milliseconds + patience.millisecondsClamped
            while Monotonic.milliseconds < limit, !core.isAborting.load(ordering: .relaxed) {
                // Past TLS: what comes now is dropped, encrypted or not.
                let buffer = core.heads.take()
                var transfer = Transfer.ended
                _ = unsafe buffer.fill { space in
                    transfer = unsafe PlainTransport.receive(descriptor, into: space)
                    return 0
                }
                core.heads.give(buffer)
                switch transfer {
                case .moved: continue
                case .ended: return finishClosing()
                case .mustWaitToRead, .mustWaitToWrite: break
                }
                guard await wait(for: .read, until: limit) == .ready else { break }
            }
        }
        finishClosing()
    }

    /// Closes so that the peer sees an error: the end of a response that is cut must not look like its end.
    private func reset() {
        tls?.breakOff()
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        finishClosing()
    }

    /// Only the owner calls it, once.
    private func finishClosing() {
        word.store(Word.closed, ordering: .releasing)
        pool.forget(token)
        tls?.sayFarewell()
        tls = nil
        Glibc.close(descriptor)
        releaseInput()
        core.closed(self)
    }
}
