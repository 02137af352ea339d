import CRabbitMQ

/// A connection to a broker of AMQP 0-9-1, which confirms each message once it is safe in a queue.
@safe final class AMQPConnection: BrokerConnection {
    private let connection: OpaquePointer
    private let settings: AMQPSettings
    /// Messages published on this connection; the broker counts them too.
    private var sentCount: UInt64 = 0
    private static let textRoom = 256

    private init(_ connection: OpaquePointer, _ settings: AMQPSettings) {
        unsafe (self.connection, self.settings) = (connection, settings)
    }

    deinit {
        // SAFETY: owned by this object alone. Without a farewell, for which a broker that is away would be awaited.
        unsafe amqp_destroy_connection(connection)
    }

    static func open(_ settings: AMQPSettings, secret: String) throws(TargetFailure) -> AMQPConnection {
        guard let pointer = unsafe amqp_new_connection() else { throw TargetFailure("no memory for a connection") }
        let connection = unsafe AMQPConnection(pointer, settings)
        var text = [CChar](repeating: 0, count: textRoom)
        // SAFETY: the texts are read within the call; `text` has the room that is said.
        let isOpen = unsafe camqp_open(
            pointer, settings.address.bareHost, Int32(settings.address.port), settings.virtualHost,
            settings.user ?? "guest", secret.isEmpty && settings.user == nil ? "guest" : secret, Broker.timeout_s,
            &text, textRoom)
        guard isOpen else { throw TargetFailure(Self.string(text)) }
        return connection
    }

    func send(_ messages: [TargetMessage]) -> Delivery {
        let first = sentCount
        for message in messages {
            // SAFETY: all is read within the call.
            let status = unsafe camqp_publish(
                connection, settings.exchange, settings.routingKey, message.id, message.body, message.body.count)
            guard status == AMQP_STATUS_OK.rawValue else {
                return Delivery(
                    acceptedCount: 0, failure: TargetFailure(unsafe String(cString: camqp_status_text(status))))
            }
            sentCount += 1
        }
        return confirmations(of: messages.count, after: first)
    }

    /// Those that are confirmed from the first on.
    private func confirmations(of count: Int, after first: UInt64) -> Delivery {
        var isConfirmed = [Bool](repeating: false, count: count)
        func prefix() -> Int { isConfirmed.prefix { $0 }.count }
        var text = [CChar](repeating: 0, count: Self.textRoom)
        while isConfirmed.contains(false) {
            var (tag, isMultiple) = (UInt64(0), false)
            // SAFETY: what is lent is filled within the call; `text` has the room that is said.
            let answer = unsafe camqp_next(
                connection, Broker.timeout_s, &tag, &isMultiple, &text, Self.textRoom)
            switch answer {
            case CAMQP_ACKNOWLEDGED:
                guard tag > first, let place = Int(exactly: tag - first), place <= count else { continue }
                for index in (isMultiple ? 0 : place - 1)..<place { isConfirmed[index] = true }
            case CAMQP_REFUSED:
                return Delivery(acceptedCount: prefix(), failure: TargetFailure("the broker refused a message"))
            case CAMQP_RETURNED:
                return Delivery(
                    acceptedCount: prefix(),
                    failure: TargetFailure("no queue takes messages of this exchange and routing key"))
            case CAMQP_FAILED:
                return Delivery(acceptedCount: prefix(), failure: TargetFailure(Self.string(text)))
            default: continue
            }
        }
        return Delivery(acceptedCount: count)
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
