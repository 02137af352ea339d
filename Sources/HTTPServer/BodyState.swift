import Threads

/// What is left of the current request's body.
enum BodyState {
    /// Read to its end, or there was none.
    case none
    /// Bytes still to come, at least 1.
    case length(UInt64)
    case chunked(ChunkedDecoder)
    /// Framing is lost; nothing more can be read from the connection.
    case broken

    init(_ framing: RequestHead.BodyFraming, limits: ChunkedDecoder.Limits) {
        switch framing {
        case .none: self = .none
        case .length(let length): self = .length(length)
        case .chunked: self = .chunked(ChunkedDecoder(limits: limits))
        }
    }

    var isFinished: Bool { if case .none = self { true } else { false } }
}

extension RequestHead.BodyFraming {
    /// As `RequestBody.length`.
    var length: UInt64? {
        switch self {
        case .none: 0
        case .length(let length): length
        case .chunked: nil
        }
    }
}

/// How long a peer may still keep a transfer waiting: the grace, less the time waited, plus what moved bytes earn at the
/// minimum rate, never more than the grace. Time that a handler takes is not counted.
struct RateBudget {
    private let grace_ms: UInt64
    private let rate: UInt64
    private var left_ms: UInt64

    init() { (grace_ms, rate, left_ms) = (0, 1, 0) }

    init(_ configuration: ServerConfiguration) {
        grace_ms = configuration.bodyRateGrace.millisecondsClamped
        rate = max(configuration.bodyRateMin, 1)
        left_ms = grace_ms
    }

    /// The moment to give up, in `Monotonic.milliseconds`.
    func limit(now: UInt64) -> UInt64 { now &+ left_ms }

    mutating func waited(_ time_ms: UInt64) { left_ms -= min(time_ms, left_ms) }

    mutating func moved(_ bytes: Int) {
        if left_ms == grace_ms { return }
        left_ms = min(grace_ms, left_ms &+ UInt64(clamping: bytes) &* 1000 / rate)
    }
}
