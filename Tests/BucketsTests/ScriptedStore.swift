import Bytes
import Metadata
import RedoLog
import Synchronization
import Threads

/// The part of a metadata store that `ObjectStore` uses, for one unversioned bucket in memory. It can be told to refuse or
/// to fail, which no real store does on demand.
final class ScriptedStore: MetadataStore {
    struct State {
        var versions: [ObjectKey: ObjectVersion] = [:]
        var parts: [Int: UploadedPart] = [:]
        var garbage: [BlobID] = []
        var forgotten: [BlobID] = []
        var blobs: [BlobID: StoredBlob] = [:]
        var damagedPages: [DamagedPage] = []
        /// Thrown by the next write.
        var failure: MetadataError?
        /// The write that fails is done nevertheless.
        var commitsOnFailure = false
        var sequence: Int64 = 0
    }

    let state = Lock(State())
    /// Calls of `version`.
    let lookUps = Atomic<Int>(0)
    let barrier: @Sendable ([BlobID]) throws -> Void
    private let segments: SegmentFiles
    /// A log of bytes only, in segments that begin anew with each opening.
    private let log: Lock<LogWriter>

    init(segments: SegmentFiles, barrier: @escaping @Sendable ([BlobID]) throws -> Void = { _ in }) throws {
        self.barrier = barrier
        self.segments = segments
        for number in try segments.numbers() { try segments.remove(number) }
        log = Lock(try LogWriter.begin(after: .origin, files: segments))
    }

    /// Writes the bytes of a blob in the log anew and removes every segment before, as compaction does. The versions that were
    /// read before say where it was.
    func relocateAll() throws {
        let inLog = state.withLock { $0.blobs.values.filter { $0.location != .file } }
        let former = try segments.numbers()
        try log.withLock { try $0.roll() }
        for blob in inLog {
            guard case .segment(let number, let offset) = blob.location, let crc32c = blob.crc32c else { continue }
            let place = PayloadPlace(
                segment: number, offset: offset, length: UInt32(blob.size), crc32c: crc32c)
            let bytes = try segments.payload(at: place)
            let moved = try stored(of: NewBlob(id: blob.id, size: blob.size, crc32c: crc32c, bytes: bytes))
            state.withLock { $0.blobs[blob.id] = moved }
        }
        for number in former { try segments.remove(number) }
    }

    /// A blob as it is stored, its bytes in the log where it has any.
    private func stored(of new: NewBlob) throws -> StoredBlob {
        guard let bytes = new.bytes else {
            return StoredBlob(id: new.id, size: new.size, crc32c: new.crc32c, location: .file)
        }
        return try log.withLock { log in
            var group = try log.newGroup()
            let place = group.placeOfPayload(bytes, bodyLength: 0)
            try group.append(body: [], payload: bytes, at: place)
            try log.commit(group)
            return StoredBlob(
                id: new.id, size: new.size, crc32c: place.crc32c,
                location: .segment(place.segment, offset: place.offset))
        }
    }

    var garbage: [BlobID] { state.withLock { $0.garbage } }
    var forgotten: [BlobID] { state.withLock { $0.forgotten } }
    func fail(_ error: MetadataError, committing: Bool = false) {
        state.withLock { ($0.failure, $0.commitsOnFailure) = (error, committing) }
    }

    private func write<R: Sendable>(
        _ new: NewBlob? = nil, _ body: @Sendable (inout State) -> R
    ) throws(MetadataError) -> R {
        let stored: StoredBlob?
        do {
            if let new, new.bytes == nil { try barrier([new.id]) }
            stored = try new.map(stored(of:))
        } catch { throw .broken("\(error)") }
        func write(_ state: inout State) -> R {
            if let stored { state.blobs[stored.id] = stored }
            defer { state.collectGarbage() }
            return body(&state)
        }
        let result = state.withLock { state -> Result<R, MetadataError> in
            guard let failure = state.failure else { return .success(write(&state)) }
            state.failure = nil
            if state.commitsOnFailure { _ = write(&state) }
            return .failure(failure)
        }
        return try result.get()
    }

    func version(
        of key: ObjectKey, in bucket: BucketID, version: VersionID?
    ) async throws(MetadataError) -> ObjectVersion? {
        lookUps.add(1, ordering: .relaxed)
        return state.withLock { $0.versions[key] }
    }

    func publish(_ new: NewVersion) async throws(MetadataError) -> ObjectVersion {
        try write(new.blob) { state in
            state.sequence += 1
            let version = ObjectVersion(
                key: new.key, versionID: .null, isLatest: true, isDeleteMarker: false,
                modified: Timestamp(seconds: 0), sequence: state.sequence, owner: new.owner, size: new.size,
                etag: new.etag, attributes: new.attributes, checksum: new.checksum, tags: new.tags,
                content: new.content)
            let former = state.versions.updateValue(version, forKey: new.key)
            state.garbage += former?.content.blobs ?? []
            return version
        }
    }

    func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult {
        try write { state in
            state.garbage += state.versions.removeValue(forKey: request.key)?.content.blobs ?? []
            return DeleteResult(versionID: nil, isDeleteMarker: false)
        }
    }

    func putPart(
        _ part: UploadedPart, blob: NewBlob?, of upload: UploadID, key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError) {
        try write(blob) { state in
            let former = state.parts.updateValue(part, forKey: part.number)
            state.garbage += [former?.blob].compactMap(\.self)
        }
    }

