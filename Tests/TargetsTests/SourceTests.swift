import Bytes
import Files
import Hooks
import JSON
import Metadata
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Targets

/// Events that come from a list of a real Redis.
@Suite struct SourceTests {
    private static let pool = Pool()
    private static func name() throws -> TargetName { try #require(TargetName("redis:inbox")) }

    /// What was handed to the store, in order.
    private struct Inbox: Sendable {
        private struct State {
            var messages: [String] = []
            var isAway = false
        }
        private let state = Lock(State())

        var messages: [String] { state.withLock { $0.messages } }
        func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

        /// Messages that begin with "bad" can be no events.
        var intake: SourceEngine.Intake {
            { messages, _ in
                try state.withLock { state in
                    if state.isAway { throw TestSupportError("the store is away") }
                    let texts = messages.map { String(decoding: $0, as: UTF8.self) }
                    state.messages += texts.filter { !$0.hasPrefix("bad") }
                    return texts.map { $0.hasPrefix("bad") ? "it is \($0)" : nil }
                }
            }
        }
    }

    private static func engine(over store: any EventStore) -> SourceEngine {
        var configuration = TargetEngineConfiguration()
        configuration.retry.base = .milliseconds(20)
        configuration.retry.max = .milliseconds(100)
        configuration.sourcePause = .milliseconds(5)
        configuration.dutyPeriod = .seconds(6)
        return SourceEngine(
            store: store, sealing: .init(seal: { secret, _ in secret }, open: { secret, _ in secret }), pool: pool,
            configuration: configuration)
    }

    private static func set(_ engine: SourceEngine, _ redis: RedisServer) async throws {
        try await engine.set(
            try name(),
            [
                "url": .string("redis://127.0.0.1:\(redis.port)/3"), "secret": .string(redis.password),
                "key": "inbox",
            ])
    }

    private static func status(_ engine: SourceEngine) async throws -> SourceStatus {
        let found = try await engine.find(try name())
        return try #require(found).status
    }

    private static func push(_ redis: RedisServer, _ messages: [String]) async throws {
        for start in stride(from: 0, to: messages.count, by: 500) {
            try await redis.push("3", "inbox", Array(messages[start..<min(start + 500, messages.count)]))
        }
    }

    private static func count(_ redis: RedisServer, _ key: String) async throws -> String {
        String(ascii: try await redis.lines("-n", "3", "LLEN", key).first ?? [])
    }

    /// An engine over a store in a folder of its own, until `body` is over.
    private static func use(_ inbox: Inbox, _ body: (SourceEngine) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let data = try DataFolder.open(folder.file("store"))
        let store = try SQLiteStore.open(data, pool: pool) { _ in }
        let engine = engine(over: store)
        engine.start(inbox.intake)
        do { try await body(engine) } catch { Issue.record(error) }
        await engine.stop()
        await store.close()
        data.close()
    }

    @Test func `messages are taken in order, none is lost while the store is away or Redis is killed`() async throws {
        let redis = try await RedisServer.start(isDurable: true)
        let inbox = Inbox()
        try await Self.use(inbox) { engine in
            try await Self.set(engine, redis)
            try await Self.push(redis, (0..<5).map { "m\($0)" })
            try await until("the first ones") { inbox.messages == (0..<5).map { "m\($0)" } }
            try await until("none waits") { try await Self.status(engine).state == .idle }

            inbox.setAway(true)
            try await Self.push(redis, (5..<250).map { "m\($0)" })
            try await until("the failure") { try await Self.status(engine).state == .failing }
            #expect(try await Self.status(engine).lastFailure?.contains("the store is away") == true)
            #expect(try await Self.count(redis, "inbox:processing") == "100")
            try await redis.kill()
            try await until("the other failure") {
                try await Self.status(engine).lastFailure?.contains("refused") == true
            }
            inbox.setAway(false)
            try await redis.run()
            try await until("all of them") { Set(inbox.messages).count == 250 }
            try await until("none waits") { try await Self.status(engine).state == .idle }
            #expect(inbox.messages == (0..<250).map { "m\($0)" }, "each once, as nothing was cut off behind a commit")
            #expect(try await Self.status(engine).takenCount == 250)
            #expect(try await Self.count(redis, "inbox") == "0")
            #expect(try await Self.count(redis, "inbox:processing") == "0")
        }
        try await redis.kill()
    }

    @Test func `what was taken and not ended is taken first after a start`() async throws {
        let redis = try await RedisServer.start()
        try await redis.push("3", "inbox:processing", ["first", "second"])
        try await redis.push("3", "inbox", ["third"])
        let inbox = Inbox()
        try await Self.use(inbox) { engine in
            try await Self.set(engine, redis)
            try await until("three") { inbox.messages.count == 3 }
            #expect(inbox.messages == ["first", "second", "third"])
        }
        try await redis.kill()
    }

    @Test func `messages that can be no events are set aside with their reason, the newest thousand of them`()
        async throws
    {
        let redis = try await RedisServer.start()
        let inbox = Inbox()
        try await Self.use(inbox) { engine in
            try await Self.set(engine, redis)
            try await Self.push(redis, (0..<1_100).map { "bad\($0)" } + ["good"])
            try await until("the good one") { inbox.messages == ["good"] }
            try await until("none waits") { try await Self.status(engine).state == .idle }
            let status = try await Self.status(engine)
            #expect(status.refusedCount == 1_100 && status.takenCount == 1 && status.deadCount == 1_000)
            let dead = try await redis.lines("-n", "3", "LRANGE", "inbox:dead", "0", "0")
            let entry = try #require(JSONValue(parsing: dead.first ?? []))
            #expect(entry["message"]?.string == "bad100" && entry["reason"]?.string == "it is bad100")
        }
        try await redis.kill()
    }

    @Test func `a list of another kind and a wrong password are failures that say so, and nothing is shown of it`()
        async throws
    {
        let redis = try await RedisServer.start()
        _ = try await redis.lines("-n", "3", "SET", "inbox", "text")
        try await Self.use(Inbox()) { engine in
            try await Self.set(engine, redis)
            try await until("the failure") {
                try await Self.status(engine).lastFailure?.contains("WRONGTYPE") == true
            }
            try await engine.set(
                try Self.name(),
                ["url": .string("redis://127.0.0.1:\(redis.port)"), "secret": "not-this-one", "key": "inbox"])
            try await until("the other failure") {
                try await Self.status(engine).lastFailure?.contains("WRONGPASS") == true
            }
            let registered = try await engine.find(try Self.name())
            let found = try #require(registered)
            #expect(found.hasSecret && !String(ascii: found.document.text).contains("not-this-one"))
            #expect(found.status.lastFailure?.contains("not-this-one") == false)
        }
        try await redis.kill()
    }

    @Test func `one of two gateways takes from a list, and the other goes on when it stops`() async throws {
        let redis = try await RedisServer.start()
        let database = "sources-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let configuration = MongoStoreConfiguration(uri: try MongoServer.shared.uri(database: database))
        var (stores, engines): ([MongoStore], [SourceEngine]) = ([], [])
        let inboxes = [Inbox(), Inbox()]
        for inbox in inboxes {
            let store = try await MongoStore.open(configuration, pool: Self.pool)
            stores.append(store)
            engines.append(Self.engine(over: store))
            engines.last?.start(inbox.intake)
        }
        try await Self.set(engines[0], redis)
        try await Self.push(redis, (0..<150).map { "m\($0)" })
        try await until("all of them") { inboxes[0].messages.count == 150 }
        #expect(try await Self.status(engines[1]).state == .elsewhere)
        await engines[0].stop()
        try await Self.push(redis, ["late"])
        try await until("the last one") { inboxes[1].messages == ["late"] }
        #expect(inboxes[0].messages == (0..<150).map { "m\($0)" })
        await engines[1].stop()
        for store in stores { store.close() }
        try await redis.kill()
    }
}

extension RedisServer {
    fileprivate func push(_ database: String, _ key: String, _ messages: [String]) async throws {
        _ = try await run(["-n", database, "RPUSH", key] + messages)
    }
}
