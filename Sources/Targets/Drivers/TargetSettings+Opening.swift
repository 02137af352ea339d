public import HTTPClient

extension TargetSettings {
    /// Makes what sends events there. Nothing is connected yet.
    public func open(secret: [UInt8], outbound: OutboundRules) throws(TargetFailure) -> any EventTarget {
        let text = String(decoding: secret, as: UTF8.self)
        switch place {
        case .webhook(let settings):
            do throws(HTTPClientError) {
                return try Webhook(settings, secret: secret, outbound: outbound)
            } catch {
                throw TargetFailure(error.description)
            }
        case .redis(let settings):
            return try Broker.start { () throws(TargetFailure) in try RedisConnection.open(settings, secret: text) }
        case .nats(let settings):
            return try Broker.start { () throws(TargetFailure) in try NATSConnection.open(settings, secret: text) }
        case .kafka(let settings):
            return try Broker.start { () throws(TargetFailure) in try KafkaConnection.open(settings, secret: text) }
        case .amqp(let settings):
            return try Broker.start { () throws(TargetFailure) in try AMQPConnection.open(settings, secret: text) }
        }
    }
}
