import Mongo

/// The collections of the store, their indexes, and what a server must be.
enum MongoSchema {
    /// `{_id: {b, k}, seq, latest, live, outbox, due, events, told, gone, asset, w}`: one document a key, see `Head`.
    static let heads: StaticString = "heads"
    /// `{_id: asset, r, ...}`: assets as they are shown, see `AssetProjection`.
    static let assets: StaticString = "assets"
    /// `{_id: {b, k, s}, r, d}`: former versions; `{_id, r, x}` once removed, see `Relay`.
    static let versions: StaticString = "versions"
    /// `{_id: blob, o, i, c}`: blobs that nothing names any more, in the order (`o`, `i`) in which they were moved here; `c` is true for
    /// those in `contents`.
    static let garbage: StaticString = "garbage"
    /// `{_id: blob, d, t}`: the bytes of small objects, see `Contents`.
    static let contents: StaticString = "contents"
    /// `{_id: blob, d, t}`: contents that nothing named, set aside by `ogw check --repair`.
    static let strays: StaticString = "strays"
    /// `{_id: number, name, owner, created, versioning, assets, configuration, removing}`.
    static let buckets: StaticString = "buckets"
    /// `{_id: upload, b, k, ...}`, see `UploadDocument`.
    static let uploads: StaticString = "uploads"
    /// `{_id: {u, n}, ...}`: parts of uploads, and, once completed, what is known of their blobs.
    static let parts: StaticString = "parts"
    /// `{_id: name, accessKey, ...}`.
    static let users: StaticString = "users"
    /// `{_id: name, next}`: numbers that are handed out once.
    static let counters: StaticString = "counters"
    /// `format`, `blobs` (see `bindBlobs`), `secrets` (see `keyCheck`), `sweep` (see `GatewayDocuments`), `migration`.
    static let store: StaticString = "store"
    /// `{_id: random, seen, order, reads}`, see `GatewayDocuments`.
    static let gateways: StaticString = "gateways"

    /// `{_id: number, e, m, ...}`: events in their order, see `EventLog`.
    static let events: StaticString = "events"
    /// `{_id: random, s, m, n, e}`: events that no change of a head made, until they are moved to `events`.
    static let noted: StaticString = "noted"
    /// `{_id: {b, r}, d, w}`: the hooks of buckets, each revision.
    static let hooks: StaticString = "hooks"
    /// Runs of hooks and their jobs, see `JobDocuments`.
    static let jobGroups: StaticString = "job_groups"
    static let jobs: StaticString = "jobs"
    /// `{_id: name, document, secret, created, position, dropped}`: receivers of events.
    static let targets: StaticString = "targets"
    /// `{_id: name, holder, until}`: what one gateway does for all.
    static let duties: StaticString = "duties"

    static let format: Int64 = 1
    /// Partial index of live heads in the order of keys.
    static let listing: BSONValue = "listing"
    /// Index of former versions, by key, newest first.
    static let newestFirst: BSONValue = "newest_first"
    static let uploadOrder: BSONValue = "upload_order"
    /// Index of garbage in `contents`.
    static let droppedContents: BSONValue = "contents"
    /// Index of heads by their assets.
    static let byAsset: BSONValue = "asset"

    /// The oldest server series: its pipelines know `$tsSecond` and its indexes hide nothing that the store reads.
    static let versionMin: Int64 = 6

    /// Checks the server, makes what is missing, and refuses a database of another format, and one whose metadata is on its way from or to
    /// another store unless `forMigration`. May be run by many at once.
    static func prepare(_ database: MongoDatabase, forMigration: Bool = false) throws(MongoError) {
        try check(try database.run(["hello": 1]))
        let build = try database.run(["buildInfo": 1])
        if let reason = refusal(
            ofVersion: String(decoding: build["version"]?.text ?? [], as: UTF8.self),
            major: build["versionArray"]?.array?.first?.integer)
        {
            throw .unusable(reason)
        }
        try database.insert([["_id": "format", "number": .int64(format)]], ignoringDuplicates: true, into: store)
        let found = try database.findOne(["_id": "format"], in: store)?["number"]?.integer
        guard found == format else {
            throw .unusable(
                "the database \(database.name) holds format \(found ?? 0) of the store, and this program knows \(format)"
            )
        }
        if !forMigration { try refuseMigrated(database) }
        try makeIndexes(database)
    }

    /// What to do about a server of that version; nil where it can be used. `major` is nil where the server does not say.
    static func refusal(ofVersion version: String, major: Int64?) -> String? {
        guard let major, major < versionMin else { return nil }
        return "the server is version \(version), and the oldest that can be used is \(versionMin).0: update it"
    }

    private static func refuseMigrated(_ database: MongoDatabase) throws(MongoError) {
        guard let note = try database.findOne(MongoStore.migration, in: store) else { return }
        throw .unusable(
            note["to"] == nil
                ? "a migration into the database \(database.name) has not come to its end: run `ogw migrate` again"
                : "the metadata of the database \(database.name) moved to a data folder: wanted OGW_METADATA=sqlite")
    }

