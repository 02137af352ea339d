import Bytes
import Files
import HTTPClient
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import Targets

extension ObjectEvent {
    static func test(
        _ position: Int64, _ key: String, at milliseconds: Int64 = 0, _ name: EventName = .createdPut
    ) throws -> ObjectEvent {
        let bucket = try #require(BucketName("photos".utf8))
        var draft = EventDraft(name: name, bucketName: bucket, principal: "alice", customer: nil, revision: 1)
        draft.sourceAddress = Array("10.1.2.3".utf8)
        draft.requestID = Array("REQUEST1".utf8)
        return ObjectEvent(
            position: position, moment: Timestamp(milliseconds: milliseconds), bucket: BucketID(7),
            key: try #require(ObjectKey(key.utf8)), versionID: nil, sequence: position, size: 5,
            etag: ETag(md5: [UInt8](repeating: 0xAB, count: 16)), draft: draft)
    }
}

/// Waits until something holds; a minute at most.
func until(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !(try await holds()) {
        guard ContinuousClock.now < deadline else { throw TestSupportError("in vain awaited: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A store with a bucket, and the engine of targets over it.
final class TargetScene: Sendable {
    static let pool = Pool()

    let folder: TemporaryFolder
    let data: DataFolder
    let store: SQLiteStore
    let engine: TargetEngine
    let bucket: Bucket
    let dropped = Lock(0)

    /// Over the folder of a former scene, which is closed. `hasKey` says whether secrets open.
    init(
        _ folder: TemporaryFolder? = nil, allowed: [String] = [], hasKey: Bool = true,
        configure: (inout TargetEngineConfiguration) -> Void = { _ in }
    ) async throws {
        let isNew = folder == nil
        self.folder = try folder ?? TemporaryFolder()
        data = try DataFolder.open(self.folder.file("store"))
        store = try SQLiteStore.open(data, pool: Self.pool) { _ in }
        let name = try #require(BucketName("photos".utf8))
        if isNew {
            bucket = try await store.createBucket(named: name, owner: "alice", at: .now())
        } else {
            bucket = try #require(try await store.bucket(named: name))
        }
        var configuration = TargetEngineConfiguration()
        configuration.outbound.allowed = Set(allowed)
        configuration.retry.base = .milliseconds(20)
        configuration.retry.max = .milliseconds(200)
        configuration.tick = .milliseconds(20)
        configuration.notePause = .milliseconds(5)
        configure(&configuration)
        // Turned around, so that nobody finds them by chance.
        let sealing = SealedRegister.Sealing(
            seal: { secret, context in secret.map { $0 ^ 0x55 } + context },
            open: { sealed, context in
                hasKey && sealed.suffix(context.count).elementsEqual(context)
                    ? sealed.dropLast(context.count).map { $0 ^ 0x55 } : nil
            })
        engine = TargetEngine(store: store, sealing: sealing, pool: Self.pool, configuration: configuration)
        engine.observe { [dropped] problem in
            switch problem {
            case .failing: break
            case .dropped(_, let count): dropped.withLock { $0 += count }
            case .unusable where !hasKey: break
            case .reading, .sharing, .noting, .unusable: Issue.record("\(problem)")
            }
        }
        try await engine.start()
    }

    func set(_ name: String, _ document: JSONValue) async throws {
        try await engine.set(try #require(TargetName(name)), document)
    }

    /// Puts an object of which these targets are told.
    func put(_ key: String, telling targets: String...) async throws {
        var draft = EventDraft(
            name: .createdPut, bucketName: bucket.name, principal: "alice", customer: nil, revision: 1)
        draft.bindings = targets.map { EventBinding(id: "b", target: $0) }
        _ = try await store.publish(
            NewVersion(
                bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: "alice", size: 1,
                etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: ObjectAttributes(), checksum: nil,
                tags: [], content: .empty, event: draft))
        engine.notice()
    }

    func status(_ name: String) async throws -> TargetStatus {
        let name = try #require(TargetName(name))
        return try #require(try await engine.find(name)).status
    }

    func close() async {
        await engine.stop()
        await store.close()
        data.close()
    }
}

/// What a receiver got: the keys of the records, in order, each event once, and the ids.
struct Received {
    private(set) var keys: [String] = []
    private(set) var ids: [String] = []

    init(_ bodies: [[UInt8]]) throws {
        for body in bodies {
            let value = try #require(JSONValue(parsing: body))
            for record in value["Records"]?.array ?? [] {
                let id = try #require(record["eventId"]?.string)
                // A delivery whose end was not seen comes again.
                if ids.contains(id) { continue }
                ids.append(id)
                keys.append(try #require(record["s3"]?["object"]?["rawKey"]?.string))
            }
        }
    }

    /// Whether the events of each key came in their order.
    var isOrdered: Bool {
        Dictionary(grouping: zip(keys, ids), by: \.0).values.allSatisfy { pairs in
            zip(pairs, pairs.dropFirst()).allSatisfy { $0.1 < $1.1 }
        }
    }
}
