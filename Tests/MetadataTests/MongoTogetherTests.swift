import Bytes
import Mongo
import TestMongo
import Testing
import Threads

@testable import Metadata

/// New versions that are written together.
@Suite struct MongoTogetherTests {
    /// What the heads of a database say, without what is another in each run: ids, times and places.
    private static func shape(_ head: BSONView?) throws -> String {
        guard let head else { return "no head" }
        let read = try Head(head)
        func version(_ version: VersionDocument?) throws -> String {
            guard let version else { return "none" }
            let size = version.size
            return "\(version.isNull ? "null" : "id") \(version.isDeleteMarker ? "marker" : "object") \(size)"
        }
        let entries = try read.outbox.compactMap { entry -> String? in
            switch entry.kind {
            case .archived(let former): "v \(try version(former))"
            case .dropped(let former): "g \(try version(former))"
            case .nullsRemoved: "n"
            // The server leaves one of them, and a gateway one of each update.
            case .asset: nil
            case .assetRemoved: "z"
            case .removed, .tagged: "another"
            }
        }
        let isNoted = read.outbox.contains { if case .asset = $0.kind { true } else { false } }
        #expect(read.outbox.map(\.sequence) == read.outbox.map(\.sequence).sorted())
        let asset = try read.asset().map { "\($0.type) \($0.user) \($0.deleted == nil)" } ?? "none"
        let live = head["live"]?.isTrue == true
        let due = head["due"]?.date != nil
        let gone = head["gone"] != nil
        return "\(try version(read.latest)) live \(live) due \(due) gone \(gone) asset \(asset) \(isNoted) \(entries)"
    }

    @Test(arguments: [false, true])
    func `a head comes out the same whether a gateway decides or the server`(hasAssets: Bool) async throws {
        let shared = try await Shared()
        let subject = shared.subject
        let plain = try shared.plain()
        for seed in 0..<25 as Range<UInt64> {
            let bucket = try await subject.bucket()
            if hasAssets { try await shared.store.setAssets(true, of: bucket) }
            var random = SeededGenerator(state: seed)
            let states: [VersioningState] = [.unversioned, .enabled, .suspended]
            // Below the count of entries at which they are moved.
            for step in 0..<5 {
                let choice = random.next() % 8
                if choice == 0 {
                    try await shared.store.setVersioning(states[Int(random.next() % 3)], of: bucket)
                }
                for key in ["here", "there"] {
                    // What others change too is left to the server.
                    if key == "there" { shared.store.writer.lost(HeadKey(bucket, .of(key))) }
                    if choice < 6 {
                        try await subject.put(key, in: bucket, size: UInt64(step))
                    } else {
                        try await subject.delete(key, in: bucket)
                    }
                }
                let heads = try ["here", "there"].map { key in
                    try Self.shape(HeadKey(bucket, .of(key)).read(plain))
                }
                #expect(heads[0] == heads[1], "seed \(seed), step \(step)")
            }
        }
        try shared.drop()
    }

    @Test func `what is remembered of a head brings nothing back that is gone`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        let bucket = try await one.subject.bucket(.enabled)
        var made: [ObjectVersion] = []
        for _ in 0..<3 { made.append(try await one.subject.put("k", in: bucket)) }
        for version in made.reversed() { try await two.subject.delete("k", in: bucket, version.versionID) }
        _ = try await two.subject.garbage()
        // As the server does a minute later.
        try one.plain().delete([:], from: "heads")
        let last = try await one.subject.put("k", in: bucket)
        #expect(try await one.subject.listVersions(bucket).versions.map(\.versionID) == [last.versionID])
        #expect(try await one.subject.garbage() == Set(made.flatMap(\.content.blobs).map(\.value)))
        try one.drop()
    }

    @Test func `a condition is about what is, not about what is remembered`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        let bucket = try await one.subject.bucket()
        for _ in 0..<3 { try await one.subject.put("k", in: bucket, md5: 1) }
        try await two.subject.put("k", in: bucket, md5: 2)
        var conditions = WriteConditions()
        conditions.ifMatch = .etags([ETag(md5: .md5(2)).unquoted])
        try await one.subject.put("k", in: bucket, md5: 3, conditions: conditions)
        try await two.subject.delete("k", in: bucket)
        conditions = WriteConditions()
        conditions.ifNoneMatch = .any
        let last = try await one.subject.put("k", in: bucket, conditions: conditions)
        #expect(try await two.subject.get("k", in: bucket) == last)
        try one.drop()
    }

    @Test func `of those that wait together each is answered by its own condition, in order`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket(.enabled)
        let subject = shared.subject
        try await subject.put("k", in: bucket, md5: 0)
        // Each wants the ETag of the one before it, so only as many as came in their order are made.
        let outcomes = try await MongoRaceTests.race(64) { index -> ObjectVersion? in
            var conditions = WriteConditions()
            conditions.ifMatch = .etags([ETag(md5: .md5(UInt8(index / 8))).unquoted])
            do {
                return try await subject.put("k", in: bucket, md5: UInt8(index / 8 + 1), conditions: conditions)
            } catch MetadataError.preconditionFailed {
                return nil
            }
        }.compactMap(\.self)
        let listed = try await subject.listVersions(bucket).versions.reversed().map(\.etag.md5)
        #expect(listed == (0..<listed.count).map { .md5(UInt8($0)) })
        #expect(outcomes.count == listed.count - 1)
        try shared.drop()
    }

    @Test func `more than an outbox takes waits until it was moved`() async throws {
        // No relay runs but for what the writers themselves call for.
        let shared = try await Shared()
        let subject = shared.subject
        let bucket = try await subject.bucket(.enabled)
        let made = try await MongoRaceTests.race(300) { _ in try await subject.put("k", in: bucket) }
        let listed = try await subject.listVersions(bucket).versions
        #expect(listed.map(\.versionID) == made.sorted { $0.sequence > $1.sequence }.map(\.versionID))
        try shared.drop()
    }

    @Test func `versions of many parts beside small ones are written`() async throws {
        let shared = try await Shared()
        let subject = shared.subject
        let bucket = try await subject.bucket()
        let made = try await MongoRaceTests.race(24) { index in
            let parts = (1...(index.isMultiple(of: 3) ? 2_000 : 2)).map { number in
                StoredPart(number: number, blob: BlobID(Blobs.next()), size: 1, checksum: nil)
            }
            return try await subject.put("k\(index % 2)", in: bucket, content: .parts(parts))
        }
        for key in ["k0", "k1"] {
            let last = try #require(made.filter { $0.key == .of(key) }.max { $0.sequence < $1.sequence })
            #expect(try await subject.get(key, in: bucket) == last)
        }
        try shared.drop()
    }
}
