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

    @Test func `a store that is whole, then damaged, then repaired, says so`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        _ = try await store.metadata.createBucket(
            named: try #require(BucketName("photos".utf8)), owner: "root", at: .now())
        let table = ControlRoutes.table(store.administration, log: fixture.log)
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
        let reopened = ControlRoutes.table(again.administration, log: fixture.log)
        let kept = try #require(await reopened.answer(method: "GET", path: "/check", body: .null).value)
        #expect(kept["findings"]?.array?.count == 1)
        await again.close()
    }
}
