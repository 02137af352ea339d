import Bytes
import Threads

/// Access tokens, until shortly before they end. Safe for concurrent use.
final class TokenCache: Sendable {
    private struct Entry {
        var token: String
        var until: ContinuousClock.Instant
    }

    private let entries = Lock<[[UInt8]: Entry]>([:])
    private static let countMax = 100
    /// A token that ends sooner is fetched anew.
    private static let margin = Duration.seconds(60)

    func token(_ key: [UInt8]) -> String? {
        entries.withLock { entries in
            guard let entry = entries[key], entry.until > .now else { return nil }
            return entry.token
        }
    }

    /// One that lives shorter than the margin is not kept.
    func keep(_ token: String, for lifetime: Duration, under key: [UInt8]) {
        guard lifetime > Self.margin else { return }
        entries.withLock { entries in
            if entries.count >= Self.countMax { entries = [:] }
            entries[key] = Entry(token: token, until: .now + lifetime - Self.margin)
        }
    }

    /// Unless another came meanwhile.
    func forget(_ token: String, under key: [UInt8]) {
        entries.withLock { entries in if entries[key]?.token == token { entries[key] = nil } }
    }
}
