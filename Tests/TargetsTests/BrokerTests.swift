import Bytes
import Glibc
import HTTPClient
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import Targets

/// Events in real brokers, which the tests start.
@Suite struct BrokerTests {
    /// 30 events of three keys.
    private static func fill(_ scene: TargetScene, _ target: String) async throws {
        for index in 0..<30 { try await scene.put("k\(index % 3)", telling: target) }
        try await until("30 events at \(target)") {
            let status = try await scene.status(target)
            if let failure = status.lastFailure { throw TestSupportError("\(target): \(failure)") }
            return status.deliveredCount == 30 && status.state == .idle
        }
    }

    private static func check(_ bodies: [[UInt8]]) throws {
        let received = try Received(bodies)
        #expect(received.keys == (0..<30).map { "k\($0 % 3)" } && received.ids == received.ids.sorted())
    }

    @Test func `Redis gets events in a list, a stream and a channel, and those it missed when it is back`()
        async throws
    {
        let redis = try await RedisServer.start()
        let scene = try await TargetScene()
        let address = JSONValue.string("redis://127.0.0.1:\(redis.port)/2")
        try await scene.set("redis:list", ["url": address, "secret": .string(redis.password), "key": "assets"])
        try await Self.fill(scene, "redis:list")
        try Self.check(try await redis.lines("-n", "2", "LRANGE", "assets", "0", "-1"))

        try await scene.set(
            "redis:stream", ["url": address, "secret": .string(redis.password), "key": "log", "mode": "stream"])
        try await Self.fill(scene, "redis:stream")
        let stream = try await redis.lines("-n", "2", "XRANGE", "log", "-", "+")
        try Self.check(stream.filter { $0.starts(with: "{".utf8) })
        #expect(stream.contains(Array("s3:ObjectCreated:Put".utf8)))

        let subscription = try redis.subscribe("news")
        try await until("the subscription") { subscription.output.contains("subscribe") }
        try await scene.set(
            "redis:channel", ["url": address, "secret": .string(redis.password), "key": "news", "mode": "pubsub"])
        try await Self.fill(scene, "redis:channel")
        try await until("30 messages") { subscription.output.split(separator: "\n").count { $0.first == "{" } == 30 }
        try Self.check(subscription.output.split(separator: "\n").filter { $0.first == "{" }.map { Array($0.utf8) })
        subscription.signal(SIGKILL)
        _ = try await subscription.wait(timeout: .seconds(30))

        try await redis.kill()
        try await scene.put("late", telling: "redis:list")
        try await until("the failure") { try await scene.status("redis:list").state == .failing }
        try await redis.run()
        try await until("the last event") { try await scene.status("redis:list").state == .idle }
        // Without persistence the list begins anew.
        #expect(try Received(try await redis.lines("-n", "2", "LRANGE", "assets", "0", "-1")).keys == ["late"])
        await scene.close()
        try await redis.kill()
    }

