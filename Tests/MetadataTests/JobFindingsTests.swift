import Bytes
import Metadata
import Testing

/// What the end of a job notes of its source.
extension JobTests {
    @Test(arguments: StoreKind.allCases)
    func `tags that were written between stay beside those of a job, and too many are refused`(kind: StoreKind)
        async throws
    {
        let scene = try await Scene(on: kind)
        try await scene.put("a")
        try await scene.plan()
        let leased = try await scene.one()
        func tag(_ key: String, _ value: String = "") -> Metadata.Tag {
            Metadata.Tag(key: Array(key.utf8), value: Array(value.utf8))
        }
        func end(_ tags: [Metadata.Tag]) async throws {
            _ = try await scene.store.completeJob(
                JobCompletion(job: leased.job.id, token: leased.job.token, tags: tags))
        }
        let nine = (0..<9).map { tag("between\($0)") }
        _ = try await scene.store.setTags(nine + [tag("mine", "old")], of: .of("a"), in: scene.bucket, version: nil)
        await #expect(throws: MetadataError.limitExceeded("the object would have 11 tags; 10 is the most")) {
            try await end([tag("mine", "new"), tag("other")])
        }
        try await end([tag("mine", "new")])
        let tags = try await scene.store.version(of: .of("a"), in: scene.bucket, version: nil)?.tags
        #expect(tags == nine + [tag("mine", "new")])
        try await scene.close()
    }

    @Test(arguments: StoreKind.allCases)
    func `what was found is the asset's only as long as it is of the newest version`(kind: StoreKind) async throws {
        let scene = try await Scene(on: kind)
        try await scene.store.setAssets(true, of: scene.bucket)
        try await scene.put("a")
        try await scene.put("b")
        try await scene.plan()
        let jobs = try await scene.claim(2).sorted { $0.group.event.key < $1.group.event.key }
        try await scene.put("a")
        var details = AssetDetails()
        (details.title, details.text, details.duration) = (Array("t".utf8), Array("old".utf8), 7)
        let asset = try #require(try await scene.store.asset(of: .of("b"), in: scene.bucket))
        try await scene.store.setAssetDetails(details, of: asset.id)
        var found = AssetFindings()
        (found.width, found.height, found.media) = (4, 3, Array("{}".utf8))
        for leased in jobs {
            _ = try await scene.store.completeJob(
                JobCompletion(job: leased.job.id, token: leased.job.token, found: found))
        }
        let late = try await scene.store.asset(of: .of("a"), in: scene.bucket)?.details
        #expect(late == AssetDetails())
        let right = try #require(try await scene.store.asset(of: .of("b"), in: scene.bucket)?.details)
        #expect(right.width == 4 && right.height == 3 && right.media == Array("{}".utf8))
        #expect(right.title == Array("t".utf8) && right.text == nil && right.duration == nil)
        try await scene.close()
    }
}
