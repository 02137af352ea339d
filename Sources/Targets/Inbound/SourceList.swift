import Bytes
import JSON

/// The lists of a source: the one that others fill at its end, `KEY:processing` with what was taken from it and is not in the store yet, and
/// `KEY:dead` with what can never be. A message is in one of them until its event is committed. Blocks; for one thread at a time.
final class SourceList {
    /// Of those set aside, the newest.
    static let deadMax = 1_000
    static let batchMax = 100

    private let client: RedisClient
    private let (key, processing, dead): ([UInt8], [UInt8], [UInt8])

    init(_ settings: SourceSettings, secret: String) throws(TargetFailure) {
        client = try RedisClient.open(
            settings.address, database: settings.database, user: settings.user, secret: secret, timeout_s: 5)
        key = Array(settings.key.utf8)
        processing = key + Array(":processing".utf8)
        dead = key + Array(":dead".utf8)
    }

    struct Counts {
        var waiting: Int64
        var dead: Int64
    }

    /// Those that wait are those under way, too.
    func counts() throws(TargetFailure) -> Counts {
        let replies = try client.run([key, processing, dead].map { [Array("LLEN".utf8), $0] })
        let numbers = replies.map { if case .integer(let number) = $0 { number } else { Int64(0) } }
        return Counts(waiting: numbers[0] &+ numbers[1], dead: numbers[2])
    }

    /// The next messages, in order: first those that somebody took before and did not end.
    func take() throws(TargetFailure) -> [[UInt8]] {
        let range = [Array("LRANGE".utf8), processing, Array("0".utf8), Array("\(Self.batchMax - 1)".utf8)]
        if let first = try client.run([range]).first, case .list(let parts) = first, !parts.isEmpty {
            return parts.compactMap(Self.bytes)
        }
        // Not sent before it is known how many there are: most looks find none.
        let count = Int(clamping: try counts().waiting)
        let move = [Array("LMOVE".utf8), key, processing, Array("LEFT".utf8), Array("RIGHT".utf8)]
        return try client.run(Array(repeating: move, count: min(count, Self.batchMax))).compactMap(Self.bytes)
    }

    private static func bytes(_ reply: RedisReply) -> [UInt8]? {
        if case .bytes(let bytes) = reply { bytes } else { nil }
    }

    /// Takes the messages off the list of those under way, and sets those aside that were refused, in one transaction. `reasons` has nil for
    /// each that was not refused.
    func end(_ messages: [[UInt8]], _ reasons: [String?]) throws(TargetFailure) {
        var commands: [[[UInt8]]] = [[Array("MULTI".utf8)]]
        for (message, reason) in zip(messages, reasons) {
            if let reason {
                let text = String(decoding: message.prefix(SourceEngine.messageBytesMax), as: UTF8.self)
                let entry: JSONValue = [
                    "reason": .string(reason), "message": .string(text),
                    "at": .string(String(ascii: DateFormats.iso8601(.now()))),
                ]
                commands.append([Array("RPUSH".utf8), dead, entry.text])
            }
            commands.append([Array("LREM".utf8), processing, Array("1".utf8), message])
        }
        commands.append([Array("LTRIM".utf8), dead, Array("-\(Self.deadMax)".utf8), Array("-1".utf8)])
        _ = try client.run(commands + [[Array("EXEC".utf8)]])
    }
}
