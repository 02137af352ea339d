import Bytes
import Testing

@testable import Metadata

@Suite struct VersionCacheTests {
    private let cache = VersionCache(entryCountMax: 6_400)
    private let bucket = BucketID(1)

    private func version(_ key: String, _ sequence: Int64, parts: Int = 0) -> ObjectVersion {
        ObjectVersion(
            key: .of(key), versionID: .null, isLatest: true, isDeleteMarker: false, modified: .fixed,
            sequence: sequence, owner: "alice", size: 1, etag: ETag(md5: .md5(1)), attributes: ObjectAttributes(),
            checksum: nil, tags: [],
            content: parts == 0
                ? .blob(BlobID(1))
                : .parts((1...parts).map { StoredPart(number: $0, blob: BlobID(1), size: 1, checksum: nil) }))
    }

    private func remember(_ key: String, _ sequence: Int64) {
        cache.remember(version(key, sequence), in: bucket, cache.find(.of(key), in: bucket).1)
    }

    private func sequence(_ key: String) -> Int64? { cache.find(.of(key), in: bucket).0?.sequence }

    @Test func `what was read is found until a commit changes its key`() {
        remember("a", 1)
        remember("b", 2)
        #expect(sequence("a") == 1 && sequence("b") == 2)
        #expect(cache.find(.of("a"), in: BucketID(2)).0 == nil)
        let changes = [RowChange.version(bucket, version("a", 3))]
        cache.begin(changes)
        #expect(sequence("a") == nil)
        cache.end(changes)
        #expect(sequence("a") == nil && sequence("b") == 2)
    }

    @Test func `a row read before a commit is not remembered after it`() {
        let (_, before) = cache.find(.of("a"), in: bucket)
        let changes = [RowChange.tags(bucket, .of("a"), sequence: 1, [])]
        cache.begin(changes)
        let (_, during) = cache.find(.of("a"), in: bucket)
        cache.end(changes)
        cache.remember(version("a", 1), in: bucket, before)
        cache.remember(version("a", 1), in: bucket, during)
        #expect(sequence("a") == nil)
        remember("a", 2)
        #expect(sequence("a") == 2)
    }

    @Test func `clearing forgets all, and what is being read`() {
        remember("a", 1)
        let (_, ticket) = cache.find(.of("b"), in: bucket)
        cache.clear()
        cache.remember(version("b", 1), in: bucket, ticket)
        #expect(sequence("a") == nil && sequence("b") == nil)
    }

    @Test func `it stays within its bound, and keeps no long manifests`() {
        for number in 0..<20_000 { remember("k\(number)", 1) }
        #expect((0..<20_000).count { sequence("k\($0)") != nil } <= 6_400)
        cache.remember(version("long", 1, parts: 17), in: bucket, cache.find(.of("long"), in: bucket).1)
        #expect(sequence("long") == nil)
        let none = VersionCache(entryCountMax: 0)
        none.remember(version("a", 1), in: bucket, none.find(.of("a"), in: bucket).1)
        #expect(none.find(.of("a"), in: bucket).0 == nil)
    }
}
