import Bytes
import Digests
import SQLite
import TestSupport
import Testing

@testable import Metadata

@Suite struct DecisionTests {
    /// Decides mutations one after another, as the committer does.
    private struct Decided {
        let connection: Connection
        var decisions: [Decision] = []

        init(path: String) throws {
            connection = try Connection.open(path, mode: .readWrite)
            try Schema.prepare(connection)
        }

        static func write(_ decision: Decision, on connection: Connection) throws {
            var rows = RowWriter(connection)
            try rows.apply(decision, payloadAt: nil)
            var uncounted = UncountedBytes()
            try rows.flush(&uncounted, writing: 1)
        }

        @discardableResult
        mutating func apply(_ mutation: Mutation) throws -> Answer {
            var decider = Decider(
                rows: Rows(connection: connection), limits: SQLiteStoreConfiguration(), now: .fixed,
                sequence: decisions.last?.sequence ?? 0)
            let (decision, answer) = try decider.decide(mutation)
            try Self.write(decision, on: connection)
            decisions.append(decision)
            return answer
        }
    }

    private func scenario(_ decided: inout Decided) throws {
        let name = try #require(BucketName("bucket".utf8))
        guard case .bucket(let bucket) = try decided.apply(.createBucket(name, owner: "alice", at: .fixed)) else {
            Issue.record("no bucket")
            return
        }
        func new(_ key: String, _ blob: UInt64) -> NewVersion {
            NewVersion(
                bucket: bucket.id, key: .of(key), owner: "alice", size: blob, etag: ETag(md5: .md5(1)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(blob)))
        }
        func delete(_ key: String, _ version: VersionID? = nil) -> Mutation {
            .delete(DeleteRequest(bucket: bucket.id, key: .of(key), version: version, owner: "alice"))
        }
        try decided.apply(.publish(new("a", 1)))
        try decided.apply(.publish(new("a", 2)))
        try decided.apply(.setVersioning(.enabled, bucket.id))
        try decided.apply(.publish(new("a", 3)))
        try decided.apply(.setTags([Tag(key: [1], value: [2])], .of("a"), bucket.id, nil, nil))
        try decided.apply(delete("a"))
        try decided.apply(.setVersioning(.suspended, bucket.id))
        try decided.apply(delete("a"))
        try decided.apply(delete("a", .null))
        for (id, isCompleted) in [(UploadID.random(), true), (.random(), false)] {
            try decided.apply(
                .createUpload(
                    Upload(
                        id: id, bucket: bucket.id, key: .of("m"), owner: "alice", initiated: .fixed,
                        attributes: ObjectAttributes(), tags: [], checksumAlgorithm: .crc32, checksumKind: .composite)))
            for (number, blob) in [(1, 10), (2, 11), (2, 12), (3, 13)] as [(Int, UInt64)] {
                let part = UploadedPart(
                    number: number, size: 5, md5: .md5(1), checksum: nil, modified: .fixed,
                    blob: BlobID(blob + (isCompleted ? 0 : 100)))
                try decided.apply(.putPart(part, nil, id, .of("m"), bucket.id))
            }
            guard isCompleted else { continue }
            let parts = [1, 2].map { CompleteRequest.Part(number: $0, md5: .md5(1), checksum: nil) }
            try decided.apply(
                .completeUpload(
                    CompleteRequest(
                        upload: id, bucket: bucket.id, key: .of("m"), parts: parts, partSizeMin: 1, size: nil,
                        etag: ETag(md5: .md5(2), partCount: 2), checksum: nil, conditions: WriteConditions())))
        }
        try decided.apply(delete("m"))
        try decided.apply(
            .addUser(
                User(
                    name: "alice", accessKey: [1], sealedSecret: [2], policy: .admin, customer: nil, isDisabled: false,
                    created: .fixed)))
        try decided.apply(.forgetGarbage([BlobID(1)]))
        try decided.apply(.setAssets(true, bucket.id))
        try decided.apply(.configure(bucket.id, .tags, [1, 2]))
        try decided.apply(.configure(bucket.id, .cors, [3]))
        try decided.apply(.configure(bucket.id, .tags, nil))
        try decided.apply(.setVersioning(.enabled, bucket.id))
        try decided.apply(.publish(new("asset", 20)))
        try decided.apply(.setTags([Tag(key: [1], value: [])], .of("asset"), bucket.id, nil, nil))
        if let asset = try Rows(connection: decided.connection).asset(of: .of("asset"), in: bucket.id) {
            var details = AssetDetails()
            details.width = 5
            try decided.apply(.setAssetDetails(details, asset.id, ifNow: nil))
        }
        try decided.apply(.publish(new("gone", 21)))
        try decided.apply(delete("asset"))
        try decided.apply(.setVersioning(.suspended, bucket.id))
        try decided.apply(.publish(new("gone", 22)))
        let changes = try Rows(connection: decided.connection).assetChanges(after: 0, limit: 10)
        try decided.apply(.forgetAssetChanges(through: changes[2].number))
        for version in ["asset", "gone"] { try decided.apply(delete(version, .null)) }
        try targets(&decided)
        try jobs(&decided, bucket)
    }

