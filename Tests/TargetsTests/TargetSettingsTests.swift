import Hooks
import JSON
import Testing

@testable import Targets

@Suite struct TargetSettingsTests {
    private func read(_ kind: TargetName.Kind, _ text: String) throws -> TargetSettings {
        try TargetSettings(kind, reading: try #require(JSONValue(parsing: Array(text.utf8))), at: "target")
    }

    @Test func `each kind has its members and its defaults`() throws {
        guard case .webhook(let webhook) = try read(.webhook, #"{"url": "https://cms.example/x"}"#).place,
            case .redis(let redis) = try read(.redis, #"{"url": "redis://[::1]/3", "key": "k"}"#).place,
            case .nats(let nats) = try read(.nats, #"{"url": "nats://n:99", "subject": "a.b"}"#).place,
            case .kafka(let kafka) = try read(.kafka, #"{"url": "kafka://a,b:99", "topic": "t"}"#).place,
            case .amqp(let amqp) = try read(.amqp, #"{"url": "amqp://r/a%2Fb", "routing_key": "q"}"#).place
        else {
            Issue.record("another kind")
            return
        }
        #expect(webhook.timeout == .seconds(15) && webhook.concurrency == 8)
        #expect(redis.address.bareHost == "::1" && redis.address.port == 6379 && redis.database == 3)
        #expect(redis.mode == .list && nats.address.text == "n:99" && !nats.isJetStream)
        #expect(kafka.brokers.map(\.text) == ["a:9092", "b:99"])
        #expect(amqp.virtualHost == "a/b" && amqp.exchange.isEmpty && amqp.address.port == 5672)
        #expect(try read(.webhook, #"{"url": "https://a/", "retention": "1h"}"#).retention == .seconds(3600))
    }

    @Test(
        arguments: [
            (.webhook, "{}", "target.url: wanted an http"),
            (.webhook, #"{"url": "ftp://x/"}"#, #"target.url is "ftp://x/": wanted an http"#),
            (.webhook, #"{"url": "https://u:p@x/"}"#, "target.url: wanted an http"),
            (.webhook, #"{"url": "https://x/", "timeout": "1h"}"#, #"target.timeout is "1h""#),
            (.webhook, #"{"url": "https://x/", "concurrency": 0}"#, #"target.concurrency is "0""#),
            (.webhook, #"{"url": "https://x/", "key": "k"}"#, "target.key: wanted no such member"),
            (.webhook, #"{"url": "https://x/", "secret": 5}"#, "target.secret: wanted a text"),
            (.webhook, #"{"url": "https://x/", "retention": "0s"}"#, #"target.retention is "0s""#),
            (.redis, #"{"url": "redis://x"}"#, "target.key: wanted the key"),
            (.redis, #"{"url": "redis://:pass@x", "key": "k"}"#, "target.url: wanted an address"),
            (.redis, #"{"url": "redis://x/one", "key": "k"}"#, #"target.url is "redis://x/one""#),
            (.redis, #"{"url": "redis://x:0", "key": "k"}"#, #"target.url is "redis://x:0""#),
            (.redis, #"{"url": "redis://x", "key": "k", "mode": "set"}"#, #"target.mode is "set": wanted list"#),
            (.nats, #"{"url": "nats://x", "subject": "a.*"}"#, #"target.subject is "a.*""#),
            (.nats, #"{"url": "nats://x", "subject": "a..b"}"#, #"target.subject is "a..b""#),
            (.nats, #"{"url": "nats://x/y", "subject": "a"}"#, "target.url is"),
            (.kafka, #"{"url": "kafka://a,", "topic": "t"}"#, #"target.url is "kafka://a,""#),
            (.kafka, #"{"url": "kafka://a", "topic": "a b"}"#, #"target.topic is "a b""#),
            (.amqp, #"{"url": "amqps://x", "routing_key": "q"}"#, #"target.url is "amqps://x""#),
            (.amqp, #"{"url": "amqp://x"}"#, "target.routing_key: wanted a routing key"),
        ] as [(TargetName.Kind, String, String)])
    func `what cannot be used is refused with its path, and no password is repeated`(
        kind: TargetName.Kind, text: String, reason: String
    ) throws {
        let fault = #expect(throws: JSONFault.self) { try read(kind, text) }
        #expect(fault.map { "\($0)".hasPrefix(reason) } == true, "\(String(describing: fault))")
    }
}
