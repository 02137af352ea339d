import Metadata
import Mongo
import TestMongo
import Testing

/// Writes whose answer does not arrive, on a server of their own that is told to fail.
@Suite(.serialized) struct MongoOutcomeTests {
    /// How a command fails.
    struct Failure: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let how: BSONDocument

        static let all = [
            // Before it is carried out; the client cannot know.
            Failure(testDescription: "the connection breaks", how: ["closeConnection": true]),
            // Carried out, and whether a majority has it is not said: ShutdownInProgress, and a timeout.
            Failure(
                testDescription: "the server stops after it was carried out",
                how: ["writeConcernError": ["code": 91, "errmsg": "stops"]]),
            Failure(
                testDescription: "a majority does not answer in time",
                how: ["writeConcernError": ["code": 64, "errmsg": "waiting for replication timed out"]]),
            Failure(testDescription: "the server is no primary any more", how: ["errorCode": 10_107]),
            Failure(testDescription: "the server steps down", how: ["errorCode": 189]),
        ]
    }

    private static let server = Result { try MongoServer.start() }

    /// A bucket on the server, whose next `times` commands of that name fail while `body` runs.
    private static func failing(
        _ command: StaticString, _ failure: Failure, times: Int32 = 3, _ state: VersioningState = .enabled,
        prepare: (Subject, BucketID) async throws -> Void = { _, _ in },
        _ body: (Subject, BucketID) async throws -> Void
    ) async throws {
        let server = try Self.server.get()
        let shared = try await Shared(server: server)
        let bucket = try await shared.subject.bucket(state)
        try await prepare(shared.subject, bucket)
        try server.fail(command, times: times, failure.how)
        try await body(shared.subject, bucket)
        try shared.drop()
    }

    @Test(arguments: Failure.all) func `a version is published once`(failure: Failure) async throws {
        try await Self.failing("findAndModify", failure) { subject, bucket in
            let made = try await subject.put("k", in: bucket)
            #expect(try await subject.listVersions(bucket).versions.map(\.versionID) == [made.versionID])
            #expect(try await subject.get("k", in: bucket) == made)
        }
    }

    /// New keys are inserted, others updated, and what is not known is made by itself.
    @Test(arguments: Failure.all) func `versions that are written together are published once`(failure: Failure)
        async throws
    {
        for command in ["insert", "update", "find"] as [StaticString] {
            var former: [ObjectVersion] = []
            try await Self.failing(command, failure, times: 6) { subject, bucket in
                for _ in 0..<2 { former.append(try await subject.put("k0", in: bucket)) }
            } _: { subject, bucket in
                let made = try await MongoRaceTests.race(24) { try await subject.put("k\($0 % 3)", in: bucket) }
                let listed = try await subject.listVersions(bucket).versions
                #expect(Set(listed.map(\.versionID)) == Set((made + former).map(\.versionID)))
                #expect(listed.count == 26)
                for version in made {
                    let found = try await subject.get(version.key.text, in: bucket, version.versionID)
                    #expect(found?.content == version.content && found?.sequence == version.sequence)
                }
                #expect(try await subject.garbage().isEmpty)
            }
        }
    }

    @Test(arguments: Failure.all) func `unversioned keys that are written together drop what they replace`(
        failure: Failure
    ) async throws {
        for command in ["insert", "update"] as [StaticString] {
            var former: [ObjectVersion] = []
            try await Self.failing(command, failure, times: 6, .unversioned) { subject, bucket in
                for _ in 0..<2 { former.append(try await subject.put("k0", in: bucket)) }
            } _: { subject, bucket in
                let made = try await MongoRaceTests.race(24) { try await subject.put("k\($0 % 3)", in: bucket) }
                var kept = Set<UInt64>()
                for key in 0..<3 {
                    for blob in try await subject.get("k\(key)", in: bucket)?.content.blobs ?? [] {
                        kept.insert(blob.value)
                    }
                }
                let all = Set((former + made).flatMap(\.content.blobs).map(\.value))
                #expect(kept.count == 3 && kept.isSubset(of: all))
                #expect(try await subject.garbage() == all.subtracting(kept))
            }
        }
    }

    @Test(arguments: Failure.all) func `If-None-Match does not fail over its own write`(failure: Failure) async throws {
        try await Self.failing("findAndModify", failure, .unversioned) { subject, bucket in
            var ifAbsent = WriteConditions()
            ifAbsent.ifNoneMatch = .any
            let made = try await subject.put("k", in: bucket, conditions: ifAbsent)
            #expect(try await subject.get("k", in: bucket) == made)
        }
    }

    @Test(arguments: Failure.all) func `an overwritten version is dropped, and the new one is not`(failure: Failure)
        async throws
    {
        var old: [BlobID] = []
        try await Self.failing("findAndModify", failure, .unversioned) { subject, bucket in
            old = try await subject.put("k", in: bucket).content.blobs
        } _: { subject, bucket in
            _ = try await subject.put("k", in: bucket)
            #expect(try await subject.garbage() == Set(old.map(\.value)))
        }
    }

    @Test(arguments: Failure.all) func `a delete answers as if nothing had failed`(failure: Failure) async throws {
        try await Self.failing("findAndModify", failure) { subject, bucket in
            let made = try await subject.put("k", in: bucket)
            let other = try await subject.put("k", in: bucket)
            try Self.server.get().fail("findAndModify", times: 2, failure.how)
            let removed = try await subject.delete("k", in: bucket, other.versionID)
            #expect(removed == DeleteResult(versionID: other.versionID, isDeleteMarker: false))
            #expect(try await subject.get("k", in: bucket)?.versionID == made.versionID)
            try Self.server.get().fail("findAndModify", times: 2, failure.how)
            let marker = try await subject.delete("k", in: bucket)
            #expect(
                try await subject.listVersions(bucket).versions.map(\.versionID) == [marker.versionID, made.versionID])
            try Self.server.get().fail("findAndModify", times: 2, failure.how)
            _ = try await subject.store.setTags(
                [Tag(key: [1], value: [2])], of: .of("k"), in: bucket, version: made.versionID)
            #expect(try await subject.get("k", in: bucket, made.versionID)?.tags == [Tag(key: [1], value: [2])])
        }
    }

    @Test(arguments: Failure.all) func `Complete makes one version, and drops no part of it`(failure: Failure)
        async throws
    {
        try await Self.failing("findAndModify", failure) { subject, bucket in
            let upload = try await subject.beginUpload("k", in: bucket)
            var parts: [UploadedPart] = []
            for number in 1...3 { parts.append(try await subject.putPart(number, of: upload)) }
            for command in ["findAndModify", "update", "insert", "delete"] as [StaticString] {
                try Self.server.get().fail(command, times: 2, failure.how)
                _ = try await subject.listUploads(bucket)
            }
            let left = try await subject.putPart(4, of: upload)
            try Self.server.get().fail("update", times: 2, failure.how)
            let made = try await subject.complete(upload, parts)
            #expect(try await subject.complete(upload, parts) == made)
            #expect(try await subject.listVersions(bucket).versions.map(\.versionID) == [made.versionID])
            #expect(try await subject.garbage() == Set([left.blob].compactMap { $0?.value }))
        }
    }

    @Test(arguments: Failure.all) func `buckets and users are made and removed once`(failure: Failure) async throws {
        try await Self.failing("insert", failure) { subject, _ in
            let name = Subject.name()
            let bucket = try await subject.store.createBucket(named: name, owner: "alice", at: .fixed)
            try Self.server.get().fail("update", times: 2, failure.how)
            try await subject.store.setVersioning(.enabled, of: bucket.id)
            #expect(try await subject.store.bucket(named: name)?.versioning == .enabled)
            try Self.server.get().fail("delete", times: 2, failure.how)
            try await subject.store.deleteBucket(bucket.id)
            #expect(try await subject.store.bucket(named: name) == nil)
            let user = User(
                name: "u", accessKey: [0x61], sealedSecret: [1], policy: .admin, customer: nil, isDisabled: false,
                created: .fixed)
            try Self.server.get().fail("insert", times: 2, failure.how)
            try await subject.store.addUser(user)
            await #expect(throws: MetadataError.userExists) { try await subject.store.addUser(user) }
        }
    }

    @Test(arguments: Failure.all) func `what the relay moves arrives once`(failure: Failure) async throws {
        try await Self.failing("update", failure, times: 4) { subject, bucket in
            var made: [VersionID] = []
            for _ in 0..<5 { made.insert(try await subject.put("k", in: bucket).versionID, at: 0) }
            #expect(try await subject.garbage().isEmpty)
            #expect(try await subject.listVersions(bucket).versions.map(\.versionID) == made)
        }
    }
}
