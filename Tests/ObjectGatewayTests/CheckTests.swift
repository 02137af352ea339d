import Buckets
import Bytes
import Digests
import Files
import HTTPServer
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

/// The check of a store through its control surface.
@Suite(.timeLimit(.minutes(2))) struct CheckTests {
    private func checked(_ table: RouteTable, repair: Bool = false) async throws -> JSONValue {
        var answer = await table.answer(method: "POST", path: "/check", body: ["repair": .bool(repair)])
        #expect(answer.status == 202)
        while answer.value?["running"]?.bool == true {
            await storePool.sleep(for: .milliseconds(5))
            answer = await table.answer(method: "GET", path: "/check", body: .null)
        }
        return try #require(answer.value)
    }

    private func put(_ store: OpenStore, _ name: String, _ size: Int) async throws {
        let photos = try #require(BucketName("photos".utf8))
        let bucket = try #require(try await store.metadata.bucket(named: photos))
        let bytes = [UInt8](repeating: 7, count: size)
        let given = Lock(false)
        let staged = try await store.objects.stage(
            ByteSource { consume in
                let isOver = given.withLock { given in
                    defer { given = true }
                    return given
                }
                if isOver { return false }
                try consume(bytes.span)
                return true
            }, digests: [], sizeMax: .max)
        _ = try await store.objects.publish(
            staged,
            as: NewVersion(
                bucket: bucket.id, key: try #require(ObjectKey(name.utf8)), owner: "root", size: 0,
                etag: ETag(md5: staged.digests[.md5] ?? []), attributes: ObjectAttributes(), checksum: nil, tags: [],
                content: .empty))
    }

    @Test func `a repair sets aside what is lost in the log, by its names, and the next check is clean`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        _ = try await store.metadata.createBucket(
            named: try #require(BucketName("photos".utf8)), owner: "root", at: .now())
        try await put(store, "a/first", 5_000)
        try await put(store, "a/second", 5_001)
        let table = store.controlTable(log: fixture.log)
        let blob = try #require(try await store.metadata.blobs(after: BlobID(0), limit: 10).last)
        guard case .segment(1, let offset) = blob.location else { throw TestSupportError("not in the first segment") }
        try LinuxDisk().open(fixture.folder.path + "/d/seg/00000001.seg", .update).write([1].span, at: offset + 99)

        var status = try await checked(table)
        #expect(status["errors"]?.integer == 1 && status["lost"]?.integer == 0)
        status = try await checked(table, repair: true)
        let finding = try #require(status["findings"]?.array?.first)
        #expect(status["errors"]?.integer == 1 && finding["quarantined"]?.bool == true)
        #expect(finding["reason"]?.string?.contains("it is photos/a/second version null") == true)
        for _ in 0..<2 {
            status = try await checked(table)
            #expect(status["errors"]?.integer == 0 && status["lost"]?.integer == 1)
            let known = try #require(status["findings"]?.array?.first)
            #expect(known["kind"]?.string == "lost")
            #expect(known["reason"]?.string?.contains("photos/a/second version null") == true)
        }
        await store.close()
    }

    @Test func `a store with a damaged database does not open, says what to do, and does after that`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        _ = try await store.metadata.createBucket(
            named: try #require(BucketName("photos".utf8)), owner: "root", at: .now())
        await store.close()
        let file = try LinuxDisk().open(fixture.folder.path + "/d/meta/main.db", .update)
        let former = try file.read(at: 100, count: 1)
        try file.write([former[0] ^ 2].span, at: 100)
        do {
            _ = try await fixture.open()
            Issue.record("it opened")
        } catch let error as StartError {
            #expect(error.isFinal)
            #expect(
                error.description.contains(
                    "damaged page 1 of \(fixture.folder.path)/d/meta/main.db; `ogw check --rebuild`"))
            #expect(!error.description.contains("\n"))
        }
        _ = try await OpenStore.rebuild(fixture.folder.path + "/d", pool: storePool)
        let again = try await fixture.open()
        let photos = try #require(BucketName("photos".utf8))
        #expect(try await again.metadata.bucket(named: photos) != nil)
        await again.close()
    }

    @Test func `a store that is whole, then damaged, then repaired, says so`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        _ = try await store.metadata.createBucket(
            named: try #require(BucketName("photos".utf8)), owner: "root", at: .now())
        let table = store.controlTable(log: fixture.log)
        var status = try #require(await table.answer(method: "GET", path: "/check", body: .null).value)
        #expect(status["running"]?.bool == false && status["started_at"] == .null)

        try await put(store, "small", 100)
        try await put(store, "large", 300_000)
        status = try await checked(table)
        #expect(status["blobs"]?.integer == 2 && status["errors"]?.integer == 0 && status["findings"]?.array == [])
        #expect(status["finished_at"]?.string != nil && status["failure"] == .null)

        let objects = fixture.folder.path + "/d/obj"
        let block = try #require(try LinuxDisk().names(in: objects).max())
        let name = try #require(try LinuxDisk().names(in: objects + "/" + block).first)
        try LinuxDisk().open(objects + "/" + block + "/" + name, .update).write([1].span, at: 1000)
        status = try await checked(table, repair: true)
        #expect(status["errors"]?.integer == 1)
        let finding = try #require(status["findings"]?.array?.first)
        #expect(finding["kind"]?.string == "damaged" && finding["quarantined"]?.bool == true)
        #expect(try LinuxDisk().names(in: objects + "/" + block) == [])
        #expect(try LinuxDisk().names(in: fixture.folder.path + "/d/quarantine").sorted() == [name, name + ".txt"])
        await store.close()

        let again = try await fixture.open()
        let reopened = again.controlTable(log: fixture.log)
        let kept = try #require(await reopened.answer(method: "GET", path: "/check", body: .null).value)
        #expect(kept["findings"]?.array?.count == 1)
        await again.close()
    }
}
