import Threads

/// Ends one request before its time, from any thread. Its sender gets an error, as does the reader of its response.
public final class RequestCancellation: Sendable {
    private enum State {
        case open
        case attached(Transfer)
        case cancelled
    }

    private let state = Lock(State.open)

    public init() {}

    public func cancel() {
        let transfer = state.withLock { state -> Transfer? in
            defer { state = .cancelled }
            if case .attached(let transfer) = state { return transfer }
            return nil
        }
        transfer?.abandon()
    }

    /// False where it was cancelled already.
    func attach(_ transfer: Transfer) -> Bool {
        state.withLock { state in
            if case .cancelled = state { return false }
            state = .attached(transfer)
            return true
        }
    }
}