    private func targets(_ decided: inout Decided) throws {
        for name in ["webhook:x", "redis:y", "webhook:x"] {
            try decided.apply(
                .setTarget(StoredTarget(name: name, document: [1], sealedSecret: [2, 3], created: .fixed)))
        }
        try decided.apply(.moveTarget("webhook:x", to: 1 << 40, dropping: 3))
        try decided.apply(.removeTarget("redis:y"))
    }

    /// A hook of two steps: one run that ends well, and one that dies, is retried and is cancelled.
    private func jobs(_ decided: inout Decided, _ bucket: Bucket) throws {
        try decided.apply(.setHooks([1, 2, 3], bucket.id, ifRevision: nil))
        var draft = EventDraft(
            name: .createdPut, bucketName: bucket.name, principal: "alice", customer: "acme", revision: 1)
        draft.hooks = [EventHook(name: "h")]
        draft.bindings = [EventBinding(id: "b", target: "webhook:x")]
        draft.origin = EventOrigin(bucket: bucket.id, hook: "other", depth: 2)
        for (key, blob) in [("one", 30), ("two", 31)] as [(String, UInt64)] {
            try decided.apply(
                .publish(
                    NewVersion(
                        bucket: bucket.id, key: .of(key), owner: "alice", size: 1,
                        etag: ETag(md5: .md5(1), partCount: 2),
                        attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(blob)),
                        event: draft)))
        }
        let noted = try Rows(connection: decided.connection).events(after: 0, limit: 10)
        try decided.apply(.noteEvents(noted))
        let events = Array(try Rows(connection: decided.connection).events(after: 0, limit: 10).prefix(noted.count))
        let groups = events.map { event in
            JobGroup(
                id: JobID(at: .fixed), event: event, hook: "h", queue: "default", lane: [1], rank: 5,
                steps: [
                    .init(name: "a", kind: "probe", after: nil, proceeds: false),
                    .init(name: "b", kind: "probe", after: 0, proceeds: false),
                ], notify: ["webhook:x"], created: .fixed)
        }
        try decided.apply(.planJobs(after: 0, through: events.last?.position ?? 0, groups))
        func claim() throws -> LeasedJob {
            let claim = JobClaim(worker: "w", queues: ["default"], countMax: 1)
            guard case .claimed(let jobs) = try decided.apply(.claimJobs(claim)) else { throw MetadataError.noSuchJob }
            return try #require(jobs.first)
        }
        let first = try claim()
        let made = NewVersion(
            bucket: bucket.id, key: .of("made"), owner: "alice", size: 1, etag: ETag(md5: .md5(1)),
            attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(BlobID(32)))
        try decided.apply(
            .completeJob(
                JobCompletion(
                    job: first.job.id, token: first.job.token, files: [("made", made)], result: Array("{}".utf8),
                    tags: [Tag(key: [7], value: [])])))
        let second = try claim()
        for next in [JobFailure.Next.retry(at: .fixed), .giveBack] {
            let held = next == .giveBack ? try claim() : second
            try decided.apply(
                .endTry(JobFailure(job: held.job.id, token: held.job.token, next: next, reason: "r", isCrash: true)))
        }
        let dying = try claim()
        try decided.apply(
            .endTry(JobFailure(job: dying.job.id, token: dying.job.token, next: .dead, reason: "no")))
        try decided.apply(.retryJob(dying.job.id))
        try decided.apply(.cancelJobs(group: dying.group.id))
        try decided.apply(.forgetHistory(before: Timestamp(milliseconds: Timestamp.fixed.milliseconds + 1)))
    }

    @Test func `decisions applied to an empty database give the same rows, even each one twice`() throws {
        let folder = try TemporaryFolder()
        var decided = try Decided(path: folder.path + "/first.db")
        try scenario(&decided)
        let expected = try Tables.dump(decided.connection)
        #expect(expected.count > 5)
        for times in 1...2 {
            let copy = try Decided(path: folder.path + "/copy-\(times).db")
            for decision in decided.decisions {
                let read = try Records.decision(Records.encode(decision, at: .fixed)).0
                #expect(read == decision)
                for _ in 0..<times { try Decided.write(read, on: copy.connection) }
            }
            #expect(try Tables.dump(copy.connection) == expected)
        }
    }

    @Test func `numbers ascend from decision to decision and blobs are adopted once`() throws {
        let folder = try TemporaryFolder()
        var decided = try Decided(path: folder.path + "/first.db")
        try scenario(&decided)
        #expect(zip(decided.decisions, decided.decisions.dropFirst()).allSatisfy { $0.sequence <= $1.sequence })
        let adopted = decided.decisions.flatMap(\.adoptedFiles)
        #expect(Set(adopted).count == adopted.count && adopted.count == 17)
    }
}
