import Bytes
import Metadata
import Testing

extension ContractCase {
    static let buckets = [
        ContractCase("a bucket is found by name, listed in order, and removed when empty") { subject in
            let store = subject.store
            let prefix = Subject.name("list")
            func name(_ suffix: String) -> BucketName { known(BucketName(prefix.utf8 + suffix.utf8)) }
            var made: [Bucket] = []
            for suffix in ["b", "a", "c"] {
                made.append(try await store.createBucket(named: name(suffix), owner: "alice", at: .fixed))
            }
            #expect(try await store.bucket(named: name("a")) == made[1])
            #expect(made[1].created == .fixed && made[1].owner == "alice" && made[1].versioning == .unversioned)
            let sorted = [made[1], made[0], made[2]]
            #expect(try await store.buckets(after: nil, prefix: prefix.utf8, limit: 10) == sorted)
            #expect(try await store.buckets(after: nil, prefix: prefix.utf8, limit: 2) == Array(sorted[..<2]))
            #expect(
                try await store.buckets(after: sorted[0].name, prefix: prefix.utf8, limit: 9) == Array(sorted[1...]))
            try await store.deleteBucket(sorted[1].id)
            #expect(try await store.bucket(named: sorted[1].name) == nil)
            #expect(try await store.buckets(after: nil, prefix: prefix.utf8, limit: 9) == [sorted[0], sorted[2]])
            await #expect(throws: MetadataError.noSuchBucket) { try await store.deleteBucket(sorted[1].id) }
        },
        ContractCase("a name is taken once, and a bucket made again is another") { subject in
            let name = Subject.name()
            let first = try await subject.store.createBucket(named: name, owner: "alice", at: .fixed)
            await #expect(throws: MetadataError.bucketExists(owner: "alice")) {
                _ = try await subject.store.createBucket(named: name, owner: "bob", at: .fixed)
            }
            try await subject.store.deleteBucket(first.id)
            let second = try await subject.store.createBucket(named: name, owner: "bob", at: .fixed)
            #expect(second.id != first.id && second.owner == "bob")
        },
        ContractCase("a bucket with uploads in progress goes, and their parts become garbage") { subject in
            let store = subject.store
            let bucket = try await subject.bucket(.enabled)
            let upload = try await subject.beginUpload("k", in: bucket)
            let blob = try await subject.putPart(1, of: upload).blob
            try await store.deleteBucket(bucket)
            #expect(try await store.upload(upload.id, of: upload.key, in: bucket) == nil)
            let garbage = try await store.garbage(limit: 1_000)
            #expect(blob.map { garbage.contains($0) } == true)
        },
        ContractCase("a bucket with versions or delete markers stays") { subject in
            let store = subject.store
            let bucket = try await subject.bucket(.enabled)
            let marker = try await subject.delete("k", in: bucket)
            await #expect(throws: MetadataError.bucketNotEmpty) { try await store.deleteBucket(bucket) }
            try await subject.delete("k", in: bucket, marker.versionID)
            let made = try await subject.put("k", in: bucket)
            await #expect(throws: MetadataError.bucketNotEmpty) { try await store.deleteBucket(bucket) }
            try await subject.delete("k", in: bucket, made.versionID)
            try await store.deleteBucket(bucket)
        },
        ContractCase("the versioning state is kept, and never goes back to unversioned") { subject in
            let name = Subject.name()
            let bucket = try await subject.store.createBucket(named: name, owner: "alice", at: .fixed)
            for (set, kept) in [
                (VersioningState.enabled, VersioningState.enabled), (.suspended, .suspended),
                (.unversioned, .suspended),
            ] {
                try await subject.store.setVersioning(set, of: bucket.id)
                #expect(try await subject.store.bucket(named: name)?.versioning == kept)
            }
            await #expect(throws: MetadataError.noSuchBucket) {
                try await subject.store.setVersioning(.enabled, of: BucketID(Int64.max))
            }
        },
        ContractCase("a bucket keeps one document of each kind, whatever else of it changes") { subject in
            let store = subject.store
            let name = Subject.name()
            let id = try await store.createBucket(named: name, owner: "alice", at: .fixed).id
            #expect(try await store.bucket(named: name)?.configuration.isEmpty == true)
            try await store.configure(id, .tags, with: [1, 0, 0xFF])
            try await store.configure(id, .cors, with: Array(repeating: 7, count: 70_000))
            try await store.setVersioning(.enabled, of: id)
            try await store.setAssets(true, of: id)
            try await subject.put("k", in: id)
            let set = try #require(try await store.bucket(named: name)).configuration
            #expect(set[.tags] == [1, 0, 0xFF] && set[.cors]?.count == 70_000 && set[.policy] == nil)
            let listed = try await store.buckets(after: nil, prefix: name.utf8, limit: 1)
            #expect(listed.map(\.configuration) == [set])
            try await store.configure(id, .tags, with: [])
            try await store.configure(id, .cors, with: nil)
            try await store.configure(id, .policy, with: nil)
            let changed = try #require(try await store.bucket(named: name)).configuration
            #expect(changed[.tags] == [] && changed[.cors] == nil && !changed.isEmpty)
            await #expect(throws: MetadataError.noSuchBucket) {
                try await store.configure(BucketID(Int64.max), .tags, with: [1])
            }
        },
    ]

    static let users = [
        ContractCase("a user is found by access key, updated by name, and unique in both") { subject in
            let store = subject.store
            let tail = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            func user(_ name: String, _ key: String, disabled: Bool = false) -> User {
                User(
                    name: name + tail, accessKey: [UInt8]((key + tail).utf8), sealedSecret: [0, 0xFF, 1],
                    policy: .readwrite, customer: disabled ? nil : "acme", isDisabled: disabled, created: .fixed)
            }
            let alice = user("alice", "AK1")
            try await store.addUser(alice)
            #expect(try await store.user(accessKey: alice.accessKey) == alice)
            #expect(try await store.user(accessKey: [1, 2, 3]) == nil)
            await #expect(throws: MetadataError.userExists) { try await store.addUser(user("alice", "AK2")) }
            await #expect(throws: MetadataError.accessKeyExists) { try await store.addUser(user("bob", "AK1")) }
            let bob = user("bob", "AK2")
            try await store.addUser(bob)
            let rotated = user("alice", "AK3", disabled: true)
            try await store.updateUser(rotated)
            #expect(try await store.user(accessKey: alice.accessKey) == nil)
            #expect(try await store.user(accessKey: rotated.accessKey) == rotated)
            await #expect(throws: MetadataError.accessKeyExists) { try await store.updateUser(user("alice", "AK2")) }
            await #expect(throws: MetadataError.noSuchUser) { try await store.updateUser(user("carol", "AK4")) }
            #expect(try await store.users().filter { $0.name.hasSuffix(tail) } == [rotated, bob])
        }
    ]

    static let garbage = [
        ContractCase("garbage stays listed, oldest first, until it is forgotten") { subject in
            let bucket = try await subject.bucket()
            var dropped: [BlobID] = []
            for index in 0..<5 {
                let made = try await subject.put("k\(index)", in: bucket, blob: Blobs.next())
                dropped += made.content.blobs
            }
            for index in 0..<5 { try await subject.delete("k\(index)", in: bucket) }
            func mine() async throws -> [BlobID] {
                try await subject.store.garbage(limit: 100_000).filter { dropped.contains($0) }
            }
            #expect(try await mine() == dropped)
            #expect(try await mine() == dropped)
            try await subject.store.forgetGarbage(Array(dropped[..<2]))
            try await subject.store.forgetGarbage(Array(dropped[..<2]))
            #expect(try await mine() == Array(dropped[2...]))
            #expect(try await subject.store.garbage(limit: 0).isEmpty)
            #expect(try subject.store.garbageCount() >= 3)
        },
        ContractCase("blobs are listed in the order of their ids, page by page, while something names them") {
            subject in
            let bucket = try await subject.bucket()
            var blobs: [BlobID] = []
            for index in 0..<5 {
                blobs += try await subject.put("k\(index)", in: bucket, blob: Blobs.next()).content.blobs
            }
            let first = try #require(blobs.min())
            func listed(after: BlobID, limit: Int) async throws -> [BlobID] {
                let found = try await subject.store.blobs(after: after, limit: limit)
                #expect(found.map(\.id) == found.map(\.id).sorted())
                return found.map(\.id).filter { blobs.contains($0) }
            }
            #expect(try await listed(after: BlobID(first.value - 1), limit: 100_000) == blobs.sorted())
            #expect(try await listed(after: first, limit: 100_000) == [BlobID](blobs.sorted().dropFirst()))
            #expect(try await subject.store.blobs(after: BlobID(first.value - 1), limit: 1).map(\.id) == [first])
            #expect(try await subject.store.blobs(after: BlobID(.max), limit: 10).isEmpty)
            try await subject.delete("k0", in: bucket)
            let left = blobs.dropFirst().sorted()
            #expect(try await listed(after: BlobID(0), limit: 100_000) == left)
        },
    ]
}
