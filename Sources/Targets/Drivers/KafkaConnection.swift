import CKafka
import Metadata

/// A producer of Kafka. A message is accepted when all replicas in sync have it; the object's key chooses its partition, so that the
/// events of one key stay in order.
@safe final class KafkaConnection: BrokerConnection {
    private let client: OpaquePointer
    private let topic: OpaquePointer
    /// What became of each message of a batch. They outlive the client, which writes there.
    private let slots: UnsafeMutablePointer<Int32>
    private static let slotCount = 100
    private static let timeout_ms = Int32(Broker.timeout_s) * 1000

    private init(client: OpaquePointer, topic: OpaquePointer) {
        unsafe (self.client, self.topic) = (client, topic)
        unsafe slots = .allocate(capacity: Self.slotCount)
        unsafe slots.initialize(repeating: 0, count: Self.slotCount)
    }

    deinit {
        // SAFETY: owned by this object alone. Messages that wait still are dropped, so that the end of the client waits for none.
        unsafe rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        unsafe rd_kafka_topic_destroy(topic)
        unsafe rd_kafka_destroy(client)
        unsafe slots.deallocate()
    }

    static func open(_ settings: KafkaSettings, secret: String) throws(TargetFailure) -> KafkaConnection {
        let room = 512
        var text = [CChar](repeating: 0, count: room)
        guard let configuration = unsafe rd_kafka_conf_new() else { throw TargetFailure("no memory for a client") }
        var values = [
            ("bootstrap.servers", settings.brokers.map(\.text).joined(separator: ",")), ("client.id", "ObjectGateway"),
            ("acks", "all"), ("enable.idempotence", "true"), ("linger.ms", "2"),
            ("message.timeout.ms", "\(timeout_ms)"), ("log_level", "0"),
        ]
        if let user = settings.user {
            values += [
                ("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN"), ("sasl.username", user),
                ("sasl.password", secret),
            ]
        }
        for (name, value) in values {
            // SAFETY: the texts are copied; `text` has the room that is said.
            guard unsafe rd_kafka_conf_set(configuration, name, value, &text, room) == RD_KAFKA_CONF_OK else {
                unsafe rd_kafka_conf_destroy(configuration)
                throw TargetFailure(string(text))
            }
        }
        unsafe ckafka_take_reports(configuration)
        // SAFETY: a client that is made owns its configuration from here on.
        guard let client = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, room) else {
            unsafe rd_kafka_conf_destroy(configuration)
            throw TargetFailure(string(text))
        }
        guard let topic = unsafe rd_kafka_topic_new(client, settings.topic, nil) else {
            unsafe rd_kafka_destroy(client)
            throw TargetFailure("the topic cannot be used")
        }
        return unsafe KafkaConnection(client: client, topic: topic)
    }

    func send(_ messages: [TargetMessage]) -> Delivery {
        let batch = messages.prefix(Self.slotCount)
        var sentCount = 0
        for message in batch {
            let key = message.key?.utf8 ?? []
            unsafe slots[sentCount] = ckafka_waiting
            // SAFETY: key and body are copied within the call; the slot lives as long as the client.
            let error = unsafe ckafka_send(
                topic, key, key.count, message.body, message.body.count, slots + sentCount)
            guard error == 0 else { return reports(sentCount, of: batch.count, failure: Self.failure(error)) }
            sentCount += 1
        }
        return reports(sentCount, of: batch.count, failure: nil)
    }

    /// Waits for the reports of those that were sent. Every one comes, within the time that a message has.
    private func reports(_ sentCount: Int, of count: Int, failure: TargetFailure?) -> Delivery {
        unsafe rd_kafka_flush(client, Self.timeout_ms + 5000)
        for index in 0..<sentCount {
            let report = unsafe slots[index]
            if report == 0 { continue }
            return Delivery(
                acceptedCount: index,
                failure: report == ckafka_waiting ? TargetFailure("no answer came in time") : Self.failure(report))
        }
        return Delivery(acceptedCount: sentCount, failure: failure)
    }

    private static func failure(_ error: Int32) -> TargetFailure {
        // SAFETY: a static text of the library.
        let text = unsafe ckafka_text(error).map { unsafe String(cString: $0) }
        return TargetFailure(text ?? "Kafka failed")
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
