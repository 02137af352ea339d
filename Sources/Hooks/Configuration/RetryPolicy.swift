public import JSON

/// How often a step is tried, and how long it waits between.
public struct RetryPolicy: Sendable, Equatable {
    public enum Backoff: String, Sendable, CaseIterable {
        /// Always `base`.
        case constant
        /// `base`, twice `base`, three times `base` ...
        case linear
        /// `base`, doubled each time.
        case exponential
    }

    /// Tries in all, 1...100.
    public var attempts = 15
    public var backoff = Backoff.exponential
    /// The first wait.
    public var base = Duration.seconds(5)
    /// No wait is longer, but for what `Retry-After` asks.
    public var max = Duration.seconds(3600)
    /// Waits vary by this part of themselves in either direction, 0...1, so that what failed together does not come back together.
    public var jitter = 0.2

    /// The longest wait that the other side can ask for.
    public static let askedMax = Duration.seconds(24 * 3600)

    public init() {}

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(value, of: ["attempts", "backoff"], at: path)
        if let count = try members.integer("attempts", in: 1...100) { attempts = Int(count) }
        guard let value = members["backoff"] else { return }
        let inner = try JSONMembers(
            value, of: ["kind", "base", "max", "jitter"], at: members.path(of: "backoff"))
        backoff = try inner.choice("kind", Backoff.self) ?? backoff
        base = try inner.duration("base", in: .milliseconds(1)...(.seconds(86_400))) ?? base
        max = try inner.duration("max", in: .milliseconds(1)...(.seconds(7 * 86_400))) ?? Swift.max(max, base)
        guard max >= base else { throw inner.fault("max", wanted: "a duration not below base") }
        // A wait that is given exactly is kept exactly.
        jitter = try inner.number("jitter", in: 0...1) ?? (backoff == .exponential ? jitter : 0)
    }

    /// The wait after the try of number `attempt`, 1 for the first; nil where that was the last. `random` is from 0 up to 1.
    public func wait(after attempt: Int, random: Double) -> Duration? {
        guard attempt >= 1, attempt < attempts else { return nil }
        let whole: Duration
        switch backoff {
        case .constant: whole = base
        case .linear: whole = attempt < 1_000 ? base * attempt : max
        // Beyond 2^30 any base is above any maximum.
        case .exponential: whole = attempt <= 30 ? base * (1 << (attempt - 1)) : max
        }
        return min(whole, max) * (1 + jitter * (2 * random - 1))
    }
}
