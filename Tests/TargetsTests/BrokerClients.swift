import CKafka
import CNATS
import CRabbitMQ
import TestSupport

/// A cluster of librdkafka's own, in this process, with one topic.
@safe final class KafkaCluster {
    struct Message {
        var key: String
        var body: [UInt8]
        var partition: Int32
    }

    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let topic: String
    private let partitions: Int32
    /// Host and port of its broker.
    let address: String

    init(topic: String, partitions: Int32) throws {
        unsafe client = try Self.client(RD_KAFKA_PRODUCER)
        guard let made = unsafe rd_kafka_mock_cluster_new(client, 1) else { throw TestSupportError("no cluster") }
        unsafe cluster = made
        (self.topic, self.partitions) = (topic, partitions)
        guard unsafe rd_kafka_mock_topic_create(cluster, topic, partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw TestSupportError("no topic")
        }
        address = unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        // SAFETY: owned by this object alone; the cluster goes before its client.
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
    }

    private static func client(_ kind: rd_kafka_type_t, brokers: String? = nil) throws -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 512)
        let settings = unsafe rd_kafka_conf_new()
        // SAFETY: the texts are copied; the client takes over the settings.
        if let brokers { unsafe rd_kafka_conf_set(settings, "bootstrap.servers", brokers, &text, text.count) }
        unsafe rd_kafka_conf_set(settings, "log_level", "0", &text, text.count)
        guard let client = unsafe rd_kafka_new(kind, settings, &text, text.count) else {
            throw TestSupportError("no client of Kafka")
        }
        return unsafe client
    }

    /// All messages of all partitions, those of each in their order. Waits until there are `count`.
    func read(_ count: Int) throws -> [Message] {
        let consumer = try unsafe Self.client(RD_KAFKA_CONSUMER, brokers: address)
        // SAFETY: the topic's handle goes before its client, and each message before the next.
        defer { unsafe rd_kafka_destroy(consumer) }
        let handle = unsafe rd_kafka_topic_new(consumer, topic, nil)
        defer { unsafe rd_kafka_topic_destroy(handle) }
        for partition in 0..<partitions { unsafe rd_kafka_consume_start(handle, partition, -2) }
        var found: [Message] = []
        let deadline = ContinuousClock.now + .seconds(60)
        while found.count < count, ContinuousClock.now < deadline {
            for partition in 0..<partitions {
                while let message = unsafe rd_kafka_consume(handle, partition, 50) {
                    defer { unsafe rd_kafka_message_destroy(message) }
                    guard unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { break }
                    let key = unsafe UnsafeRawBufferPointer(start: message.pointee.key, count: message.pointee.key_len)
                    let body = unsafe UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
                    found.append(
                        unsafe Message(
                            key: String(decoding: key, as: UTF8.self), body: Array(body), partition: partition))
                }
            }
        }
        for partition in 0..<partitions { unsafe rd_kafka_consume_stop(handle, partition) }
        return found
    }
}

/// Reads what NATS gives to those who listen, and what a stream keeps.
@safe final class NATSSubscriber {
    private let connection: OpaquePointer
    private let subscription: OpaquePointer
    private let streams: OpaquePointer