    @Test func `a wrong password and a key of another kind are told, not taken for a delivery`() async throws {
        let redis = try await RedisServer.start()
        let scene = try await TargetScene()
        let address = JSONValue.string("redis://127.0.0.1:\(redis.port)")
        try await scene.set("redis:a", ["url": address, "secret": "wrong", "key": "k"])
        let failure = try await scene.engine.test(try #require(TargetName("redis:a")))?.failure
        #expect(failure?.reason.contains("WRONGPASS") == true, "\(String(describing: failure))")
        _ = try await redis.lines("SET", "text", "x")
        try await scene.set("redis:a", ["url": address, "secret": .string(redis.password), "key": "text"])
        try await scene.put("a", telling: "redis:a")
        try await until("the failure") {
            try await scene.status("redis:a").lastFailure?.contains("WRONGTYPE") == true
        }
        _ = try await redis.lines("DEL", "text")
        try await until("the event") { try await scene.status("redis:a").deliveredCount == 1 }
        await scene.close()
        try await redis.kill()
    }

    @Test func `NATS gets events on a subject, and a stream confirms each once`() async throws {
        let nats = try await NATSServer.start()
        let scene = try await TargetScene()
        let address = JSONValue.string("nats://127.0.0.1:\(nats.port)")
        let subscriber = try NATSSubscriber(port: nats.port, token: nats.token, subject: "assets.events")
        try await scene.set(
            "nats:plain", ["url": address, "secret": .string(nats.token), "subject": "assets.events"])
        try await Self.fill(scene, "nats:plain")
        try Self.check(try subscriber.next(30))

        try subscriber.addStream("STORED", subject: "stored.events")
        try await scene.set(
            "nats:stream",
            ["url": address, "secret": .string(nats.token), "subject": "stored.events", "jetstream": .bool(true)])
        try await Self.fill(scene, "nats:stream")
        try Self.check(try subscriber.stored("STORED", subject: "stored.events", count: 30))
        // A message that is sent again is not kept again.
        let driver = try TargetSettings(
            .nats, reading: ["url": address, "subject": "stored.events", "jetstream": .bool(true)], at: ""
        ).open(secret: Array(nats.token.utf8), outbound: .init())
        let event = try ObjectEvent.test(1 << 40, "twice")
        let message = EventText(region: "r").message(of: event, for: [])
        for _ in 0..<2 { #expect(await driver.send([message]) == Delivery(acceptedCount: 1)) }
        driver.close()
        #expect(try subscriber.storedCount("STORED") == 31)

        try await scene.set(
            "nats:nowhere",
            ["url": address, "secret": .string(nats.token), "subject": "nobody.listens", "jetstream": .bool(true)])
        let failure = try await scene.engine.test(try #require(TargetName("nats:nowhere")))?.failure
        #expect(failure != nil, "no stream takes it")
        await scene.close()
        try await nats.kill()
    }

    @Test func `Kafka gets events with the object's key, those of one key in one partition`() async throws {
        let cluster = try KafkaCluster(topic: "events", partitions: 4)
        let scene = try await TargetScene()
        try await scene.set("kafka:all", ["url": .string("kafka://\(cluster.address)"), "topic": "events"])
        try await Self.fill(scene, "kafka:all")
        let messages = try cluster.read(30)
        #expect(messages.count == 30)
        for (key, own) in Dictionary(grouping: messages, by: \.key) {
            #expect(Set(own.map(\.partition)).count == 1, "\(key)")
            let received = try Received(own.map(\.body))
            #expect(received.keys == [String](repeating: key, count: 10) && received.ids == received.ids.sorted())
        }
        await scene.close()
    }

    @Test func `a broker of AMQP confirms events in a queue, and where none takes them they wait`() async throws {
        let rabbit = try await RabbitServer.start()
        let scene = try await TargetScene()
        let address = JSONValue.string("amqp://127.0.0.1:\(rabbit.port)")
        try await scene.set("amqp:assets", ["url": address, "routing_key": "assets"])
        try await scene.put("k0", telling: "amqp:assets")
        try await until("the failure") {
            try await scene.status("amqp:assets").lastFailure?.contains("no queue takes messages") == true
        }
        let consumer = try AMQPConsumer(port: rabbit.port, queue: "assets")
        for index in 1..<30 { try await scene.put("k\(index % 3)", telling: "amqp:assets") }
        try await until("30 events") { try await scene.status("amqp:assets").deliveredCount == 30 }
        try Self.check(try consumer.take(30))
        await scene.close()
        try await rabbit.kill()
    }

    @Test func `a target that is closed ends what is under way`() async throws {
        let silent = try WebhookReceiver { _ in nil }
        defer { silent.stop() }
        let settings = try TargetSettings(
            .redis, reading: ["url": .string("redis://\(silent.authority)"), "key": "k"], at: "")
        let driver = try settings.open(secret: [], outbound: .init())
        let message = EventText.trial(of: "redis:x", at: .now())
        async let delivery = driver.send([message])
        try await until("the connection") {
            try await Task.sleep(for: .milliseconds(50))
            return true
        }
        driver.close()
        #expect(await delivery.failure != nil)
        #expect(await driver.send([message]).failure != nil)
    }
}
