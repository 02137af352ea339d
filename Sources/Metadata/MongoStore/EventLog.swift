import Bytes
import Mongo
import Synchronization
import Threads

/// Events get their positions as they are moved from where they were made (heads, groups of jobs, `noted`) into `events`, a row of batches
/// with ascending numbers: `{_id: number, e: [{s, m, e}], m: the newest moment, w, from, open}`.
///
/// Any gateway may append the next batch, and only one can: it inserts the number behind the last one. Before that it ends the last batch:
/// what is in it leaves the places that `from` names, and `open` goes. So what a gateway finds in those places after the last batch was
/// ended, and before the next one is there, is in no batch yet: each event comes into one batch, whoever sleeps or dies in between. Of one
/// place the oldest come first, so those of one key are in order; and readers that saw a batch have seen all before it.
extension MongoStore {
    /// Events of a batch are at the positions behind its number in units of 4,096.
    private static let positionShift: Int64 = 12
    private static let eventsMax = 1_000
    /// Of their records, together; one alone may be longer.
    private static let sizeMax = 4 << 20
    private static let placesMax = 500

    /// This gateway committed events.
    func noteNews() { hasNews.store(true, ordering: .releasing) }

    /// Moves what this gateway committed into the row, unless it was done since.
    func gatherEvents() async throws(MetadataError) {
        guard hasNews.load(ordering: .acquiring) || isGathering.withLock({ $0 }) else { return }
        while true {
            let begins = isGathering.withLock { isGathering in
                defer { isGathering = true }
                return !isGathering
            }
            if begins { break }
            await pool.sleep(for: .milliseconds(1))
        }
        defer { isGathering.withLock { $0 = false } }
        guard hasNews.exchange(false, ordering: .acquiringAndReleasing) else { return }
        do throws(MetadataError) {
            try await sequenceEvents()
        } catch {
            noteNews()
            throw error
        }
    }

    /// Moves all events that have no position yet.
    func sequenceEvents() async throws(MetadataError) {
        var retry = Retry(patience: configuration.patience)
        while true {
            let last = try await lastBatch(["_id": 1, "open": 1, "from": 1])
            if let last, last["open"]?.isTrue == true { try await end(last) }
            var batch = EventBatch(countMax: Self.eventsMax, sizeMax: Self.sizeMax)
            try await collect(&batch)
            if batch.entries.isEmpty { return }
            let number = (last?["_id"]?.integer ?? 0) + 1
            let document = batch.document(number, write: HeadChange.newWrite())
            let outcome = try attemptWrite { (database) throws(MongoError) in
                try database.insert([document], into: MongoSchema.events)
            }
            if case .failure(let error) = outcome {
                // Others were quicker, or it is there after all: the next round ends it.
                if case .duplicateKey = error {} else { guard error.isTransient else { throw MetadataError(error) } }
                guard await retry.wait(on: pool) else { throw MetadataError(error) }
                continue
            }
            try await end(try BSONView(encoding: document))
            if batch.isAll { return }
        }
    }

