import Digests
import Metadata
import Mongo
import TestMongo
import TestSupport
import Testing
import Threads

/// Servers that are not what the store needs, and servers that go away.
@Suite struct MongoFailureTests {
    private static func reason(_ server: MongoServer) async -> String {
        do {
            _ = try await Shared(server: server)
            return ""
        } catch MetadataError.broken(let reason) {
            return reason
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func `a server that is no member of a replica set is refused, with what to do`() async throws {
        let reason = await Self.reason(try MongoServer.startAlone())
        #expect(reason.contains("not a member of a replica set") && reason.contains("mongosh --eval 'rs.initiate()'"))
    }

    @Test func `a replica set that was not initiated is refused, with the command`() async throws {
        let reason = await Self.reason(try MongoServer.startAlone(set: "rs0"))
        #expect(reason.contains("not initiated yet") && reason.contains("mongosh --eval 'rs.initiate()'"))
    }

    @Test func `a database of another format is refused`() async throws {
        let shared = try await Shared()
        try shared.plain().update(
            [MongoDatabase.Update(["_id": "format"], .document(["$set": ["number": 99]]))], in: "store")
        await #expect {
            _ = try await Shared(database: shared.database)
        } throws: { error in
            if case .broken(let reason) = error as? MetadataError { reason.contains("format 99") } else { false }
        }
        try shared.drop()
    }

    @Test func `a store opens without its server, is unavailable, and goes on when it comes`() async throws {
        let server = try MongoServer.start()
        let member = try server.primary()
        server.kill(member)
        let shared = try await Shared(server: server) { $0.patience = .milliseconds(200) }
        await #expect {
            _ = try await shared.store.bucket(named: Subject.name())
        } throws: { error in
            if case .unavailable = error as? MetadataError { true } else { false }
        }
        try server.startAgain(member)
        // A new primary takes a while; so does finding it.
        let deadline = ContinuousClock.now + .seconds(60)
        while (try? await shared.store.bucket(named: Subject.name())) == nil, ContinuousClock.now < deadline {
            do { if try await shared.store.users().isEmpty { break } } catch {}
            try await Task.sleep(for: .milliseconds(50))
        }
        let bucket = try await shared.subject.bucket()
        let made = try await shared.subject.put("k", in: bucket)
        // Once more, while it is in use.
        let again = try server.primary()
        server.kill(again)
        try server.startAgain(again)
        let patient = try await Shared(server: server, database: shared.database) { $0.patience = .seconds(60) }
        #expect(try await patient.subject.get("k", in: bucket) == made)
        server.stop()
    }
}

/// Primaries that change under load, 5 times or as often as `OGW_TEST_ELECTIONS` says: what was acknowledged stays, once, in the order of its acknowledgements.
@Suite struct MongoElectionTests {
    /// What one writer knows of its writes. Each has an ETag of its own.
    struct History: Sendable {
        var acknowledged: [[UInt8]] = []
        var unknown: Set<[UInt8]> = []
        /// Reads that showed less than was acknowledged before, to the same gateway.
        var staleReads = 0
    }

    @Test func `nothing acknowledged is lost and nothing comes twice while primaries step down and die`() async throws {
        let server = try MongoServer.start(memberCount: 3)
        let one = try await Shared(server: server)
        let two = try await Shared(server: server, database: one.database)
        one.store.startRelay()
        two.store.startRelay()
        let bucket = try await one.subject.bucket(.enabled)
        let isOver = Lock(false)
        let running = Lock(8)
        let histories: Lock<[String: History]> = Lock([:])
        let counted = Lock(0)
        for worker in 0..<8 {
            let subject = worker.isMultiple(of: 2) ? one.subject : two.subject
            // Half of the writers share a key.
            let key = worker < 4 ? "own-\(worker)" : "hot"
            Shared.pool.run {
                while !isOver.withLock({ $0 }) {
                    let etag = (0..<16).map { _ in UInt8.random(in: 0...255) }
                    do {
                        let made = try await subject.publish(key, etag, in: bucket)
                        histories.withLock { $0[key, default: History()].acknowledged.append(etag) }
                        counted.withLock { $0 += 1 }
                        let read = try await subject.get(key, in: bucket)
                        if (read?.sequence ?? 0) < made.sequence {
                            histories.withLock { $0[key, default: History()].staleReads += 1 }
                        }
                    } catch {
                        histories.withLock { _ = $0[key, default: History()].unknown.insert(etag) }
                    }
                }
                running.withLock { $0 -= 1 }
            }
        }
        let rounds = variable("OGW_TEST_ELECTIONS").flatMap { Int($0) } ?? 5
        for round in 0..<rounds {
            let before = counted.withLock { $0 }
            if round % 5 == 2 {
                let primary = try server.primary()
                server.kill(primary)
                try await Task.sleep(for: .seconds(1))
                try server.startAgain(primary)
            } else {
                try server.stepDown()
            }
            // Writes go on.
            let deadline = ContinuousClock.now + .seconds(60)
            while counted.withLock({ $0 }) < before + 40, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(counted.withLock { $0 } >= before + 40, "no writes went on after change \(round) of the primary")
            while (try? server.primary()) == nil { try await Task.sleep(for: .milliseconds(100)) }
        }
        isOver.withLock { $0 = true }
        while running.withLock({ $0 }) > 0 { try await Task.sleep(for: .milliseconds(10)) }

        for (key, history) in histories.withLock({ $0 }) {
            var listed: [ObjectVersion] = []
            var marker: (key: [UInt8]?, version: VersionID?) = (nil, nil)
            while true {
                let page = try await one.store.listVersions(
                    ListVersionsQuery(
                        bucket: bucket, prefix: [UInt8](key.utf8), delimiter: nil, keyMarker: marker.key,
                        versionMarker: marker.version, limit: 1_000))
                listed += page.versions
                guard page.isTruncated else { break }
                marker = (page.nextKeyMarker, page.nextVersionMarker)
            }
            let found = listed.reversed().map(\.etag.md5)
            #expect(Set(found).count == found.count, "\(key): a version came twice")
            let acknowledged = Set(history.acknowledged)
            #expect(acknowledged.isSubset(of: found), "\(key): an acknowledged version is missing")
            #expect(Set(found).isSubset(of: acknowledged.union(history.unknown)), "\(key): a version that nobody wrote")
            #expect(listed.map(\.sequence) == listed.map(\.sequence).sorted(by: >))
            #expect(Set(listed.map(\.sequence)).count == listed.count)
            #expect(history.staleReads == 0, "\(key): a read showed less than was acknowledged")
            for version in listed.prefix(500) {
                let named = try await two.store.version(of: .of(key), in: bucket, version: version.versionID)
                let blob = try #require(named?.content.blobs.first)
                #expect(try await two.store.bytes(of: blob) == version.etag.md5, "\(key): a version without its bytes")
            }
            if key != "hot" {
                // One after another by one writer.
                #expect(found.filter { acknowledged.contains($0) } == history.acknowledged)
            }
        }
        let unknown = histories.withLock { $0.values.reduce(0) { $0 + $1.unknown.count } }
        print("elections: \(counted.withLock { $0 }) acknowledged, \(unknown) of unknown outcome")
        server.stop()
    }
}

extension Subject {
    fileprivate func publish(_ key: String, _ md5: [UInt8], in bucket: BucketID) async throws -> ObjectVersion {
        // The bytes are the ETag's.
        let blob = NewBlob(
            id: BlobID(Blobs.next()), size: UInt64(md5.count), crc32c: CRC32C.of(md5), bytes: md5)
        return try await store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: blob.size, etag: ETag(md5: md5),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob))
    }
}
