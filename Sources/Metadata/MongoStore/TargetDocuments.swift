import Bytes
import Mongo
import Threads

/// Receivers of events: `{_id: name, document, secret, created, position, dropped}`; and what one gateway does for all:
/// `{_id: name, holder, until}` in `duties`.
extension MongoStore {
    public func targets() async throws(MetadataError) -> [StoredTarget] {
        let views = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query([:], sort: ["_id": 1], limit: Decider.targetCountMax + 1), in: MongoSchema.targets
            ).documents
        }
        return views.compactMap(Self.target)
    }

    public func target(named name: String) async throws(MetadataError) -> StoredTarget? {
        try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .text(name)], in: MongoSchema.targets)
        }.flatMap(Self.target)
    }

    private static func target(_ view: BSONView) -> StoredTarget? {
        guard let name = view["_id"]?.text, let document = view["document"]?.binary else { return nil }
        var target = StoredTarget(
            name: String(decoding: name, as: UTF8.self), document: document,
            sealedSecret: view["secret"]?.binary ?? [],
            created: Timestamp(milliseconds: view["created"]?.date ?? 0))
        target.position = view["position"]?.integer ?? 0
        target.droppedCount = view["dropped"]?.integer ?? 0
        return target
    }

    public func setTarget(_ target: StoredTarget) async throws(MetadataError) {
        let change: BSONValue = ["document": .binary(target.document), "secret": .binary(target.sealedSecret)]
        let isThere = try await perform { (database) throws(MongoError) in
            try database.update(
                [MongoDatabase.Update(["_id": .text(target.name)], .document(["$set": change]))],
                in: MongoSchema.targets)
        }
        if isThere > 0 { return }
        let position = target.firstPosition(after: try await endOfEvents())
        let count = try await perform { (database) throws(MongoError) in try database.count(of: MongoSchema.targets) }
        if count >= Int64(Decider.targetCountMax) { throw .limitExceeded("\(Decider.targetCountMax) targets") }
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .text(target.name)],
                        .document([
                            "$set": change,
                            "$setOnInsert": [
                                "created": .date(Timestamp.now().milliseconds), "position": .int64(position),
                                "dropped": .int64(0),
                            ],
                        ]), upsert: true)
                ], ignoringDuplicates: true, in: MongoSchema.targets)
        }
    }

    public func removeTarget(_ name: String) async throws(MetadataError) -> Bool {
        // Asked again after an answer that was lost, it would say that it was not there.
        let isThere = try await target(named: name) != nil
        try await perform { (database) throws(MongoError) in
            try database.delete(["_id": .text(name)], from: MongoSchema.targets)
        }
        return isThere
    }

    public func moveTarget(_ name: String, to position: Int64, dropping count: Int64) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .text(name), "position": ["$lt": .int64(position)]],
                        .document(["$set": ["position": .int64(position)], "$inc": ["dropped": .int64(count)]]))
                ], in: MongoSchema.targets)
        }
    }

    // MARK: Duties

    public func takeDuty(_ name: String, for period: Duration) async throws(MetadataError) -> Bool {
        let mine: MongoDatabase.Change = .pipeline([
            ["$set": ["holder": .int64(gateway), "until": Self.moment(after: period)]]
        ])
        return try await perform { (database) throws(MongoError) in
            let isOver: BSONDocument = [
                "_id": .text(name), "$or": [["holder": .int64(gateway)], ["$expr": ["$lt": ["$until", "$$NOW"]]]],
            ]
            if try database.findAndModify(isOver, mine, in: MongoSchema.duties) != nil { return true }
            // Nobody ever did, or another one does, which an insert of the same name finds.
            do throws(MongoError) {
                let new: BSONDocument = ["_id": .text(name), "holder": .int64(gateway)]
                return try database.findAndModify(new, mine, upsert: true, in: MongoSchema.duties) != nil
            } catch .duplicateKey {
                return false
            }
        }
    }

    public func endDuty(_ name: String) async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.delete(["_id": .text(name), "holder": .int64(gateway)], from: MongoSchema.duties)
        }
    }

    /// So long after now by the server's clock, as an expression.
    static func moment(after period: Duration) -> BSONValue {
        ["$add": ["$$NOW", .int64(Int64(clamping: period.millisecondsClamped))]]
    }
}
