import Bytes
import Metadata
import Testing

@Suite struct TargetTests {
    private func target(_ name: String, _ document: [UInt8] = [1]) -> StoredTarget {
        StoredTarget(name: name, document: document, sealedSecret: [9], created: .fixed)
    }

    private func note(_ scene: EventScene, _ bucket: BucketID, _ key: String) async throws {
        _ = try await scene.store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: 10, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(Blobs.next())),
                event: .test))
    }

    @Test(arguments: StoreKind.allCases)
    func `a new target begins behind the last event, one that is changed goes on where it is`(
        kind: StoreKind
    ) async throws {
        let scene = try await EventScene(kind)
        let bucket = try await scene.subject.bucket(.enabled)
        try await note(scene, bucket, "a")
        let store = scene.store
        let last = try await store.lastEvent()
        try await store.setTarget(target("webhook:x"))
        let made = try #require(try await store.target(named: "webhook:x"))
        #expect(made.position >= last && made.droppedCount == 0 && made.created != .fixed)
        try await note(scene, bucket, "b")
        #expect(try await store.events(after: made.position, limit: 10).map(\.key.text) == ["b"])
        try await store.moveTarget("webhook:x", to: made.position + 100, dropping: 2)
        try await store.moveTarget("webhook:x", to: made.position + 50, dropping: 2)
        try await store.setTarget(target("webhook:x", [2]))
        let changed = try #require(try await store.target(named: "webhook:x"))
        #expect(changed.position == made.position + 100 && changed.droppedCount == 2)
        #expect(changed.document == [2] && changed.created == made.created)
        try await scene.close()
    }

    @Test func `targets are there after the database was lost, and those removed are not`() async throws {
        let embedded = try Embedded()
        for name in ["webhook:b", "redis:a", "nats:c"] { try await embedded.store.setTarget(target(name)) }
        try await embedded.store.moveTarget("redis:a", to: 1000, dropping: 1)
        #expect(try await embedded.store.removeTarget("nats:c"))
        #expect(try await embedded.store.removeTarget("nats:c") == false)
        let before = try await embedded.store.targets()
        #expect(before.map(\.name) == ["redis:a", "webhook:b"] && before[0].position == 1000)
        let again = try await embedded.reopened(losingDatabase: true)
        #expect(try await again.store.targets() == before)
        await again.close()
    }
}
