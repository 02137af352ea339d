import Bytes
import Metadata
import Mongo
import TestMongo
import Testing
import Threads

/// Several gateways on one database at once.
@Suite struct MongoRaceTests {
    /// Runs `body` for each number on the pool's threads, all at once.
    static func race<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        let results: Lock<[Result<Value, any Error>]> = Lock([])
        for index in 0..<count {
            Shared.pool.run {
                let result: Result<Value, any Error>
                do { result = .success(try await body(index)) } catch { result = .failure(error) }
                results.withLock { $0.append(result) }
            }
        }
        while results.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(2)) }
        return try results.withLock { $0 }.map { try $0.get() }
    }

    @Test func `of 64 racing If-None-Match through two gateways one wins, for each of 20 keys`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        let bucket = try await one.subject.bucket(.enabled)
        var ifAbsent = WriteConditions()
        ifAbsent.ifNoneMatch = .any
        for key in 0..<20 {
            let wins = try await Self.race(64) { [ifAbsent] index in
                do {
                    let subject = index.isMultiple(of: 2) ? one.subject : two.subject
                    return try await subject.put("k\(key)", in: bucket, conditions: ifAbsent).versionID
                } catch MetadataError.preconditionFailed {
                    return nil
                }
            }.compactMap(\.self)
            #expect(wins.count == 1)
            #expect(try await two.subject.get("k\(key)", in: bucket)?.versionID == wins.first)
        }
        #expect(try await two.subject.listVersions(bucket).versions.count == 20)
        try one.drop()
    }

    @Test func `a hot key keeps every version that was acknowledged, in one order, while two relay it`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        one.store.startRelay()
        two.store.startRelay()
        let bucket = try await one.subject.bucket(.enabled)
        let made = try await Self.race(400) { index in
            try await (index.isMultiple(of: 2) ? one.subject : two.subject).put("k", in: bucket)
        }
        #expect(Set(made.map(\.versionID)).count == 400 && Set(made.map(\.sequence)).count == 400)
        let listed = try await one.subject.listVersions(bucket).versions
        let expected = made.sorted { $0.sequence > $1.sequence }
        #expect(listed.map(\.versionID) == expected.map(\.versionID))
        #expect(listed.map(\.modified) == expected.map(\.modified))
        #expect(listed.map(\.isLatest) == [true] + Array(repeating: false, count: 399))
        two.store.close()
        try one.drop()
    }

    @Test func `versions removed by name while others are written stay removed`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        one.store.startRelay()
        two.store.startRelay()
        let bucket = try await one.subject.bucket(.enabled)
        let kept = try await Self.race(48) { index in
            let subject = index.isMultiple(of: 2) ? one.subject : two.subject
            let made = try await subject.put("k\(index % 3)", in: bucket)
            let other = try await subject.put("k\(index % 3)", in: bucket)
            try await subject.delete("k\(index % 3)", in: bucket, made.versionID)
            return (made, other)
        }
        let listed = try await two.subject.listVersions(bucket).versions
        #expect(Set(listed.map(\.versionID)) == Set(kept.map(\.1.versionID)))
        for (made, other) in kept {
            #expect(try await one.subject.get(made.key.text, in: bucket, made.versionID) == nil)
            #expect(try await one.subject.get(other.key.text, in: bucket, other.versionID)?.content == other.content)
        }
        let garbage = try await one.subject.garbage()
        #expect(garbage == Set(kept.flatMap(\.0.content.blobs).map(\.value)))
        two.store.close()
        try one.drop()
    }

    @Test func `an unversioned key that many overwrite drops every blob but the last`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        two.store.startRelay()
        let bucket = try await one.subject.bucket()
        let made = try await Self.race(200) { index in
            try await (index.isMultiple(of: 2) ? one.subject : two.subject).put("k", in: bucket)
        }
        let last = try #require(try await one.subject.get("k", in: bucket))
        #expect(last.sequence == made.map(\.sequence).max())
        let dropped = made.filter { $0.sequence != last.sequence }.flatMap(\.content.blobs).map(\.value)
        #expect(try await one.subject.garbage() == Set(dropped))
        two.store.close()
        try one.drop()
    }

    @Test func `a bucket that is removed while others write holds what was acknowledged, or is gone`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        for _ in 0..<5 {
            let bucket = try await one.subject.bucket()
            _ = try await two.subject.list(bucket)
            let outcomes = try await Self.race(17) { index -> Bool in
                if index == 8 {
                    do {
                        try await one.store.deleteBucket(bucket)
                        return true
                    } catch MetadataError.bucketNotEmpty {
                        return false
                    }
                }
                do {
                    try await two.subject.put("k\(index)", in: bucket)
                    return true
                } catch MetadataError.noSuchBucket {
                    return false
                }
            }
            let isGone = try await two.store.buckets(after: nil, prefix: [], limit: 1_000).allSatisfy {
                $0.id != bucket
            }
            let shown = try await two.subject.list(bucket).keys.count
            let puts = outcomes.count { $0 } - (isGone ? 1 : 0)
            #expect(isGone ? puts == 0 : puts == shown)
        }
        try one.drop()
    }

    @Test func `of two Completes at once both answer with the one version`() async throws {
        let one = try await Shared()
        let two = try await Shared(database: one.database)
        let bucket = try await one.subject.bucket(.enabled)
        let upload = try await one.subject.beginUpload("k", in: bucket)
        let part = try await one.subject.putPart(1, of: upload)
        let made = try await Self.race(8) { index in
            try await (index.isMultiple(of: 2) ? one.subject : two.subject).complete(upload, [part])
        }
        #expect(Set(made.map(\.versionID)).count == 1)
        #expect(try await one.subject.listVersions(bucket).versions.count == 1)
        #expect(try await one.subject.garbage().isEmpty)
        try one.drop()
    }

    @Test func `a part that is sent again while its upload is completed is in the object or refused`() async throws {
        let one = try await Shared()
        let bucket = try await one.subject.bucket()
        for round in 0..<10 {
            let upload = try await one.subject.beginUpload("k\(round)", in: bucket)
            let first = try await one.subject.putPart(1, of: upload)
            let made = try await Self.race(2) { index -> BlobID? in
                do {
                    if index == 0 { return try await one.subject.complete(upload, [first]).content.blobs.first }
                    return try await one.subject.putPart(1, of: upload, md5: 99).blob
                } catch MetadataError.noSuchUpload, MetadataError.invalidPart {
                    return nil
                }
            }
            let garbage = try await one.subject.garbage()
            let current = try await one.subject.get("k\(round)", in: bucket)
            for blob in current?.content.blobs ?? [] { #expect(!garbage.contains(blob.value)) }
            #expect(made.compactMap(\.self).count >= 1)
        }
        try one.drop()
    }

    @Test func `numbers of blobs are handed out once`() async throws {
        let one = try await Shared()
        let starts = try await Self.race(32) { _ in try await one.store.reserveBlobIDs(100).value }
        #expect(starts.sorted() == (0..<32).map { UInt64($0) * 100 + 1 })
        try one.drop()
    }
}
