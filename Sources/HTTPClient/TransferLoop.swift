import CCurl
import Glibc
import Threads

/// The thread that moves the bytes of all transfers of a session, and the only one that touches their handles once they have
/// begun. Other threads hand it commands.
// @unchecked: the multi handle is touched by its thread alone, but for the wake-up, which libcurl allows from any; `state`
// makes sure that none comes after the handle is gone.
@safe final class TransferLoop: @unchecked Sendable {
    enum Command: Sendable {
        case start(Transfer)
        /// The reader has room again.
        case resume(Transfer)
        case cancel(Transfer)
    }

    private struct State {
        var commands: [Command] = []
        var isStopping = false
        /// The multi handle is no more.
        var isOver = false
    }

    private let multi: UnsafeMutableRawPointer
    private let state = Lock(State())
    /// By the address of their handles. Touched by the thread only.
    private var running: [UInt: Transfer] = [:]
    /// How long the thread sleeps at most where nothing happens; libcurl's own timers end it sooner.
    private static let sleep_ms: Int32 = 10_000

    private init(multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

    static func start(connectionsMax: Int) throws(HTTPClientError) -> TransferLoop {
        guard EasyHandle.started, let multi = unsafe curl_multi_init() else {
            throw .failed(code: CURLE_FAILED_INIT.rawValue, "libcurl did not start")
        }
        // SAFETY: plain numbers for a handle that nobody else knows yet.
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsMax)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connectionsMax)
        let loop = unsafe TransferLoop(multi: multi)
        // SAFETY: the new thread takes over the reference that is passed to it.
        let own = unsafe Unmanaged.passRetained(loop)
        var thread = pthread_t()
        let error = unsafe pthread_create(&thread, nil, transferThread, own.toOpaque())
        guard error == 0 else {
            unsafe own.release()
            unsafe curl_multi_cleanup(multi)
            throw .failed(code: CURLE_FAILED_INIT.rawValue, "no thread: errno \(error)")
        }
        pthread_detach(thread)
        return loop
    }

    /// False where the session is closed; the command is dropped then.
    @discardableResult
    func take(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.commands.append(command)
            // Under the lock, since the handle must not go in between.
            if state.commands.count == 1 { unsafe curl_multi_wakeup(multi) }
            return true
        }
    }

    func stop() {
        state.withLock { state in
            guard !state.isStopping, !state.isOver else { return }
            state.isStopping = true
            unsafe curl_multi_wakeup(multi)
        }
    }

    fileprivate func run() {
        // OpenSSL writes to sockets without MSG_NOSIGNAL.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        while true {
            let (commands, isStopping) = state.withLock { state in
                defer { state.commands.removeAll(keepingCapacity: true) }
                return (state.commands, state.isStopping)
            }
            for command in commands { perform(command) }
            if isStopping { return end() }
            var count: Int32 = 0
            // SAFETY: the handle is this thread's; `count` is lent for the call.
            unsafe curl_multi_perform(multi, &count)
            takeEnded()
            unsafe curl_multi_poll(multi, nil, 0, Self.sleep_ms, nil)
        }
    }

    private func perform(_ command: Command) {
        switch command {
        case .start(let transfer):
            // SAFETY: the handle belongs to `transfer`, which `running` keeps until it is taken off.
            let code = unsafe curl_multi_add_handle(multi, transfer.handle.pointer)
            guard code == CURLM_OK else { return transfer.end(CURLE_FAILED_INIT) }
            running[key(transfer)] = transfer
        case .resume(let transfer):
            guard running[key(transfer)] === transfer else { return }
            // SAFETY: as above. What libcurl kept back is handed over within the call.
            unsafe curl_easy_pause(transfer.handle.pointer, CURLPAUSE_CONT)
        case .cancel(let transfer):
            guard running[key(transfer)] === transfer else { return }
            takeOff(transfer)
            transfer.end(CURLE_ABORTED_BY_CALLBACK)
        }
    }

    private func takeEnded() {
        var code = CURLE_OK
        // SAFETY: `code` is lent for the call; the handle returned is one that `running` keeps.
        while let handle = unsafe ccurl_multi_ended(multi, &code) {
            guard let transfer = running[UInt(bitPattern: handle)] else { continue }
            takeOff(transfer)
            transfer.end(code)
        }
    }

    private func takeOff(_ transfer: Transfer) {
        // SAFETY: the handle was added by this thread and is removed once.
        unsafe curl_multi_remove_handle(multi, transfer.handle.pointer)
        running[key(transfer)] = nil
    }

    private func key(_ transfer: Transfer) -> UInt { unsafe UInt(bitPattern: transfer.handle.pointer) }

    private func end() {
        let left = state.withLock { state in
            state.isOver = true
            defer { state.commands = [] }
            return state.commands
        }
        for case .start(let transfer) in left { transfer.end(nil) }
        for transfer in running.values {
            takeOff(transfer)
            transfer.end(nil)
        }
        // SAFETY: every handle was taken off, and nobody wakes the loop any more.
        unsafe curl_multi_cleanup(multi)
    }
}

private func transferThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    // SAFETY: `start` passed a retained loop.
    let loop = unsafe Unmanaged<TransferLoop>.fromOpaque(argument).takeRetainedValue()
    loop.run()
    return nil
}
