/// Sends events to Redis. A batch is one transaction: all of it is there, in its order, or nothing.
final class RedisConnection: BrokerConnection {
    private let client: RedisClient
    private let settings: RedisSettings

    private init(_ client: RedisClient, _ settings: RedisSettings) { (self.client, self.settings) = (client, settings) }

    static func open(_ settings: RedisSettings, secret: String) throws(TargetFailure) -> RedisConnection {
        let client = try RedisClient.open(
            settings.address, database: settings.database, user: settings.user, secret: secret,
            timeout_s: Broker.timeout_s)
        return RedisConnection(client, settings)
    }

    func send(_ messages: [TargetMessage]) -> Delivery {
        do throws(TargetFailure) {
            _ = try client.run([[Array("MULTI".utf8)]] + messages.map(command) + [[Array("EXEC".utf8)]])
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
}