    private func lastBatch(_ fields: BSONDocument) async throws(MetadataError) -> BSONView? {
        try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query([:], projection: fields, sort: ["_id": -1], hint: "_id_", limit: 1),
                in: MongoSchema.events
            ).documents.first
        }
    }

    private func collect(_ batch: inout EventBatch) async throws(MetadataError) {
        for (collection, place) in [
            (MongoSchema.heads, EventBatch.Place.head), (MongoSchema.jobGroups, EventBatch.Place.group),
        ] {
            let query = MongoDatabase.Query(
                ["told": ["$exists": true]], projection: ["_id": 1, "events": 1], sort: ["told": 1], hint: "told",
                limit: Self.placesMax)
            let found = try await perform { (database) throws(MongoError) in try database.find(query, in: collection) }
            for view in found.documents { batch.take(EventEntry.all(in: view), of: view, at: place) }
            if found.documents.count == Self.placesMax || !found.isComplete { batch.isAll = false }
        }
        let noted = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query([:], sort: ["m": 1, "n": 1], hint: "order", limit: Self.eventsMax),
                in: MongoSchema.noted)
        }
        for view in noted.documents {
            if let entry = EventEntry(view) { batch.take([entry], of: view, at: .noted) }
        }
        if noted.documents.count == Self.eventsMax || !noted.isComplete { batch.isAll = false }
    }

    /// What is in the batch leaves the places where it was made.
    private func end(_ batch: BSONView) async throws(MetadataError) {
        guard let number = batch["_id"]?.integer else { throw .broken("events: a malformed batch") }
        var (heads, groups): ([MongoDatabase.Update], [MongoDatabase.Update]) = ([], [])
        var noted: [BSONValue] = []
        var told: [(HeadKey, Int)] = []
        for value in batch["from"]?.array ?? [] {
            guard let place = value.document, let name = place["c"]?.text, let last = place["s"]?.integer else {
                throw .broken("events: a malformed place")
            }
            switch name {
            case [UInt8(ascii: "h")]:
                guard let key = HeadKey(id: place["i"]?.document) else { throw .broken("events: a malformed key") }
                heads.append(Self.forget(key.id, through: last))
                told.append((key, Int(clamping: place["n"]?.integer ?? 0)))
            case [UInt8(ascii: "g")]:
                guard let id = place["i"]?.binary else { throw .broken("events: a malformed group") }
                groups.append(Self.forget(.binary(id), through: last))
            default: noted.append(place["i"]?.integer.map { .int64($0) } ?? .null)
            }
        }
        try await perform { (database) throws(MongoError) in
            try database.update(heads, in: MongoSchema.heads)
            try database.update(groups, in: MongoSchema.jobGroups)
            if !noted.isEmpty { try database.delete(["_id": ["$in": .array(noted)]], from: MongoSchema.noted) }
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": .int64(number), "open": true],
                        .document(["$unset": ["open": "", "from": ""]]))
                ], in: MongoSchema.events)
        }
        for (key, count) in told { writer.toldEvents(key, count) }
    }

    /// Events up to that change leave a document; a head that is no more, and holds nothing, may go.
    private static func forget(_ id: BSONValue, through sequence: Int64) -> MongoDatabase.Update {
        let isTombstone: BSONValue = [
            "$and": [
                HeadEvent.areNone, ["$ne": [["$type": "$latest"], "object"]], ["$eq": ["$outbox", []]],
                ["$gt": ["$seq", nil]],
            ]
        ]
        return MongoDatabase.Update(
            ["_id": id, "told": ["$exists": true]],
            .pipeline([
                [
                    "$set": [
                        "events": [
                            "$filter": ["input": "$events", "cond": ["$gt": ["$$this.s", .int64(sequence)]]]
                        ]
                    ]
                ],
                [
                    "$set": [
                        "told": ["$cond": [HeadEvent.areNone, "$$REMOVE", "$told"]],
                        "gone": ["$cond": [isTombstone, "$$NOW", "$$REMOVE"]],
                    ]
                ],
            ]))
    }

    // MARK: Reading

    public func events(after position: Int64, limit: Int) async throws(MetadataError) -> [ObjectEvent] {
        try await gatherEvents()
        var found: [ObjectEvent] = []
        var from = max(0, position) >> Self.positionShift
        while found.count < limit {
            let query = MongoDatabase.Query(
                ["_id": ["$gte": .int64(from)]], projection: ["e": 1], sort: ["_id": 1], hint: "_id_",
                limit: min(64, max(1, limit)))
            let batches = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.events).documents
            }
            for batch in batches {
                guard let number = batch["_id"]?.integer else { throw .broken("events: a malformed batch") }
                from = number + 1
                for (place, value) in (batch["e"]?.array ?? []).enumerated() where found.count < limit {
                    let own = number << Self.positionShift + Int64(place)
                    if own <= position { continue }
                    guard let entry = value.document.flatMap({ EventEntry($0) }) else {
                        throw .broken("events: a malformed event")
                    }
                    found.append(try entry.event(at: own))
                }
            }
            if batches.isEmpty { break }
        }
        return found
    }

    public func lastEvent() async throws(MetadataError) -> Int64 {
        // Other gateways may have committed some, and be gone.
        noteNews()
        try await gatherEvents()
        guard let last = try await lastBatch(["_id": 1, "e.s": 1]), let number = last["_id"]?.integer,
            let count = last["e"]?.array?.count, count > 0
        else { return 0 }
        return number << Self.positionShift + Int64(count - 1)
    }

    /// Before all events that get their positions from now on.
    func endOfEvents() async throws(MetadataError) -> Int64 {
        noteNews()
        try await gatherEvents()
        let number = try await lastBatch(["_id": 1])?["_id"]?.integer ?? 0
        return (number + 1) << Self.positionShift - 1
    }

    public func noteEvents(_ events: [ObjectEvent]) async throws(MetadataError) -> Int {
        var known: Set<BucketID> = []
        for id in Set(events.map(\.bucket)) where try await knownBucket(id) != nil { known.insert(id) }
        let now = Timestamp.now().milliseconds
        var documents: [BSONDocument] = []
        for var event in events where known.contains(event.bucket) {
            (event.position, event.moment) = (0, Timestamp(milliseconds: 0))
            documents.append([
                "_id": .int64(HeadChange.newWrite()), "s": 0, "m": .int64(now), "n": .int64(Int64(documents.count)),
                "e": .binary(Records.encode(event)),
            ])
        }
        if documents.isEmpty { return 0 }
        // Their ids are known before, so they may be inserted again.
        try await perform { (database) throws(MongoError) in
            try database.insert(documents, ignoringDuplicates: true, into: MongoSchema.noted)
        }
        noteNews()
        return documents.count
    }

    // MARK: Forgetting

    /// Whole batches that are older and lie before what is needed, 200 at most. False where there was none. The last one stays, empty, for its
    /// number.
    func forgetEvents(before moment: Timestamp, needed: Int64) async throws(MetadataError) -> Bool {
        guard let last = try await lastBatch(["_id": 1])?["_id"]?.integer else { return false }
        let query = MongoDatabase.Query(
            [
                "_id": ["$lte": .int64(needed >> Self.positionShift)], "m": ["$lt": .date(moment.milliseconds)],
                "open": ["$exists": false], "e.0": ["$exists": true],
            ], projection: ["_id": 1, "e.s": 1], sort: ["_id": 1], hint: "_id_", limit: 200)
        let found = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.events).documents
        }
        let numbers = found.compactMap { batch -> Int64? in
            guard let number = batch["_id"]?.integer, let count = batch["e"]?.array?.count else { return nil }
            return number << Self.positionShift + Int64(count - 1) <= needed ? number : nil
        }
        if numbers.isEmpty { return false }
        try await perform { (database) throws(MongoError) in
            try database.delete(
                ["_id": ["$in": .array(numbers.filter { $0 < last }.map { .int64($0) })]], from: MongoSchema.events)
            if numbers.contains(last) {
                try database.update(
                    [MongoDatabase.Update(["_id": .int64(last)], .document(["$set": ["e": []]]))],
                    in: MongoSchema.events)
            }
            // One that stayed for its number, and is not the last any more.
            try database.delete(
                ["_id": ["$lt": .int64(last)], "e": ["$size": 0]], from: MongoSchema.events)
        }
        return true
    }
}

