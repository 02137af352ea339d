import Buckets
import Bytes
import Digests
import Files
import HTTPClient
import Metadata
import RedoLog
import TestSupport
import Threads

/// An object store in a folder of its own.
final class Fixture: Sendable {
    /// Its threads end with the process, so all tests share them.
    static let pool = Pool()

    let folder: TemporaryFolder
    /// Where the blobs lie, or, with an engine, what gives their ids.
    let blobs: LocalBlobs
    /// Where the blobs lie, with an engine.
    let remote: RemoteBlobs?
    let metadata: ScriptedStore
    let segments: SegmentFiles
    let objects: ObjectStore
    let bucket = BucketID(1)
    let upload: UploadID

    /// Content that has more than `inlineBytesMax` bytes has a file: all of it, where nothing else is said.
    init(
        inlineBytesMax: Int = 0, configuration: BlobsConfiguration = BlobsConfiguration(),
        folder: TemporaryFolder? = nil, disk: (any Disk)? = nil, engine: RemoteBlobsConfiguration? = nil
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        let data =
            if let disk { try DataFolder.open("/store", disk: disk, isLocked: false) } else {
                try DataFolder.open(self.folder.path + "/store")
            }
        var configuration = configuration
        configuration.inlineBytesMax = inlineBytesMax
        let blobs = try LocalBlobs.open(data, configuration: configuration)
        self.blobs = blobs
        segments = SegmentFiles(disk: data.disk, directory: data.segments, storeID: data.id)
        metadata = try ScriptedStore(segments: segments, barrier: { try blobs.makeDurable($0) })
        if let engine {
            let remote = RemoteBlobs(
                engine, ids: .folder(blobs), storeID: data.id, configuration: configuration,
                session: try HTTPSession.start(), pool: Self.pool)
            self.remote = remote
            objects = ObjectStore(metadata: metadata, blobs: remote, segments: segments, pool: Self.pool)
        } else {
            remote = nil
            objects = ObjectStore(metadata: metadata, blobs: blobs, segments: segments, pool: Self.pool)
        }
        guard let upload = UploadID([UInt8](repeating: 0x61, count: 32)) else { throw FixtureError() }
        self.upload = upload
    }

    /// All blob files as paths below `obj`, in order.
    func files() throws -> [String] {
        let objects = folder.path + "/store/obj"
        return try LinuxDisk().names(in: objects).sorted().flatMap { block in
            try LinuxDisk().names(in: objects + "/" + block).sorted().map { block + "/" + $0 }
        }
    }

    func key(_ text: String = "key") throws -> ObjectKey {
        guard let key = ObjectKey(text.utf8) else { throw FixtureError() }
        return key
    }

    func newVersion(_ name: String = "key", etag: ETag = ETag(md5: []), checksum: Checksum? = nil) throws -> NewVersion
    {
        NewVersion(
            bucket: bucket, key: try key(name), owner: "tester", size: 0, etag: etag, attributes: ObjectAttributes(),
            checksum: checksum, tags: [], content: .empty)
    }

    @discardableResult
    func put(_ bytes: [UInt8], _ name: String = "key", pieces: Int = 64 << 10) async throws -> ObjectVersion {
        let staged = try await objects.stage(source(bytes, pieces: pieces), digests: [], sizeMax: .max)
        let new = try newVersion(name, etag: ETag(md5: staged.digests[.md5] ?? []))
        return try await objects.publish(staged, as: new)
    }

    @discardableResult
    func putPart(_ bytes: [UInt8], number: Int) async throws -> UploadedPart {
        let staged = try await objects.stage(source(bytes), digests: [], sizeMax: .max)
        return try await objects.putPart(
            staged, number: number, checksum: nil, upload: upload, key: try key(), bucket: bucket,
            now: Timestamp(seconds: 0))
    }

    func complete(_ parts: [UploadedPart]) async throws -> ObjectVersion {
        try await objects.completeUpload(
            CompleteRequest(
                upload: upload, bucket: bucket, key: try key(),
                parts: parts.map { .init(number: $0.number, md5: $0.md5, checksum: nil) }, partSizeMin: 0, size: nil,
                etag: MultipartChecksums.etag(ofParts: parts.map(\.md5)), checksum: nil, conditions: WriteConditions()))
    }

    func delete(_ name: String = "key") async throws {
        _ = try await objects.delete(DeleteRequest(bucket: bucket, key: try key(name), version: nil, owner: "tester"))
    }

    func read(_ version: ObjectVersion, range: Range<UInt64>? = nil) async throws -> [UInt8] {
        try await objects.open(version, in: bucket, range: range).collected()
    }
}

extension OpenedBytes {
    func collected() async throws -> [UInt8] {
        var all: [UInt8] = []
        try await forEach { all += try $0.read() }
        return all
    }
}

extension OpenedBytes.Run {
    func read() throws -> [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .slice(let slice):
            let bytes = try slice.file.read(at: slice.offset, count: Int(slice.length))
            if UInt64(bytes.count) != slice.length { throw FixtureError() }
            return bytes
        }
    }
}

struct FixtureError: Error, Equatable {}

/// Lends `bytes` in pieces of the given size, then ends, or throws `failure`.
func source(_ bytes: [UInt8], pieces: Int = 64 << 10, failure: FixtureError? = nil) -> ByteSource {
    let position = Lock(0)
    return ByteSource { consume in
        let start = position.withLock { $0 }
        if start == bytes.count {
            if let failure { throw failure }
            return false
        }
        let end = min(bytes.count, start + pieces)
        try consume(bytes.span.extracting(start..<end))
        position.withLock { $0 = end }
        return true
    }
}

/// Bytes that differ from one another and by seed.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    // Repeated with a prime length, so that no two blocks of a file are alike.
    while bytes.count < min(count, 65_521) { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
    while bytes.count < count { bytes.append(contentsOf: bytes.prefix(count - bytes.count)) }
    return bytes
}

/// A seeded generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
