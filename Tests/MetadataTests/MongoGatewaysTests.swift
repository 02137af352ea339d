import Mongo
import TestMongo
import TestSupport
import Testing
import Threads

@testable import Metadata

/// What several gateways tell one another through their database, and what binds it to what lies elsewhere.
@Suite struct MongoGatewaysTests {
    /// When the oldest read of a gateway began.
    private final class Reads: Sendable {
        private let moment = Lock<UInt64?>(nil)
        func set(_ value: UInt64?) { moment.withLock { $0 = value } }
        var oldest: UInt64? { moment.withLock { $0 } }
    }

    private static func gateway(
        of other: Shared? = nil, after lifetime: Duration = .zero, _ reads: Reads = Reads()
    ) async throws -> Shared {
        let shared = try await Shared(database: other?.database) {
            $0.garbageAfter = lifetime
            $0.reportInterval = .milliseconds(20)
        }
        try await shared.store.startReporting { reads.oldest }
        return shared
    }

    /// Drops one blob, and returns it.
    private static func drop(_ shared: Shared) async throws -> UInt64 {
        let bucket = try await shared.subject.bucket()
        let blob = Blobs.next()
        _ = try await shared.subject.put("k", in: bucket, blob: blob)
        _ = try await shared.subject.put("k", in: bucket)
        return blob
    }

