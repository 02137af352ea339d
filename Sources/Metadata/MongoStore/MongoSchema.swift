import Mongo

/// The collections of the store, their indexes, and what a server must be.
enum MongoSchema {
    /// `{_id: {b, k}, seq, latest, live, outbox, due, gone, w}`: one document a key, see `Head`.
    static let heads: StaticString = "heads"
    /// `{_id: {b, k, s}, r, d}`: former versions; `{_id, r, x}` once removed, see `Relay`.
    static let versions: StaticString = "versions"
    /// `{_id: blob, o, i}`: blobs that nothing names any more, in the order (`o`, `i`) in which they were dropped.
    static let garbage: StaticString = "garbage"
    /// `{_id: number, name, owner, created, versioning, removing}`.
    static let buckets: StaticString = "buckets"
    /// `{_id: upload, b, k, ...}`, see `UploadDocument`.
    static let uploads: StaticString = "uploads"
    /// `{_id: {u, n}, ...}`: parts of uploads, and, once completed, what is known of their blobs.
    static let parts: StaticString = "parts"
    /// `{_id: name, accessKey, ...}`.
    static let users: StaticString = "users"
    /// `{_id: name, next}`: numbers that are handed out once.
    static let counters: StaticString = "counters"
    /// One document: which format this is.
    static let store: StaticString = "store"

    static let format: Int64 = 1
    /// Partial index of live heads in the order of keys.
    static let listing: BSONValue = "listing"
    /// Index of former versions, by key, newest first.
    static let newestFirst: BSONValue = "newest_first"
    static let uploadOrder: BSONValue = "upload_order"

    /// The oldest server series: its pipelines know `$tsSecond` and its indexes hide nothing that the store reads.
    private static let versionMin: Int64 = 6

    /// Checks the server, makes what is missing, and refuses a database of another format, and one whose metadata is on its way from or to
    /// another store unless `forMigration`. May be run by many at once.
    static func prepare(_ database: MongoDatabase, forMigration: Bool = false) throws(MongoError) {
        try check(try database.run(["hello": 1]))
        let build = try database.run(["buildInfo": 1])
        if let major = build["versionArray"]?.array?.first?.integer, major < versionMin {
            let version = String(decoding: build["version"]?.text ?? [], as: UTF8.self)
            throw .refused(
                code: 0, "the server is version \(version); the store needs \(versionMin).0 or a later one")
        }
        try database.insert([["_id": "format", "number": .int64(format)]], ignoringDuplicates: true, into: store)
        let found = try database.findOne(["_id": "format"], in: store)?["number"]?.integer
        guard found == format else {
            throw .refused(
                code: 0,
                "the database \(database.name) holds format \(found ?? 0) of the store, and this program knows \(format)"
            )
        }
        if !forMigration { try refuseMigrated(database) }
        try makeIndexes(database)
    }

    private static func refuseMigrated(_ database: MongoDatabase) throws(MongoError) {
        guard let note = try database.findOne(MongoStore.migration, in: store) else { return }
        throw .refused(
            code: 0,
            note["to"] == nil
                ? "a migration into the database \(database.name) has not come to its end: run `ogw migrate` again"
                : "the metadata of the database \(database.name) moved to a data folder: wanted OGW_METADATA=sqlite")
    }

    private static func check(_ hello: BSONView) throws(MongoError) {
        if hello["setName"]?.text != nil || hello["msg"]?.text == [UInt8]("isdbgrid".utf8) { return }
        if hello["isreplicaset"]?.isTrue == true {
            throw .refused(
                code: 0,
                "the server was started as a member of a replica set that was not initiated yet; once, run: "
                    + "mongosh --eval 'rs.initiate()'")
        }
        throw .refused(
            code: 0,
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
            ], of: heads)
        try database.createIndexes(
            [
                ["name": newestFirst, "key": ["_id.b": 1, "_id.k": 1, "_id.s": -1]],
                ["name": "version", "key": ["_id.b": 1, "_id.k": 1, "d.v": 1]],
                ["name": "blob", "key": ["d.b": 1], "sparse": true],
                ["name": "removed", "key": ["x": 1], "expireAfterSeconds": 3_600],
            ], of: versions)
        try database.createIndexes([["name": "order", "key": ["o": 1, "i": 1, "_id": 1]]], of: garbage)
        try database.createIndexes([["name": "name", "key": ["name": 1], "unique": true]], of: buckets)
        try database.createIndexes(
            [
                [
                    "name": uploadOrder, "key": ["b": 1, "k": 1, "initiated": 1, "_id": 1],
                    "partialFilterExpression": ["open": true],
                ],
                ["name": "completed", "key": ["completed": 1], "expireAfterSeconds": 172_800],
            ], of: uploads)
        try database.createIndexes(
            [
                ["name": "number", "key": ["_id.u": 1, "_id.n": 1]],
                ["name": "blob", "key": ["blob": 1], "sparse": true],
            ], of: parts)
        try database.createIndexes([["name": "access_key", "key": ["accessKey": 1], "unique": true]], of: users)
    }
}
