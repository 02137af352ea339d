import Metadata
import TestMongo
import Testing

/// Whether a blob is named, while what writes left is still in the heads.
@Suite struct MongoBlobTests {
    /// More than a thousand keys with a former version each, none of them moved yet, and then one more.
    private static func unmoved() async throws -> (shared: Shared, last: [ObjectVersion]) {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket(.enabled)
        _ = try await MongoRaceTests.race(16) { worker in
            for number in 0..<66 {
                for _ in 0..<2 { _ = try await shared.subject.put("key-\(worker)-\(number)", in: bucket) }
            }
        }
        var last: [ObjectVersion] = []
        for _ in 0..<3 { last.append(try await shared.subject.put("last", in: bucket)) }
        return (shared, last)
    }

    @Test func `a former version's blob is known however many heads hold something`() async throws {
        let (shared, last) = try await Self.unmoved()
        for blob in last.flatMap(\.content.blobs) { #expect(try await shared.store.blob(blob)?.id == blob) }
        try shared.drop()
    }

    @Test func `a version that was removed names its blob no more, moved or not`() async throws {
        let shared = try await Shared()
        let bucket = try await shared.subject.bucket(.enabled)
        var made: [ObjectVersion] = []
        for _ in 0..<3 { made.append(try await shared.subject.put("k", in: bucket)) }
        try await shared.subject.delete("k", in: bucket, made[0].versionID)
        let blobs = made.flatMap(\.content.blobs)
        for _ in 0..<2 {
            #expect(try await shared.store.blob(blobs[0]) == nil)
            for blob in blobs.dropFirst() { #expect(try await shared.store.blob(blob)?.id == blob) }
            // Asking for all garbage moves what heads hold.
            #expect(try await shared.subject.garbage() == [blobs[0].value])
        }
        try shared.drop()
    }

    @Test func `all blobs are listed in order, page by page, though what writes left was not moved`() async throws {
        let (shared, last) = try await Self.unmoved()
        var listed: [BlobID] = []
        while true {
            let page = try await shared.store.blobs(after: listed.last ?? BlobID(0), limit: 500)
            if page.isEmpty { break }
            listed += page.map(\.id)
        }
        #expect(listed == listed.sorted() && listed.count == 16 * 66 * 2 + 3)
        #expect(Set(last.flatMap(\.content.blobs)).isSubset(of: listed))
        try shared.drop()
    }
}