/// Events that become the next batch, with the places where they were made.
private struct EventBatch {
    enum Place { case head, group, noted }

    private let countMax: Int
    private let sizeMax: Int
    private(set) var entries: [EventEntry] = []
    private var places: [BSONValue] = []
    private var size = 0
    /// Nothing was left.
    var isAll = true

    init(countMax: Int, sizeMax: Int) { (self.countMax, self.sizeMax) = (countMax, sizeMax) }

    /// As many of the oldest as there is room for.
    mutating func take(_ all: [EventEntry], of view: BSONView, at place: Place) {
        var taken: EventEntry?
        var count: Int64 = 0
        for entry in all {
            let fits = entries.count < countMax && (size + entry.record.count <= sizeMax || entries.isEmpty)
            guard fits else {
                isAll = false
                break
            }
            entries.append(entry)
            size += entry.record.count
            (taken, count) = (entry, count + 1)
        }
        guard let taken else { return }
        let (name, id): (BSONValue, BSONValue)
        switch place {
        case .head: (name, id) = ("h", view["_id"]?.document.map { .raw($0) } ?? .null)
        case .group: (name, id) = ("g", view["_id"]?.binary.map { .binary($0) } ?? .null)
        case .noted: (name, id) = ("n", view["_id"]?.integer.map { .int64($0) } ?? .null)
        }
        places.append(["c": name, "i": id, "s": .int64(taken.sequence), "n": .int64(count)])
    }

    func document(_ number: Int64, write: Int64) -> BSONDocument {
        let moment = entries.map(\.moment).max() ?? 0
        return [
            "_id": .int64(number), "w": .int64(write), "m": .date(moment), "open": true, "from": .array(places),
            "e": .array(entries.map(\.kept)),
        ]
    }
}

extension BSONView {
    fileprivate init(encoding document: BSONDocument) throws(MetadataError) {
        do throws(MongoError) {
            let bytes = try document.encoded()
            self = try BSONView(bytes)
        } catch {
            throw MetadataError(error)
        }
    }
}
