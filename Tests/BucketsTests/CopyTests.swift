import Buckets
import Digests
import Metadata
import Testing
import Threads

@Suite struct CopyTests {
    private func publish(_ staged: StagedBlob, in fixture: Fixture) async throws -> ObjectVersion {
        try await fixture.objects.publish(staged, as: fixture.newVersion("copy"))
    }

    @Test(arguments: [true, false])
    func `a copy survives the deletion of its source`(allowLink: Bool) async throws {
        let fixture = try Fixture()
        let bytes = pattern(300_000)
        let original = try await fixture.put(bytes)
        let staged = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: [], allowLink: allowLink)
        #expect(staged.digests[.md5] == original.etag.md5)
        let copy = try await publish(staged, in: fixture)
        #expect(try fixture.files().count == 2)
        try await fixture.delete()
        #expect(try await fixture.objects.sweeper.sweep() == 1)
        #expect(try fixture.files().count == 1)
        #expect(try await fixture.read(copy) == bytes)
    }

    @Test func `an abandoned link is removed and its source stays`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(1000)
        let original = try await fixture.put(bytes)
        do {
            let staged = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
            #expect(staged.blob != original.content.blobs.first)
            #expect(try fixture.files().count == 2)
        }
        #expect(try fixture.files().count == 1)
        #expect(try await fixture.read(original) == bytes)
    }

    @Test func `a digest that the version lacks is computed, one that it has is taken over`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(1000)
        var original = try await fixture.put(bytes)
        let computed = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: .sha256, allowLink: true)
        #expect(computed.digests[.sha256] == Digest.of(bytes, .sha256))

        // Taken over and not computed: a value that no content has.
        let given = [UInt8](repeating: 7, count: 4)
        original.checksum = Checksum(algorithm: .crc32, kind: .fullObject, value: given)
        let linked = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: .crc32, allowLink: true)
        #expect(linked.digests[.crc32] == given)
    }

    @Test func `a multipart object is copied into one blob with the digests of its bytes`() async throws {
        let fixture = try Fixture()
        let (a, b) = (pattern(70_000, seed: 1), pattern(200_000, seed: 2))
        let parts = [try await fixture.putPart(a, number: 1), try await fixture.putPart(b, number: 2)]
        let original = try await fixture.complete(parts)
        let staged = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: [], allowLink: true)
        #expect(staged.digests[.md5] == Digest.of(a + b, .md5))
        #expect(try await fixture.read(publish(staged, in: fixture)) == a + b)
    }

    @Test func `a range is copied, with keep-alive between its pieces`() async throws {
        let fixture = try Fixture()
        let bytes = pattern(1 << 20)
        let original = try await fixture.put(bytes)
        let calls = Lock(0)
        let staged = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: 100..<900_000, digests: [], allowLink: true,
            keepAlive: { calls.withLock { $0 += 1 } })
        #expect(calls.withLock { $0 } == 4)
        #expect(try await fixture.read(publish(staged, in: fixture)) == [UInt8](bytes[100..<900_000]))
    }

    @Test func `a copy that its keep-alive ends leaves nothing`() async throws {
        let fixture = try Fixture()
        let original = try await fixture.put(pattern(1 << 20))
        await #expect(throws: FixtureError()) {
            _ = try await fixture.objects.stageCopy(
                of: original, in: fixture.bucket, range: nil, digests: [], allowLink: false,
                keepAlive: { throw FixtureError() })
        }
        #expect(try fixture.files().count == 1)
    }

    @Test func `an empty version is copied`() async throws {
        let fixture = try Fixture()
        let original = try await fixture.put([])
        let staged = try await fixture.objects.stageCopy(
            of: original, in: fixture.bucket, range: nil, digests: .crc32, allowLink: true)
        #expect(staged.blob == nil)
        #expect(staged.digests[.crc32] == [0, 0, 0, 0])
    }
}
