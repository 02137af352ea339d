import Bytes
import Mongo
import Search
import Threads

/// The assets of a store in MongoDB, as each of its gateways follows them: the relay makes a row of `assets` for each change, and the server
/// tells in which order rows were changed. A place is a time of the cluster. What an asset is now is read from its head, which is never
/// behind its row.
final class SharedAssetFeed: AssetFeed {
    private let store: MongoStore
    /// When the look began that last found all there was.
    private let level = Lock<ContinuousClock.Instant?>(nil)

    private static let batchLengthMax = 1_000
    private static let buildLengthMax = 2_000
    /// A feed that was not level for so long is behind.
    private static let pauseMax = Duration.seconds(1)

    init(_ store: MongoStore) { self.store = store }

    func storeID() async throws(MetadataError) -> [UInt8] {
        try await store.blobsPlace()?.store ?? [UInt8](store.database.name.utf8)
    }

    private static func place(_ time: UInt64) -> Int64 { Int64(bitPattern: time) }
    private static func time(_ place: Int64) -> UInt64 { UInt64(bitPattern: place) }

    func beginning() async throws(MetadataError) -> Int64 {
        try await store.perform { (database) throws(MongoError) in
            _ = try database.findOne(["_id": "format"], in: MongoSchema.store)
        }
        guard let time = store.database.lastTime else { throw .broken("a reply of MongoDB without a time") }
        return Self.place(time)
    }

    func reaches(backTo place: Int64) async throws(MetadataError) -> Bool {
        let now = try await beginning()
        guard Self.time(place) <= Self.time(now) else { return false }
        return try await store.perform { (database) throws(MongoError) in
            try database.changes(of: MongoSchema.assets, behind: Self.time(place), limit: 1)
        } != nil
    }

    func isQuiet(behind place: Int64) -> Bool { false }

    func changes(behind place: Int64) async throws(MetadataError) -> AssetChanges? {
        let began = ContinuousClock.now
        let found = try store.attempt { (database) throws(MongoError) in
            try database.changes(of: MongoSchema.assets, behind: Self.time(place), limit: Self.batchLengthMax)
        }
        guard let found else { return nil }
        if found.isLast { level.withLock { $0 = began } }
        // The mark of rows that were made anew is no asset.
        let ids = found.keys.compactMap { $0["_id"]?.binary.flatMap { AssetID(bytes: $0) } }
        return AssetChanges(ids: Set(ids), place: Self.place(found.time), isLast: found.isLast)
    }

    func documents(of ids: Set<AssetID>) async throws(MetadataError) -> [SearchWriter.Change] {
        var found: [AssetID: SearchDocument] = [:]
        var rest = ids
        while !rest.isEmpty {
            let (heads, isComplete) = try await heads(
                ["$in": .array(rest.map { .binary($0.bytes) })], limit: rest.count)
            for head in heads {
                guard let id = try head.asset()?.id else { continue }
                rest.remove(id)
                found[id] = try await document(of: head)
            }
            // A reply holds 16 MiB.
            if isComplete || heads.isEmpty { break }
        }
        return ids.map { ($0, found[$0]) }
    }

    func documents(
        after id: AssetID?
    ) async throws(MetadataError) -> (documents: [SearchWriter.Change], last: AssetID?) {
        let (heads, _) = try await heads(["$gt": .binary(id?.bytes ?? [])], limit: Self.buildLengthMax)
        var found: [SearchWriter.Change] = []
        for head in heads {
            guard let id = try head.asset()?.id else { continue }
            found.append((id, try await document(of: head)))
        }
        return (found, found.last?.id)
    }

    /// In order of their assets' ids.
    private func heads(
        _ assets: BSONValue, limit: Int
    ) async throws(MetadataError) -> (heads: [Head], isComplete: Bool) {
        let query = MongoDatabase.Query(
            ["asset.i": assets], projection: ["latest.p": 0, "outbox": 0], sort: ["asset.i": 1],
            hint: MongoSchema.byAsset, limit: limit)
        let found = try store.attempt { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads)
        }
        var heads: [Head] = []
        for view in found.documents { heads.append(try Head(view)) }
        return (heads, found.isComplete)
    }

    private func document(of head: Head) async throws(MetadataError) -> SearchDocument? {
        // One that is not deleted has an object as its latest version.
        guard let asset = try head.asset(), asset.deleted == nil, head.latest?.isDeleteMarker == false else {
            return nil
        }
        return try await store.document(of: head)?.searchDocument
    }

    /// The server forgets by itself.
    func forget(through place: Int64) async {}

    func end() async -> Int64? {
        let due = try? store.attempt { (database) throws(MongoError) in
            try database.find(Self.oldestDue, in: MongoSchema.heads).documents
        }
        guard due?.isEmpty == true else { return nil }
        return store.database.lastTime.map(Self.place)
    }

    private static let oldestDue = MongoDatabase.Query(
        ["due": ["$exists": true]], projection: ["due": 1], sort: ["due": 1], hint: "due", limit: 1)

    /// The oldest change that waits to be moved from its head, by the server's clock; or since when this gateway did not see all changes.
    func lag(behind place: Int64) -> Duration {
        let waiting_ms = try? store.attempt { (database) throws(MongoError) -> Int64 in
            guard let due = try database.find(Self.oldestDue, in: MongoSchema.heads).documents.first?["due"]?.date
            else {
                return 0
            }
            let now = try database.run(["hello": 1])["localTime"]?.date ?? due
            return max(0, now - due)
        }
        let behind = level.withLock { $0 }.map { $0.duration(to: .now) } ?? .zero
        return max(.milliseconds(waiting_ms ?? 0), behind > Self.pauseMax ? behind : .zero)
    }
}
