import Mongo

/// What binds a database to what lies elsewhere: `{_id: "blobs", store, engine, claimed}` and `{_id: "secrets", check}`. And
/// `{_id: "worker_tokens", tokens, revision}`.
///
/// `store` is the id of the data folder that has the blobs; or, with `engine`, the id that the place on the engine carries (16 bytes).
extension MongoStore {
    /// Says that the blobs of this database lie in the data folder of that id (16 bytes), and nowhere else. Throws `broken` where they lie
    /// elsewhere.
    public func bindBlobs(to id: [UInt8]) async throws(MetadataError) {
        let found = try await place(orElse: ["_id": "blobs", "store": .binary(id)])
        if let engine = found.engine { throw .broken("the objects of the database \(database.name) lie at \(engine)") }
        if found.store != id {
            throw .broken("the objects of the database \(database.name) lie in another data folder")
        }
    }

    /// The id of this database's store on an engine. `isClaimed`: the place has that id already, so that one without it is another.
    /// Whoever gets false claims the place, and then calls `confirmEngine`. Throws `broken` where the blobs lie in a data folder.
    public func bindBlobs(toEngine address: String) async throws(MetadataError) -> (store: [UInt8], isClaimed: Bool) {
        var random = SystemRandomNumberGenerator()
        let new = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        let found = try await place(
            orElse: ["_id": "blobs", "store": .binary(new), "engine": .text(address)])
        guard let engine = found.engine else {
            throw .broken("the objects of the database \(database.name) lie in a data folder, not on an engine")
        }
        if !found.isClaimed, engine != address {
            // Nobody came to an end with that address: it may have been a slip.
            try await perform { (database) throws(MongoError) in
                try database.update(
                    [
                        MongoDatabase.Update(
                            ["_id": "blobs", "engine": .text(engine), "claimed": ["$exists": false]],
                            .document(["$set": ["engine": .text(address)]]))
                    ], in: MongoSchema.store)
            }
        }
        return (found.store, found.isClaimed)
    }

    /// Says that the place at `address` has the id of this database's store. Throws `broken` where another gateway claimed another place
    /// meanwhile.
    public func confirmEngine(_ address: String) async throws(MetadataError) {
        let matched = try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": "blobs", "$or": [["claimed": true], ["engine": .text(address)]]],
                        .document(["$set": ["claimed": true, "engine": .text(address)]]))
                ], in: MongoSchema.store)
        }
        if matched == 0 {
            throw .broken("another gateway put the objects of the database \(database.name) elsewhere at the same time")
        }
    }

    private func place(
        orElse new: BSONDocument
    ) async throws(MetadataError) -> (store: [UInt8], engine: String?, isClaimed: Bool) {
        let view = try await perform { (database) throws(MongoError) in
            try database.insert([new], ignoringDuplicates: true, into: MongoSchema.store)
            return try database.findOne(["_id": "blobs"], in: MongoSchema.store)
        }
        guard let view, let store = view["store"]?.binary else { throw .broken("store: a malformed document") }
        let engine = view["engine"]?.text.map { String(decoding: $0, as: UTF8.self) }
        return (store, engine, view["claimed"]?.isTrue == true)
    }

    /// What was kept to tell by whether a key is the one that secrets of this database are sealed with; nil where nothing was.
    public func keyCheck() async throws(MetadataError) -> [UInt8]? {
        try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": "secrets"], in: MongoSchema.store)
        }?["check"]?.binary
    }

    /// Keeps `check` unless one is kept already. Returns the one that is kept.
    public func keepKeyCheck(_ check: [UInt8]) async throws(MetadataError) -> [UInt8] {
        try await perform { (database) throws(MongoError) in
            try database.insert(
                [["_id": "secrets", "check": .binary(check)]], ignoringDuplicates: true, into: MongoSchema.store)
        }
        guard let kept = try await keyCheck() else { throw .broken("store: the check of the key is gone") }
        return kept
    }

    /// The tokens of workers as a document, no bytes for none, and how often they changed. May block.
    public func workerTokens() throws(MetadataError) -> (document: [UInt8], revision: Int64) {
        let view = try attempt { (database) throws(MongoError) in
            try database.findOne(["_id": "worker_tokens"], in: MongoSchema.store)
        }
        return (view?["tokens"]?.binary ?? [], view?["revision"]?.integer ?? 0)
    }

    /// False, with nothing done, where they changed since they were of that revision. May block.
    public func keepWorkerTokens(_ document: [UInt8], after revision: Int64) throws(MetadataError) -> Bool {
        try attempt { (database) throws(MongoError) in
            do throws(MongoError) {
                return try database.update(
                    [
                        MongoDatabase.Update(
                            ["_id": "worker_tokens", "revision": revision == 0 ? nil : .int64(revision)],
                            .document(["$set": ["tokens": .binary(document), "revision": .int64(revision + 1)]]),
                            upsert: revision == 0)
                    ], in: MongoSchema.store) > 0
            } catch .duplicateKey {
                return false
            }
        }
    }
}