    /// Throws `unusable` for a server that is no member of a set, with what to do.
    static func check(_ hello: BSONView) throws(MongoError) {
        if hello["setName"]?.text != nil || hello["msg"]?.text == [UInt8]("isdbgrid".utf8) { return }
        if hello["isreplicaset"]?.isTrue == true {
            throw .unusable(
                "the server was started as a member of a replica set that was not initiated yet; once, run: "
                    + "mongosh --eval 'rs.initiate()'")
        }
        throw .unusable(
            "the server is not a member of a replica set, without which MongoDB has no majority writes; start it with "
                + "--replSet rs0 and once, run: mongosh --eval 'rs.initiate()'")
    }

    static func makeIndexes(_ database: MongoDatabase) throws(MongoError) {
        let byKey: BSONValue = ["_id.b": 1, "_id.k": 1]
        try database.createIndexes(
            [
                ["name": listing, "key": byKey, "partialFilterExpression": ["live": true]],
                ["name": "due", "key": ["due": 1], "sparse": true],
                ["name": "gone", "key": ["gone": 1], "expireAfterSeconds": 60],
                ["name": "blob", "key": ["latest.b": 1], "sparse": true],
                ["name": byAsset, "key": ["asset.i": 1], "sparse": true],
                ["name": "told", "key": ["told": 1], "sparse": true],
            ], of: heads)
        try database.createIndexes(
            [["name": "removed", "key": ["x": 1], "expireAfterSeconds": 3_600]], of: assets)
        try database.createIndexes(
            [
                ["name": newestFirst, "key": ["_id.b": 1, "_id.k": 1, "_id.s": -1]],
                ["name": "version", "key": ["_id.b": 1, "_id.k": 1, "d.v": 1]],
                ["name": "blob", "key": ["d.b": 1], "sparse": true],
                ["name": "removed", "key": ["x": 1], "expireAfterSeconds": 3_600],
            ], of: versions)
        try database.createIndexes(
            [
                ["name": "order", "key": ["o": 1, "i": 1, "_id": 1]],
                ["name": droppedContents, "key": ["o": 1], "partialFilterExpression": ["c": true]],
            ], of: garbage)
        try database.createIndexes([["name": "name", "key": ["name": 1], "unique": true]], of: buckets)
        try database.createIndexes([["name": "seen", "key": ["seen": 1], "expireAfterSeconds": 300]], of: gateways)
        try database.createIndexes(
            [
                [
                    "name": uploadOrder, "key": ["b": 1, "k": 1, "initiated": 1, "_id": 1],
                    "partialFilterExpression": ["open": true],
                ],
                ["name": "completed", "key": ["completed": 1], "expireAfterSeconds": 172_800],
                ["name": "ending", "key": ["ending": 1], "sparse": true],
            ], of: uploads)
        try database.createIndexes(
            [
                ["name": "number", "key": ["_id.u": 1, "_id.n": 1]],
                ["name": "blob", "key": ["blob": 1], "sparse": true],
            ], of: parts)
        try database.createIndexes([["name": "access_key", "key": ["accessKey": 1], "unique": true]], of: users)
        try makeEventIndexes(database)
    }

    private static func makeEventIndexes(_ database: MongoDatabase) throws(MongoError) {
        func only(_ state: JobState) -> BSONValue { ["state": .int32(Int32(state.rawValue))] }
        try database.createIndexes([["name": "order", "key": ["m": 1, "n": 1]]], of: noted)
        try database.createIndexes([["name": "newest_first", "key": ["_id.b": 1, "_id.r": -1]]], of: hooks)
        try database.createIndexes([["name": "until", "key": ["until": 1], "expireAfterSeconds": 3_600]], of: duties)
        try database.createIndexes(
            [
                ["name": "told", "key": ["told": 1], "sparse": true],
                ["name": "object", "key": ["b": 1, "k": 1, "_id": -1]],
                ["name": "ended", "key": ["ended": 1], "sparse": true],
                ["name": "unique", "key": ["u": 1], "sparse": true],
            ], of: jobGroups)
        try database.createIndexes(
            [
                // The lane is read from the index where some lanes are full.
                [
                    "name": "ready", "key": ["queue": 1, "rank": 1, "_id": 1, "lane": 1],
                    "partialFilterExpression": only(.available),
                ],
                ["name": "due", "key": ["due": 1], "partialFilterExpression": only(.waiting)],
                ["name": "until", "key": ["until": 1], "partialFilterExpression": only(.leased)],
                ["name": "running", "key": ["lane": 1], "partialFilterExpression": only(.leased)],
                ["name": "state", "key": ["state": 1, "_id": 1]], ["name": "group", "key": ["g": 1, "_id": 1]],
            ], of: jobs)
    }
}
