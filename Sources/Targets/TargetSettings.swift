import Bytes
public import Hooks
public import JSON

/// What is said of a target: where it is, and how it takes events. Its secret is kept apart.
public struct TargetSettings: Sendable, Equatable {
    public enum Place: Sendable, Equatable {
        case webhook(WebhookSettings)
        case redis(RedisSettings)
        case nats(NATSSettings)
        case kafka(KafkaSettings)
        case amqp(AMQPSettings)
    }

    public var place: Place
    /// Events that could not be delivered for so long are given up.
    public var retention = TargetSettings.retentionDefault
    static let retentionDefault = Duration.seconds(7 * 86_400)

    /// `value` is an object that may hold the secret too, which is not among these settings.
    public init(_ kind: TargetName.Kind, reading value: JSONValue, at path: String) throws(JSONFault) {
        let common = ["url", "secret", "retention"]
        let names: [String] =
            switch kind {
            case .webhook: ["timeout", "concurrency"]
            case .redis: ["user", "mode", "key"]
            case .nats: ["user", "subject", "jetstream"]
            case .kafka: ["user", "topic"]
            case .amqp: ["user", "exchange", "routing_key"]
            }
        let members = try JSONMembers(value, of: common + names, at: path, secrets: ["secret"])
        try SealedRegister.check(members)
        place =
            switch kind {
            case .webhook: .webhook(try WebhookSettings(members))
            case .redis: .redis(try RedisSettings(members))
            case .nats: .nats(try NATSSettings(members))
            case .kafka: .kafka(try KafkaSettings(members))
            case .amqp: .amqp(try AMQPSettings(members))
            }
        retention = try members.duration("retention", in: .seconds(1)...(.seconds(365 * 86_400))) ?? retention
    }

    static func isPrintable(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}

public struct WebhookSettings: Sendable, Equatable {
    public var url: String
    /// Of one call.
    public var timeout = Duration.seconds(15)
    /// Calls at once, of different keys.
    public var concurrency = 8

    init(_ members: JSONMembers) throws(JSONFault) {
        let wanted = "an http or https URL of at most 2048 characters, without user and password"
        url = try members.requiredText("url", wanted: wanted)
        guard ResourceAddress.isURL(url) else { throw members.secretFault("url", wanted: wanted) }
        timeout = try members.duration("timeout", in: .seconds(1)...(.seconds(120))) ?? timeout
        concurrency = try members.integer("concurrency", in: 1...64).map { Int($0) } ?? concurrency
    }
}

public struct RedisSettings: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// `RPUSH`.
        case list
        /// `XADD`.
        case stream
        /// `PUBLISH`.
        case pubsub
    }

    public var address: BrokerAddress
    public var user: String?
    public var database = 0
    public var mode = Mode.list
    /// Of the list or stream, or the name of the channel.
    public var key: String

    init(_ members: JSONMembers) throws(JSONFault) {
        address = try members.redisAddress()
        database = address.redisDatabase ?? 0
        user = try members.shortText("user", wanted: "the name of a user")
        mode = try members.choice("mode") ?? mode
        key = try members.requiredShortText("key", wanted: "the key of a list or stream, or the name of a channel")
    }
}

public struct NATSSettings: Sendable, Equatable {
    public var address: BrokerAddress
    public var user: String?
    public var subject: String
    /// Whether a stream has to confirm each message.
    public var isJetStream = false

    init(_ members: JSONMembers) throws(JSONFault) {
        address = try members.address(
            scheme: "nats", port: 4222, wanted: "an address such as nats://host:4222, without user and password")
        if !address.path.isEmpty {
            throw members.secretFault("url", wanted: "an address without a path, such as nats://host:4222")
        }
        user = try members.shortText("user", wanted: "the name of a user")
        let wanted = "a subject without wildcards and spaces, such as assets.events"
        subject = try members.requiredShortText("subject", wanted: wanted)
        let tokens = subject.utf8.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        guard tokens.allSatisfy({ !$0.isEmpty }), !subject.utf8.contains(where: { " *>".utf8.contains($0) }) else {
            throw members.fault("subject", wanted: wanted)
        }
        isJetStream = try members.flag("jetstream") ?? isJetStream
    }
}