    func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion {
        try write { state in
            let parts = request.parts.compactMap { state.parts[$0.number] }
            let stored = parts.map {
                StoredPart(number: $0.number, blob: $0.blob, size: $0.size, checksum: $0.checksum?.value)
            }
            let named = Set(parts.map(\.number))
            state.garbage += state.parts.values.filter { part in !named.contains(part.number) }.compactMap(\.blob)
            state.parts = [:]
            let version = ObjectVersion(
                key: request.key, versionID: .null, isLatest: true, isDeleteMarker: false,
                modified: Timestamp(seconds: 0), sequence: 0, owner: "tester", size: parts.map(\.size).reduce(0, +),
                etag: request.etag, attributes: ObjectAttributes(), checksum: request.checksum, tags: [],
                content: .parts(stored))
            let former = state.versions.updateValue(version, forKey: request.key)
            state.garbage += former?.content.blobs ?? []
            return version
        }
    }

    func abortUpload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) {
        try write { state in
            state.garbage += state.parts.values.compactMap(\.blob)
            state.parts = [:]
        }
    }

    func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>] {
        var results: [Result<DeleteResult, MetadataError>] = []
        for request in requests {
            do throws(MetadataError) { results.append(.success(try await delete(request))) } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    func blob(_ id: BlobID) async throws(MetadataError) -> StoredBlob? { state.withLock { $0.blobs[id] } }

    func blobs(after: BlobID, limit: Int) async throws(MetadataError) -> [StoredBlob] {
        state.withLock { state in
            let found = state.blobs.values.filter { $0.id > after }.sorted { $0.id < $1.id }
            return [StoredBlob](found.prefix(limit))
        }
    }

    func garbageCount() throws(MetadataError) -> UInt64 { state.withLock { UInt64($0.garbage.count) } }

    func heal(_ blobs: [StoredBlob]) async throws(MetadataError) -> Set<BlobID> { [] }
    func versions(
        naming blobs: Set<BlobID>, countMax: Int
    ) async throws(MetadataError) -> [BlobID: [VersionName]] { [:] }

    func damagedPages(pace: @Sendable (Int) async -> Bool) async throws(MetadataError) -> [DamagedPage] {
        state.withLock(\.damagedPages)
    }

    func garbage(limit: Int) async throws(MetadataError) -> [BlobID] {
        state.withLock { [BlobID]($0.garbage.prefix(limit)) }
    }

    func forgetGarbage(_ blobs: [BlobID]) async throws(MetadataError) {
        state.withLock { state in
            state.garbage.removeAll(where: blobs.contains)
            state.forgotten += blobs
        }
    }
}

extension ScriptedStore.State {
    /// Blobs that were dropped have no place any more, and those in the log need no clean-up.
    fileprivate mutating func collectGarbage() {
        garbage.removeAll { id in
            guard let blob = blobs.removeValue(forKey: id) else { return false }
            return blob.location != .file
        }
    }
}

/// What `ObjectStore` never calls.
extension ScriptedStore {
    func bucket(named name: BucketName) async throws(MetadataError) -> Bucket? { throw unused }
    func buckets(after: BucketName?, prefix: [UInt8], limit: Int) async throws(MetadataError) -> [Bucket] {
        throw unused
    }
    func createBucket(named name: BucketName, owner: String, at now: Timestamp) async throws(MetadataError) -> Bucket {
        throw unused
    }
    func deleteBucket(_ id: BucketID) async throws(MetadataError) { throw unused }
    func setVersioning(_ state: VersioningState, of bucket: BucketID) async throws(MetadataError) { throw unused }
    func configure(
        _ bucket: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?
    ) async throws(MetadataError) { throw unused }
    func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage { throw unused }
    func listVersions(_ query: ListVersionsQuery) async throws(MetadataError) -> ListVersionsPage { throw unused }
    func setTags(_ tags: [Tag], of key: ObjectKey, in bucket: BucketID, version: VersionID?, event: EventDraft?)
        async throws(MetadataError) -> VersionID
    { throw unused }
    func createUpload(_ upload: Upload) async throws(MetadataError) { throw unused }
    func upload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Upload? {
        throw unused
    }
    func listUploads(_ query: ListUploadsQuery) async throws(MetadataError) -> ListUploadsPage { throw unused }
    func parts(of upload: UploadID, after: Int, limit: Int) async throws(MetadataError) -> [UploadedPart] {
        throw unused
    }
    func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument? { throw unused }
    func assets(_ ids: [AssetID]) async throws(MetadataError) -> [AssetDocument] { throw unused }
    func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset? { throw unused }
    func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, ifNow former: AssetDetails?
    ) async throws(MetadataError) -> Asset { throw unused }
    func makeAssets(of keys: [ObjectKey], in bucket: BucketID) async throws(MetadataError) -> Int { throw unused }
    func setAssets(_ hasAssets: Bool, of bucket: BucketID) async throws(MetadataError) { throw unused }
    func user(accessKey: [UInt8]) async throws(MetadataError) -> User? { throw unused }
    func users() async throws(MetadataError) -> [User] { throw unused }
    func addUser(_ user: User) async throws(MetadataError) { throw unused }
    func updateUser(_ user: User) async throws(MetadataError) { throw unused }

    private var unused: MetadataError { .broken("not part of this store") }
}
