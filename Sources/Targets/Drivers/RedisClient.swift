import CHiredis
import Glibc

/// An answer of Redis, or what stands in a list of it; lists within lists are not looked into.
enum RedisReply {
    case nothing
    case integer(Int64)
    case bytes([UInt8])
    case list([RedisReply])
    /// What is wrong with the command.
    case error(String)
}

/// Commands to Redis, by hiredis, which blocks. For one thread at a time. After a failure of the connection it is not used any more.
@safe final class RedisClient {
    private let context: UnsafeMutablePointer<redisContext>

    private init(_ context: UnsafeMutablePointer<redisContext>) { unsafe self.context = context }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe redisFree(context)
    }

    /// `timeout_s` is of the connection, and of each wait on it.
    static func open(
        _ address: BrokerAddress, database: Int, user: String?, secret: String, timeout_s: Int
    ) throws(TargetFailure) -> RedisClient {
        let timeout = timeval(tv_sec: timeout_s, tv_usec: 0)
        let found = unsafe redisConnectWithTimeout(address.bareHost, Int32(address.port), timeout)
        guard let context = unsafe found else { throw TargetFailure("no memory for a connection") }
        let client = unsafe RedisClient(context)
        guard unsafe context.pointee.err == 0 else { throw client.failure() }
        guard unsafe redisSetTimeout(context, timeout) == REDIS_OK else { throw client.failure() }
        _ = unsafe redisEnableKeepAlive(context)
        var greetings: [[String]] = []
        if let user {
            greetings.append(["AUTH", user, secret])
        } else if !secret.isEmpty {
            greetings.append(["AUTH", secret])
        }
        if database > 0 { greetings.append(["SELECT", "\(database)"]) }
        for greeting in greetings { _ = try client.run([greeting.map { Array($0.utf8) }]) }
        return client
    }

    /// Sends the commands together, and returns their answers. Throws what the server says is wrong with one of them, or with one of a
    /// transaction.
    func run(_ commands: [[[UInt8]]]) throws(TargetFailure) -> [RedisReply] {
        for command in commands { try append(command) }
        var replies: [RedisReply] = []
        for _ in commands {
            let reply = try take()
            if case .error(let text) = reply { throw TargetFailure(text) }
            if case .list(let parts) = reply {
                for case .error(let text) in parts { throw TargetFailure(text) }
            }
            replies.append(reply)
        }
        return replies
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

    private func take() throws(TargetFailure) -> RedisReply {
        var found: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &found) == REDIS_OK, let found = unsafe found else { throw failure() }
        // SAFETY: the reply is this function's until it is freed; what it holds is copied before.
        defer { unsafe freeReplyObject(found) }
        let reply = unsafe found.assumingMemoryBound(to: redisReply.self)
        guard unsafe reply.pointee.type == REDIS_REPLY_ARRAY else { return unsafe Self.plain(reply.pointee) }
        var parts: [RedisReply] = []
        for index in 0..<Int(unsafe reply.pointee.elements) {
            guard let element = unsafe reply.pointee.element[index] else { continue }
            parts.append(unsafe Self.plain(element.pointee))
        }
        return .list(parts)
    }

    private static func plain(_ reply: redisReply) -> RedisReply {
        switch unsafe reply.type {
        case REDIS_REPLY_INTEGER: return unsafe .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS, REDIS_REPLY_ERROR:
            // SAFETY: hiredis keeps `len` bytes there until the reply is freed.
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: reply.str, count: Int(reply.len)))
            if unsafe reply.type == REDIS_REPLY_ERROR { return .error(String(decoding: bytes, as: UTF8.self)) }
            return .bytes(bytes)
        default: return .nothing
        }
    }

    private func failure() -> TargetFailure {
        let text = unsafe String(cString: chiredis_error(context))
        return TargetFailure(text.isEmpty ? "the connection failed" : text)
    }
}