public struct KafkaSettings: Sendable, Equatable {
    /// At least one.
    public var brokers: [BrokerAddress]
    /// Set where brokers ask for a name and a password (SASL PLAIN).
    public var user: String?
    public var topic: String

    init(_ members: JSONMembers) throws(JSONFault) {
        let wanted = "addresses such as kafka://one:9092,two:9092, without user and password"
        let text = try members.requiredText("url", wanted: wanted)
        brokers = []
        guard text.hasPrefix("kafka://"), text.utf8.count <= 2048 else {
            throw members.secretFault("url", wanted: wanted)
        }
        for part in text.dropFirst(8).split(separator: ",", omittingEmptySubsequences: false) {
            guard let address = BrokerAddress("kafka://\(part)", scheme: "kafka", port: 9092), address.path.isEmpty
            else { throw members.secretFault("url", wanted: wanted) }
            brokers.append(address)
        }
        user = try members.shortText("user", wanted: "the name of a user")
        let topicWanted = "a topic of 1 to 249 letters, digits, dots, - and _"
        topic = try members.requiredShortText("topic", wanted: topicWanted)
        let isName = topic.utf8.allSatisfy {
            Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.dot || $0 == Ascii.dash || $0 == Ascii.underscore
        }
        guard isName, topic.utf8.count <= 249, topic != ".", topic != ".." else {
            throw members.fault("topic", wanted: topicWanted)
        }
    }
}

public struct AMQPSettings: Sendable, Equatable {
    public var address: BrokerAddress
    public var user: String?
    public var virtualHost = "/"
    /// Empty for the default one, which knows queues by their names.
    public var exchange = ""
    public var routingKey: String

    init(_ members: JSONMembers) throws(JSONFault) {
        address = try members.address(
            scheme: "amqp", port: 5672, wanted: "an address such as amqp://host:5672/vhost, without user and password")
        if !address.path.isEmpty {
            guard let name = PercentEncoding.decode(Array(address.path.utf8)), !name.contains(0) else {
                throw members.secretFault("url", wanted: "a virtual host's name behind the slash, percent-encoded")
            }
            virtualHost = String(decoding: name, as: UTF8.self)
        }
        user = try members.shortText("user", wanted: "the name of a user")
        exchange = try members.shortText("exchange", wanted: "the name of an exchange") ?? exchange
        routingKey = try members.requiredShortText(
            "routing_key", wanted: "a routing key; the name of a queue where no exchange is named")
    }
}

extension JSONMembers {
    /// A text of 1 to 255 bytes without control characters.
    func shortText(_ name: String, wanted: String) throws(JSONFault) -> String? {
        guard let text = try text(name, wanted: wanted) else { return nil }
        guard (1...255).contains(text.utf8.count), TargetSettings.isPrintable(text) else {
            throw fault(name, wanted: wanted)
        }
        return text
    }

    func requiredShortText(_ name: String, wanted: String) throws(JSONFault) -> String {
        guard let text = try shortText(name, wanted: wanted) else { throw fault(name, wanted: wanted) }
        return text
    }

    /// Of a server and one of its databases.
    func redisAddress() throws(JSONFault) -> BrokerAddress {
        let wanted = "an address such as redis://host:6379/0, without user and password"
        let address = try address(scheme: "redis", port: 6379, wanted: wanted)
        guard address.redisDatabase != nil else { throw secretFault("url", wanted: wanted) }
        return address
    }

    fileprivate func address(scheme: String, port: UInt16, wanted: String) throws(JSONFault) -> BrokerAddress {
        let text = try requiredText("url", wanted: wanted)
        guard let address = BrokerAddress(text, scheme: scheme, port: port) else {
            throw secretFault("url", wanted: wanted)
        }
        return address
    }
}