    private static func waitUntil(
        _ what: String, _ isSo: () async throws -> Bool, location: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !isSo() {
            guard ContinuousClock.now < deadline else {
                Issue.record("waited in vain until \(what)", sourceLocation: location)
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func `garbage is kept for its time`() async throws {
        let kept = try await Self.gateway(after: .seconds(3600))
        let blob = try await Self.drop(kept)
        let hasty = try await Self.gateway(of: kept)
        try await Self.waitUntil("a gateway without patience may remove it") {
            try await hasty.subject.garbage() == [blob]
        }
        try await hasty.store.endSweep()
        #expect(try await kept.subject.garbage() == [])
        #expect(try kept.store.garbageCount() == 1)
        await hasty.store.endReporting()
        await kept.store.endReporting()
        try kept.drop()
    }

    @Test func `garbage is kept while any gateway reads what it began to read before`() async throws {
        let reads = Reads()
        let one = try await Self.gateway()
        let two = try await Self.gateway(of: one, reads)
        reads.set(Monotonic.nanoseconds)
        let blob = try await Self.drop(one)
        // Long enough for both to report several times.
        for _ in 0..<20 {
            #expect(try await one.subject.garbage() == [])
            try await Task.sleep(for: .milliseconds(20))
        }
        // A read that begins after the blob was dropped does not count.
        reads.set(nil)
        try await Self.waitUntil("nobody reads it any more") { try await one.subject.garbage() == [blob] }
        await one.store.endReporting()
        await two.store.endReporting()
        try one.drop()
    }

    @Test func `of two gateways one removes garbage at a time, and the other when it has ended`() async throws {
        let one = try await Self.gateway()
        let two = try await Self.gateway(of: one)
        let blob = try await Self.drop(one)
        try await Self.waitUntil("it may be removed") { try await one.subject.garbage() == [blob] }
        #expect(try await two.subject.garbage() == [])
        try await one.store.forgetGarbage([BlobID(blob)])
        #expect(try await one.subject.garbage() == [])
        let other = try await Self.drop(two)
        try await Self.waitUntil("the other may remove it") { try await two.subject.garbage() == [other] }
        await one.store.endReporting()
        await two.store.endReporting()
        try one.drop()
    }

    @Test func `a read counts from the last place that was known before it began`() {
        var known = ReportedOrders()
        #expect(known.order(before: 100) == nil)
        for (order, moment) in [(7, 100), (8, 200), (30, 300)] as [(Int64, UInt64)] { known.append(order, at: moment) }
        #expect(known.order(before: 99) == nil)
        #expect(known.order(before: 199) == 7)
        #expect(known.order(before: 299) == 8)
        // A read that went on all the time is still the oldest.
        known.append(31, at: 400)
        #expect(known.order(before: 299) == 8)
        #expect(known.order(before: 1_000) == 31)
    }

    @Test func `a key whose head is gone goes on above its former numbers`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket()
        for _ in 0..<20 {
            let former = try await shared.subject.put("k", in: bucket)
            // As the server does a minute after a key was removed.
            try shared.plain().delete([:], from: "heads")
            let made = try await shared.subject.put("k", in: bucket)
            #expect(made.sequence > former.sequence)
            #expect(try await shared.subject.put("k", in: bucket).sequence > made.sequence)
            #expect(try await shared.subject.get("k", in: bucket)?.sequence ?? 0 > made.sequence)
            try await shared.subject.delete("k", in: bucket)
        }
        try shared.drop()
    }

    // MARK: What lies elsewhere

    private static func refusal(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return ""
        } catch MetadataError.broken(let reason) {
            return reason
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func `a database whose blobs lie on an engine takes no folder, and the other way round`() async throws {
        let engine = try await Shared()
        _ = try await engine.store.bindBlobs(toEngine: "s3://a/x")
        let folder = [UInt8](repeating: 7, count: 16)
        #expect(await Self.refusal { try await engine.store.bindBlobs(to: folder) }.contains("lie at s3://a/x"))
        let files = try await Shared()
        try await files.store.bindBlobs(to: folder)
        try await files.store.bindBlobs(to: folder)
        #expect(await Self.refusal { try await files.store.bindBlobs(to: [1]) }.contains("in another data folder"))
        #expect(
            await Self.refusal { _ = try await files.store.bindBlobs(toEngine: "s3://a/x") }
                .contains("lie in a data folder"))
        try engine.drop()
        try files.drop()
    }

    @Test func `a place on an engine is taken once, and may be another one later that has the same id`() async throws {
        let shared = try await Shared()
        let slip = try await shared.store.bindBlobs(toEngine: "s3://slip/x")
        let first = try await shared.store.bindBlobs(toEngine: "s3://a/x")
        #expect(!slip.isClaimed && !first.isClaimed && slip.store == first.store && first.store.count == 16)
        #expect(await Self.refusal { try await shared.store.confirmEngine("s3://slip/x") }.contains("at the same time"))
        try await shared.store.confirmEngine("s3://a/x")
        let moved = try await shared.store.bindBlobs(toEngine: "s3://b/y")
        #expect(moved.isClaimed && moved.store == first.store)
        try await shared.store.confirmEngine("s3://b/y")
        try shared.drop()
    }

    @Test func `the first check of the key is the one that is kept`() async throws {
        let shared = try await Shared()
        #expect(try await shared.store.keyCheck() == nil)
        #expect(try await shared.store.keepKeyCheck([1, 2]) == [1, 2])
        #expect(try await shared.store.keepKeyCheck([3]) == [1, 2])
        try shared.drop()
    }

    // MARK: Aborts

    @Test func `an abort that died between its steps is finished, and its parts are garbage`() async throws {
        let shared = try await Shared {
            $0.janitorInterval = .milliseconds(20)
            $0.abandonedAfter = .milliseconds(100)
        }
        let bucket = try await shared.subject.bucket()
        let died = try await shared.subject.beginUpload("k", in: bucket)
        let open = try await shared.subject.beginUpload("k", in: bucket)
        let lost = try await shared.subject.putPart(1, of: died)
        let kept = try await shared.subject.putPart(1, of: open)
        let plain = try shared.plain()
        // The first step of an abort, and no further one.
        try plain.update(
            [
                MongoDatabase.Update(
                    ["_id": .text(died.id.utf8)],
                    .pipeline([["$set": ["aborting": 1, "ending": "$$NOW", "open": "$$REMOVE"]]]))
            ], in: "uploads")
        #expect(try await shared.subject.garbage() == [])
        shared.store.startRelay()
        try await Self.waitUntil("the abort has ended") {
            try plain.findOne(["_id": .text(died.id.utf8)], in: "uploads") == nil
        }
        #expect(try await shared.subject.garbage() == [try #require(lost.blob).value])
        #expect(try await shared.store.parts(of: open.id, after: 0, limit: 10).map(\.blob) == [kept.blob])
        try shared.drop()
    }

    // MARK: Servers

    @Test func `a server older than 6 is refused, with the oldest version that is supported`() {
        #expect(MongoSchema.refusal(ofVersion: "5.0.26", major: 5)?.contains("5.0.26") == true)
        #expect(MongoSchema.refusal(ofVersion: "5.0.26", major: 5)?.contains("6.0") == true)
        for major in [6, 7, 8, nil] as [Int64?] { #expect(MongoSchema.refusal(ofVersion: "", major: major) == nil) }
    }

    @Test func `a server that wants a login says which one is missing`() async throws {
        let server = try MongoServer.startWithLogin(user: "ada", password: "right")
        func reason(_ uri: String) async -> String {
            await Self.refusal {
                let store = try await MongoStore.open(MongoStoreConfiguration(uri: uri), pool: Shared.pool)
                try store.reach()
            }
        }
        let none = await reason(server.uri(database: "ogw"))
        #expect(none.contains("wants a login") && none.contains("mongodb://USER:PASSWORD@HOST"))
        let wrong = await reason(server.uri(database: "ogw", user: "ada", password: "wrong"))
        #expect(wrong.contains("refuses the user ada or its password") && !wrong.contains("wrong"))
        #expect(await reason(server.uri(database: "ogw", user: "ada", password: "right")) == "")
        let admin = try MongoURI.parse(
            server.uri(database: "admin", user: "ada", password: "right"), serverSelection_ms: 5_000, socket_ms: 5_000)
        let database = MongoDatabase(
            try MongoClients.open(admin, countMax: 1), name: "admin", majorityWait: .seconds(5))
        _ = try database.run(["createUser": "bob", "pwd": "bobs", "roles": []])
        let weak = await reason(server.uri(database: "ogw", user: "bob", password: "bobs"))
        #expect(weak.contains("bob may not use the database ogw") && weak.contains("readWrite"))
        server.stop()
    }
}
