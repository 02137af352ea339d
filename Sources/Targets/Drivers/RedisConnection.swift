import CHiredis
import Glibc

/// A connection to Redis by hiredis. A batch is one transaction: all of it is there, in its order, or nothing.
@safe final class RedisConnection: BrokerConnection {
    private let context: UnsafeMutablePointer<redisContext>
    private let settings: RedisSettings

    private init(_ context: UnsafeMutablePointer<redisContext>, _ settings: RedisSettings) {
        unsafe self.context = context
        self.settings = settings
    }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe redisFree(context)
    }

    static func open(_ settings: RedisSettings, secret: String) throws(TargetFailure) -> RedisConnection {
        let timeout = timeval(tv_sec: Broker.timeout_s, tv_usec: 0)
        let found = unsafe redisConnectWithTimeout(settings.address.bareHost, Int32(settings.address.port), timeout)
        guard let context = unsafe found else { throw TargetFailure("no memory for a connection") }
        let connection = unsafe RedisConnection(context, settings)
        guard connection.isWhole else { throw connection.failure() }
        guard unsafe redisSetTimeout(context, timeout) == REDIS_OK else { throw connection.failure() }
        _ = unsafe redisEnableKeepAlive(context)
        var greetings: [[String]] = []
        if let user = settings.user {
            greetings.append(["AUTH", user, secret])
        } else if !secret.isEmpty {
            greetings.append(["AUTH", secret])
        }
        if settings.database > 0 { greetings.append(["SELECT", "\(settings.database)"]) }
        for greeting in greetings {
            try connection.append(greeting.map { Array($0.utf8) })
            try connection.takeReply()
        }
        return connection
    }

    func send(_ messages: [TargetMessage]) -> Delivery {
        do throws(TargetFailure) {
            try append([Array("MULTI".utf8)])
            for message in messages { try append(command(for: message)) }
            try append([Array("EXEC".utf8)])
            for _ in 0...messages.count { try takeReply() }
            try takeReply()
            return Delivery(acceptedCount: messages.count)
        } catch {
            return Delivery(acceptedCount: 0, failure: error)
        }
    }

    private func command(for message: TargetMessage) -> [[UInt8]] {
        let key = Array(settings.key.utf8)
        return switch settings.mode {
        case .list: [Array("RPUSH".utf8), key, message.body]
        case .stream:
            [
                Array("XADD".utf8), key, Array("*".utf8), Array("id".utf8), Array(message.id.utf8), Array("event".utf8),
                Array(message.event.utf8), Array("body".utf8), message.body,
            ]
        case .pubsub: [Array("PUBLISH".utf8), key, message.body]
        }
    }

    private func append(_ arguments: [[UInt8]]) throws(TargetFailure) {
        // One block of bytes holds all arguments.
        let bytes = Array(arguments.joined()) + [0]
        let lengths = arguments.map(\.count)
        // SAFETY: the pointers lie within `bytes`, as long as the lengths say, and are read within the call.
        let status = unsafe bytes.withUnsafeBufferPointer { lent -> Int32 in
            guard let base = lent.baseAddress else { return REDIS_ERR }
            return unsafe base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
                var place = 0
                var pointers: [UnsafePointer<CChar>?] = unsafe []
                for length in lengths {
                    unsafe pointers.append(start + place)
                    place += length
                }
                return unsafe redisAppendCommandArgv(context, Int32(lengths.count), &pointers, lengths)
            }
        }
        guard status == REDIS_OK else { throw failure() }
    }

    /// Throws what the server says is wrong with a command, and with those of a transaction.
    private func takeReply() throws(TargetFailure) {
        var found: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &found) == REDIS_OK, let found = unsafe found else { throw failure() }
        // SAFETY: the reply is this function's until it is freed; its texts are copied before.
        defer { unsafe freeReplyObject(found) }
        let reply = unsafe found.assumingMemoryBound(to: redisReply.self)
        if let text = unsafe Self.error(reply.pointee) { throw TargetFailure(text) }
        guard unsafe reply.pointee.type == REDIS_REPLY_ARRAY else { return }
        for index in 0..<Int(unsafe reply.pointee.elements) {
            guard let element = unsafe reply.pointee.element[index] else { continue }
            if let text = unsafe Self.error(element.pointee) { throw TargetFailure(text) }
        }
    }

    private static func error(_ reply: redisReply) -> String? {
        guard unsafe reply.type == REDIS_REPLY_ERROR, let text = unsafe reply.str else { return nil }
        return unsafe String(cString: text)
    }

    private var isWhole: Bool { unsafe context.pointee.err == 0 }

    private func failure() -> TargetFailure {
        let text = unsafe String(cString: chiredis_error(context))
        return TargetFailure(text.isEmpty ? "the connection failed" : text)
    }
}