    init(port: UInt16, token: String, subject: String) throws {
        var (options, made, subscribed, context): (OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?) =
            (nil, nil, nil, nil)
        // SAFETY: each call copies the texts that it is given.
        try Self.check(unsafe natsOptions_Create(&options))
        try Self.check(unsafe natsOptions_SetURL(options, "nats://127.0.0.1:\(port)"))
        try Self.check(unsafe natsOptions_SetToken(options, token))
        try Self.check(unsafe natsConnection_Connect(&made, options))
        unsafe natsOptions_Destroy(options)
        try Self.check(unsafe natsConnection_SubscribeSync(&subscribed, made, subject))
        try Self.check(unsafe natsConnection_FlushTimeout(made, 10_000))
        try Self.check(unsafe natsConnection_JetStream(&context, made, nil))
        guard let made = unsafe made, let subscribed = unsafe subscribed, let context = unsafe context else {
            throw TestSupportError("no connection to NATS")
        }
        unsafe (connection, subscription, streams) = (made, subscribed, context)
    }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe natsSubscription_Destroy(subscription)
        unsafe jsCtx_Destroy(streams)
        unsafe natsConnection_Destroy(connection)
    }

    func next(_ count: Int) throws -> [[UInt8]] { try unsafe Self.read(subscription, count) }

    func addStream(_ name: String, subject: String) throws {
        var settings = unsafe jsStreamConfig()
        unsafe jsStreamConfig_Init(&settings)
        // SAFETY: the texts are lent for the call.
        let status = unsafe name.withCString { name in
            unsafe subject.withCString { subject in
                var subjects: [UnsafePointer<CChar>?] = unsafe [subject]
                return unsafe subjects.withUnsafeMutableBufferPointer { list in
                    unsafe settings.Name = name
                    unsafe settings.Subjects = list.baseAddress
                    unsafe settings.SubjectsLen = 1
                    return unsafe js_AddStream(nil, streams, &settings, nil, nil)
                }
            }
        }
        try Self.check(status)
    }

    func stored(_ stream: String, subject: String, count: Int) throws -> [[UInt8]] {
        var reader: OpaquePointer?
        try Self.check(unsafe js_SubscribeSync(&reader, streams, subject, nil, nil, nil))
        defer { unsafe natsSubscription_Destroy(reader) }
        guard let reader = unsafe reader else { throw TestSupportError("no subscription") }
        return try unsafe Self.read(reader, count)
    }

    func storedCount(_ stream: String) throws -> UInt64 {
        var info: UnsafeMutablePointer<jsStreamInfo>?
        try Self.check(unsafe js_GetStreamInfo(&info, streams, stream, nil, nil))
        defer { unsafe jsStreamInfo_Destroy(info) }
        return unsafe info?.pointee.State.Msgs ?? 0
    }

    private static func read(_ subscription: OpaquePointer, _ count: Int) throws -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        while bodies.count < count {
            var message: OpaquePointer?
            try check(unsafe natsSubscription_NextMsg(&message, subscription, 30_000))
            // SAFETY: copied before the message goes.
            defer { unsafe natsMsg_Destroy(message) }
            bodies.append(
                unsafe Array(
                    UnsafeRawBufferPointer(start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message))))
            )
        }
        return bodies
    }

    private static func check(_ status: natsStatus) throws {
        guard status == NATS_OK else {
            throw TestSupportError("NATS: \(unsafe String(cString: natsStatus_GetText(status)))")
        }
    }
}

/// Takes messages out of a queue of RabbitMQ, which it declares.
@safe final class AMQPConsumer {
    private let connection: OpaquePointer
    private let queue: String

    init(port: UInt16, queue: String) throws {
        guard let made = unsafe amqp_new_connection() else { throw TestSupportError("no connection") }
        unsafe connection = made
        self.queue = queue
        var text = [CChar](repeating: 0, count: 256)
        // SAFETY: the texts are lent for the call.
        guard unsafe camqp_open(made, "127.0.0.1", Int32(port), "/", "guest", "guest", 30, &text, text.count) else {
            throw TestSupportError("AMQP: no connection")
        }
        let isDeclared = unsafe queue.withCString { name in
            unsafe amqp_queue_declare(made, 1, amqp_cstring_bytes(name), 0, 1, 0, 0, amqp_empty_table) != nil
        }
        guard isDeclared else { throw TestSupportError("AMQP: no queue") }
    }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe amqp_destroy_connection(connection)
    }

    func take(_ count: Int) throws -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        let deadline = ContinuousClock.now + .seconds(60)
        while bodies.count < count, ContinuousClock.now < deadline {
            // SAFETY: the text is lent for the call; the body is copied before the message goes.
            let isThere = unsafe queue.withCString { name in
                let reply = unsafe amqp_basic_get(connection, 1, amqp_cstring_bytes(name), 1)
                return unsafe reply.reply_type == AMQP_RESPONSE_NORMAL
                    && reply.reply.id == UInt32(bitPattern: 0x003C_0047)
            }
            guard isThere else { continue }
            var message = unsafe amqp_message_t()
            guard unsafe amqp_read_message(connection, 1, &message, 0).reply_type == AMQP_RESPONSE_NORMAL else {
                throw TestSupportError("AMQP: a message cannot be read")
            }
            bodies.append(unsafe Array(UnsafeRawBufferPointer(start: message.body.bytes, count: message.body.len)))
            unsafe amqp_destroy_message(&message)
        }
        return bodies
    }
}
