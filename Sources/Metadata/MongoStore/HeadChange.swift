import Mongo
import Threads

/// A change of one head, that can be told to be done by its id.
struct HeadChange {
    let key: HeadKey
    /// Random.
    let write: Int64
    /// What must hold besides.
    var conditions: [BSONDocument]
    /// Makes the head where there is none.
    var makesHead: Bool
    var stages: [BSONDocument]
    /// By what else the change can be found once it was moved on from the head.
    var newVersion: VersionID?
    var newBlob: BlobID?
    /// Somebody may have carried it out before.
    var mayBeDone = false
    var hasEvent = false

    /// As many entries an outbox takes: with more, the writer moves them first.
    static let outboxCountMax = 64
    /// From so many on they are moved at once, beside the writers.
    static let outboxCountHigh = 16

    static func newWrite() -> Int64 { Int64.random(in: 1...Int64.max) }

    /// The place and the moment of a change that was carried out.
    struct Done {
        var sequence: Int64
        /// Of the latest version, in ms.
        var modified: Int64
        /// Entries in the outbox afterwards, where that is known.
        var outboxCount = 0
    }

    fileprivate func filter(isRepeat: Bool) -> BSONDocument {
        var all = conditions
        all.append(["outbox.63": ["$exists": false]])
        if hasEvent { all.append(["events.63": ["$exists": false]]) }
        // What was sent before may still arrive.
        if isRepeat {
            let isOther: BSONValue = ["$ne": .int64(write)]
            all.append(["w": isOther, "outbox.w": isOther, "outbox.v.w": isOther])
        }
        return ["_id": key.id, "$and": .documents(all)]
    }
}

extension MongoStore {
    /// Carries the change out once, whatever happens on the way: an unknown outcome is looked up until it is known.
    ///
    /// Where the filter matches nothing, `explain` gets the head that a majority has; it throws what the conditions come to, or
    /// returns true to end without a change; else the change is tried again. Nil where `explain` ended it.
    func change(
        _ change: HeadChange, explain: (Head?) throws(MetadataError) -> Bool
    ) async throws(MetadataError) -> HeadChange.Done? {
        var retry = Retry(patience: configuration.patience)
        var isRepeat = change.mayBeDone
        if isRepeat {
            let view = try await perform { (database) throws(MongoError) in try change.key.read(database) }
            if let done = try find(change, in: try view.map { (view) throws(MetadataError) in try Head(view) }) {
                return done
            }
        }
        while true {
            var failure = MongoError.writeConflict
            do throws(MetadataError) {
                switch try attemptWrite({ (database) throws(MongoError) in try change.send(database, isRepeat: isRepeat)
                })
                {
                case .success(.some(let done)):
                    writer.forget(change.key)
                    if done.outboxCount >= HeadChange.outboxCountHigh { relieveLater(change.key) }
                    return done
                case .success(nil), .failure(.duplicateKey): break
                case .failure(.documentTooLarge):
                    let head = try attempt { (database) throws(MongoError) in try change.key.read(database) }
                    guard let head, try !Head(head).outbox.isEmpty else {
                        throw .broken("a version is larger than a document of MongoDB may be")
                    }
                    try await relieve(change.key)
                case .failure(let error):
                    if case .unknownOutcome = error { isRepeat = true }
                    guard error.isTransient else { throw MetadataError(error) }
                    failure = error
                }
                let view = try attempt { (database) throws(MongoError) in try change.key.read(database) }
                let head = try view.map { (view) throws(MetadataError) in try Head(view) }
                if isRepeat, let done = try find(change, in: head) { return done }
                let isFull = head.map {
                    $0.outbox.count >= HeadChange.outboxCountMax
                        || change.hasEvent && $0.eventCount >= HeadEvent.countMax
                }
                if isFull == true {
                    try await relieve(change.key)
                    continue
                }
                if case .writeConflict = failure, try explain(head) { return nil }
            } catch {
                guard case .unavailable(let reason) = error else { throw error }
                failure = .notCarriedOut(reason)
            }
            guard await retry.wait(on: pool) else { throw MetadataError(failure) }
        }
    }

    /// Nil where nothing shows that the change was carried out.
    private func find(_ change: HeadChange, in head: Head?) throws(MetadataError) -> HeadChange.Done? {
        func done(_ version: VersionDocument) -> HeadChange.Done {
            HeadChange.Done(sequence: version.sequence, modified: version.modified)
        }
        if let latest = head?.latest, latest.write == change.write { return done(latest) }
        for entry in head?.outbox ?? [] {
            if let version = entry.version, version.write == change.write { return done(version) }
        }
        if let head, head.write == change.write {
            return HeadChange.Done(sequence: head.sequence, modified: head.latest?.modified ?? 0)
        }
        for entry in head?.outbox ?? [] where entry.write == change.write {
            return HeadChange.Done(sequence: entry.sequence, modified: 0)
        }
        if case .id(let id) = change.newVersion {
            let row = try attempt { (database) throws(MongoError) in
                try database.findOne(
                    [
                        "_id.b": .int64(change.key.bucket.value), "_id.k": .text(KeyText.encode(change.key.key.utf8)),
                        "d.v": .text(id),
                    ], in: MongoSchema.versions)
            }
            if let version = row?["d"]?.document { return done(VersionDocument(view: version)) }
        }
        if let blob = change.newBlob {
            // It was the latest, and then replaced.
            let row = try attempt { (database) throws(MongoError) in
                try database.findOne(["_id": .int64(Int64(bitPattern: blob.value))], in: MongoSchema.garbage)
            }
            if let sequence = row?["o"]?.integer { return HeadChange.Done(sequence: sequence, modified: 0) }
        }
        return nil
    }
}

extension HeadChange {
    /// Nil where the filter matched nothing; `duplicateKey` says the same of one that makes a head.
    fileprivate func send(_ database: MongoDatabase, isRepeat: Bool) throws(MongoError) -> Done? {
        let view = try database.findAndModify(
            filter(isRepeat: isRepeat), .pipeline(stages), upsert: makesHead,
            fields: ["seq": 1, "latest.m": 1, "n": ["$size": "$outbox"]],
            in: MongoSchema.heads)
        guard let view else { return nil }
        return Done(
            sequence: view["seq"]?.integer ?? 0, modified: view["latest"]?.document?["m"]?.integer ?? 0,
            outboxCount: Int(clamping: view["n"]?.integer ?? 0))
    }
}

extension HeadKey {
    /// The whole head.
    func read(_ database: MongoDatabase) throws(MongoError) -> BSONView? {
        try database.findOne(["_id": id], in: MongoSchema.heads)
    }
}
