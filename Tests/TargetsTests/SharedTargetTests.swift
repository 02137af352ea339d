import Bytes
import HTTPClient
import Hooks
import JSON
import Metadata
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Targets

/// The targets of several gateways over one database of MongoDB.
@Suite struct SharedTargetTests {
    private struct Scene: Sendable {
        let stores: [MongoStore]
        let engines: [TargetEngine]
        let bucket: Bucket
        static let pool = Pool()
        private static let name = TargetName("webhook:cms")

        init(allowed: String) async throws {
            let database = "targets-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
            var configuration = MongoStoreConfiguration(uri: try MongoServer.shared.uri(database: database))
            configuration.bucketLease = .milliseconds(60)
            configuration.relayInterval = .milliseconds(50)
            var (stores, engines): ([MongoStore], [TargetEngine]) = ([], [])
            for _ in 0..<2 {
                let store = try await MongoStore.open(configuration, pool: Self.pool)
                store.startRelay()
                stores.append(store)
                var settings = TargetEngineConfiguration()
                settings.outbound.allowed = [allowed]
                settings.retry.base = .milliseconds(20)
                settings.tick = .milliseconds(20)
                settings.notePause = .milliseconds(5)
                settings.dutyPeriod = .seconds(6)
                let engine = TargetEngine(
                    store: store, sealing: .init(seal: { secret, _ in secret }, open: { secret, _ in secret }),
                    pool: Self.pool, configuration: settings)
                try await engine.start()
                engines.append(engine)
            }
            (self.stores, self.engines) = (stores, engines)
            let name = try #require(BucketName("photos".utf8))
            bucket = try await stores[0].createBucket(named: name, owner: "alice", at: .now())
            try await stores[0].setVersioning(.enabled, of: bucket.id)
        }

        func put(_ key: String, through number: Int) async throws {
            var draft = EventDraft(
                name: .createdPut, bucketName: bucket.name, principal: "alice", customer: nil, revision: 1)
            draft.bindings = [EventBinding(id: "b", target: "webhook:cms")]
            _ = try await stores[number].publish(
                NewVersion(
                    bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: "alice", size: 1,
                    etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: ObjectAttributes(), checksum: nil,
                    tags: [], content: .empty, event: draft))
            engines[number].notice()
        }

        func set(_ document: JSONValue, through number: Int) async throws {
            try await engines[number].set(try #require(Self.name), document)
        }

        func state(_ number: Int) async throws -> TargetStatus.State? {
            try await engines[number].find(try #require(Self.name))?.status.state
        }

        func close(_ number: Int) async {
            await engines[number].stop()
            stores[number].close()
        }
    }

    @Test
    func `one gateway delivers the events of both, in the order of each key, and the other goes on when it stops`()
        async throws
    {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let scene = try await Scene(allowed: receiver.authority)
        try await scene.set(["url": .string(receiver.url)], through: 0)
        #expect(try await scene.state(0) != .elsewhere)
        #expect(try await scene.state(1) == .elsewhere)
        for index in 0..<60 { try await scene.put("k\(index % 4)", through: index % 2) }
        try await until("all of them") { try Received(receiver.accepted).keys.count == 60 }
        #expect(receiver.accepted.count == 60, "nothing came twice while nobody stopped")
        await scene.close(0)
        try await until("the other has it") { try await scene.state(1) != .elsewhere }
        for index in 0..<20 { try await scene.put("k\(index % 4)", through: 1) }
        try await until("those too") { try Received(receiver.accepted).keys.count == 80 }
        #expect(try Received(receiver.accepted).isOrdered)
        await scene.close(1)
    }

    @Test func `a target that is changed or removed at one gateway is so at the one that delivers`() async throws {
        let (first, second) = (try WebhookReceiver(), try WebhookReceiver())
        defer {
            first.stop()
            second.stop()
        }
        let scene = try await Scene(allowed: first.authority)
        try await scene.set(["url": .string(first.url)], through: 0)
        try await scene.put("a", through: 1)
        try await until("the first") { first.accepted.count == 1 }
        // The second address is not allowed, which shows that it counts.
        try await scene.set(["url": .string(second.url)], through: 1)
        try await scene.put("b", through: 1)
        try await until("the change") { try await scene.state(0) == .failing }
        try await scene.set(["url": .string(first.url)], through: 1)
        try await until("both") { try Received(first.accepted).keys == ["a", "b"] }
        #expect(try await scene.engines[1].remove(try #require(TargetName("webhook:cms"))))
        try await until("it is gone") { scene.engines[0].statuses().isEmpty }
        for number in 0..<2 { await scene.close(number) }
    }
}
