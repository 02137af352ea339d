import Threads

/// Bounds what all requests together may repeat, so that an engine in trouble is not asked several times as much: a repetition
/// costs ten, a success gives one back, and time gives a few.
final class RetryBudget: Sendable {
    private static let full = 1000
    private static let cost = 10
    private static let perSecond = 50
    private let state: Lock<State>
    private let now_ms: @Sendable () -> UInt64

    private struct State {
        var left = full
        var filled_ms: UInt64
    }

    init(now_ms: @escaping @Sendable () -> UInt64 = { Monotonic.milliseconds }) {
        self.now_ms = now_ms
        state = Lock(State(filled_ms: now_ms()))
    }

    /// False where nothing may be repeated now.
    func take() -> Bool {
        let now = now_ms()
        return state.withLock { state in
            let passed_ms = now > state.filled_ms ? now - state.filled_ms : 0
            state.left = min(Self.full, state.left + Int(clamping: min(passed_ms, 60_000)) * Self.perSecond / 1000)
            state.filled_ms = now
            guard state.left >= Self.cost else { return false }
            state.left -= Self.cost
            return true
        }
    }

    func succeed() { state.withLock { $0.left = min(Self.full, $0.left + 1) } }
}
