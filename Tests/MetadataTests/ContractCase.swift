import Bytes
import Digests
import Metadata
import Testing

/// One behaviour that every `MetadataStore` has. Cases make buckets of their own, so they may share a store.
struct ContractCase: Sendable, CustomTestStringConvertible {
    let name: String
    let body: @Sendable (Subject) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        self.name = name
        self.body = body
    }

    var testDescription: String { name }

    static let all = buckets + versions + conditions + listings + versionListings + uploads + users + garbage + assets
}

/// The store under test, and short words for what cases do to it.
struct Subject: Sendable {
    let store: any MetadataStore

    static func name(_ prefix: String = "bucket") -> BucketName {
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        return BucketName("\(prefix)-\(random)".utf8) ?? fallback
    }

    private static let fallback = known(BucketName("bucket-that-never-is".utf8))

    func bucket(_ state: VersioningState = .unversioned) async throws -> BucketID {
        let bucket = try await store.createBucket(named: Self.name(), owner: "alice", at: .fixed)
        if state != .unversioned { try await store.setVersioning(state, of: bucket.id) }
        return bucket.id
    }

    @discardableResult
    func put(
        _ key: String, in bucket: BucketID, blob: UInt64? = nil, content: Content? = nil, size: UInt64 = 10,
        md5 seed: UInt8 = 1, tags: [Tag] = [], attributes: ObjectAttributes = ObjectAttributes(),
        checksum: Checksum? = nil, conditions: WriteConditions = WriteConditions()
    ) async throws -> ObjectVersion {
        try await store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: "alice", size: size, etag: ETag(md5: .md5(seed)),
                attributes: attributes, checksum: checksum, tags: tags,
                content: content ?? .blob(BlobID(blob ?? Blobs.next())), conditions: conditions))
    }

    @discardableResult
    func delete(
        _ key: String, in bucket: BucketID, _ version: VersionID? = nil, conditions: WriteConditions = WriteConditions()
    ) async throws -> DeleteResult {
        try await store.delete(
            DeleteRequest(
                bucket: bucket, key: .of(key), version: version, owner: "alice", conditions: conditions))
    }

    func get(_ key: String, in bucket: BucketID, _ version: VersionID? = nil) async throws -> ObjectVersion? {
        var found = try await store.version(of: .of(key), in: bucket, version: version)
        // Where the bytes lie is the store's own affair.
        found?.blob = nil
        return found
    }

    func list(
        _ bucket: BucketID, prefix: String = "", delimiter: String? = nil, after: String? = nil, limit: Int = 1000
    ) async throws -> ListPage {
        try await store.listObjects(
            ListQuery(
                bucket: bucket, prefix: [UInt8](prefix.utf8), delimiter: delimiter.map { [UInt8]($0.utf8) },
                after: after.map { [UInt8]($0.utf8) }, limit: limit))
    }

    func listVersions(
        _ bucket: BucketID, prefix: String = "", delimiter: String? = nil, key: String? = nil,
        version: VersionID? = nil, limit: Int = 1000
    ) async throws -> ListVersionsPage {
        try await store.listVersions(
            ListVersionsQuery(
                bucket: bucket, prefix: [UInt8](prefix.utf8), delimiter: delimiter.map { [UInt8]($0.utf8) },
                keyMarker: key.map { [UInt8]($0.utf8) }, versionMarker: version, limit: limit))
    }

    /// All garbage of the store, which other cases may add to.
    func garbage() async throws -> Set<UInt64> {
        Set(try await store.garbage(limit: 100_000).map(\.value))
    }
}

/// Blob ids that no other test uses.
enum Blobs {
    static func next() -> UInt64 { UInt64.random(in: 1...(1 << 62)) }
}

extension Timestamp {
    static let fixed = Timestamp(milliseconds: 1_700_000_000_123)
}

/// The value of a fixture that is right by its making; a wrong one ends the run.
func known<Value>(_ value: Value?) -> Value {
    guard let value else { fatalError("a fixture is not valid") }
    return value
}

extension ObjectKey {
    static func of(_ text: String) -> ObjectKey { known(ObjectKey(text.utf8)) }
}

extension [UInt8] {
    static func md5(_ seed: UInt8) -> [UInt8] { [UInt8](repeating: seed, count: 16) }
}

extension ListPage {
    var keys: [String] { objects.map(\.key.text) }
    var prefixes: [String] { commonPrefixes.map { String(decoding: $0, as: UTF8.self) } }
}

extension ListVersionsPage {
    var keys: [String] { versions.map(\.key.text) }
    var prefixes: [String] { commonPrefixes.map { String(decoding: $0, as: UTF8.self) } }
}

/// Testing has a `Tag` of its own.
typealias Tag = Metadata.Tag
