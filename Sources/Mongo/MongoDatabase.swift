import Threads

/// The commands that this program sends, one function each (mongodb.com/docs/manual/reference/command). All go to the primary,
/// and all block for the network.
///
/// Writes are acknowledged by a majority that has them in its journal. Reads see what a majority has, and at least what this
/// object's own commands did: `operationTime` of each reply is carried into the next read, so that a primary that was just
/// elected waits until its majority has it.
public final class MongoDatabase: Sendable {
    public let name: String
    private let clients: MongoClients
    private let clock = OperationClock()
    /// How long a write may wait for its majority, in milliseconds.
    private let majorityWait_ms: Int32

    public init(_ clients: MongoClients, name: String, majorityWait: Duration) {
        self.clients = clients
        self.name = name
        let (seconds, attoseconds) = majorityWait.components
        majorityWait_ms =
            Int32(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue)
            &+ Int32(clamping: attoseconds / 1_000_000_000_000_000)
    }

    /// Any command. The reply may hold errors of single writes.
    public func run(_ command: BSONDocument) throws(MongoError) -> BSONView {
        let reply = try clients.run(command, on: name)
        if let time = reply["operationTime"]?.timestamp { clock.advance(to: time) }
        return reply
    }

    /// The latest time of the cluster that a reply told, where one told it that lately: seconds since 1970 in the high half, a count in
    /// the low half.
    public func recentTime(within age: Duration) -> UInt64? { clock.recent(within: age.nanosecondsClamped) }

    /// The latest time of the cluster that any reply told, in the same form.
    public var lastTime: UInt64? { clock.last }

    private var writeConcern: BSONValue {
        ["w": "majority", "j": true, "wtimeout": .int32(majorityWait_ms)]
    }

    var readConcern: BSONValue {
        guard let time = clock.last else { return ["level": "majority"] }
        return ["level": "majority", "afterClusterTime": .timestamp(time)]
    }

    /// What of a collection `find` returns, and in which order.
    public struct Query: Sendable {
        public var filter: BSONDocument
        public var projection: BSONDocument?
        public var sort: BSONDocument?
        /// The name of an index.
        public var hint: BSONValue?
        /// 1 or more.
        public var limit: Int
        /// After so long the server gives up, and the outcome is unknown.
        public var maxTime_ms: Int32?

        public init(
            _ filter: BSONDocument, projection: BSONDocument? = nil, sort: BSONDocument? = nil, hint: BSONValue? = nil,
            limit: Int, maxTime_ms: Int32? = nil
        ) {
            (self.filter, self.projection, self.sort, self.hint) = (filter, projection, sort, hint)
            (self.limit, self.maxTime_ms) = (limit, maxTime_ms)
        }
    }

    /// Up to `limit` documents. They must fit into one reply of 16 MiB: `isComplete` is false where they did not, and the rest
    /// begins after the last one.
    public func find(_ query: Query, in collection: StaticString) throws(MongoError) -> (
        documents: [BSONView], isComplete: Bool
    ) {
        let limit = Int32(clamping: max(1, query.limit))
        var command: BSONDocument = ["find": .text(collection.bytes), "filter": .document(query.filter)]
        command.append("projection", query.projection.map { .document($0) })
        command.append("sort", query.sort.map { .document($0) })
        command.append("hint", query.hint)
        command.append("limit", .int32(limit))
        command.append("batchSize", .int32(limit))
        command.append("singleBatch", true)
        command.append("maxTimeMS", query.maxTime_ms.map { .int32($0) })
        command.append("readConcern", readConcern)
        let reply = try run(command)
        guard let batch = reply["cursor"]?.document?["firstBatch"]?.array else {
            throw .invalidDocument("a reply to find without a batch")
        }
        let documents = batch.compactMap(\.document)
        // A reply is cut below 16 MiB; a complete one is shorter than that by one document at least.
        let isComplete = documents.count >= query.limit || reply.encodedCount < 8 << 20
        return (documents, isComplete)
    }

    public func findOne(
        _ filter: BSONDocument, projection: BSONDocument? = nil, in collection: StaticString
    ) throws(MongoError) -> BSONView? {
        try find(Query(filter, projection: projection, limit: 1), in: collection).documents.first
    }

    /// How many documents there are by the collection's own account, which a crash may put off.
    public func count(of collection: StaticString) throws(MongoError) -> Int64 {
        try run(["count": .text(collection.bytes)])["n"]?.integer ?? 0
    }

    /// How many documents there are that match, at most `limit` of them (1 or more) where it is given. `hint` is the name of an index.
    public func count(
        _ filter: BSONDocument, hint: BSONValue, limit: Int? = nil, maxTime_ms: Int32? = nil,
        in collection: StaticString
    ) throws(MongoError) -> Int64 {
        var command: BSONDocument = ["count": .text(collection.bytes), "query": .document(filter), "hint": hint]
        command.append("limit", limit.map { .int64(Int64(max(1, $0))) })
        command.append("maxTimeMS", maxTime_ms.map { .int32($0) })
        command.append("readConcern", readConcern)
        return try run(command)["n"]?.integer ?? 0
    }

    /// What an update does to one document: operators, a replacement, or the stages of a pipeline.
    public enum Change: Sendable {
        case document(BSONDocument)
        case pipeline([BSONDocument])

        fileprivate var value: BSONValue {
            switch self {
            case .document(let document): .document(document)
            case .pipeline(let stages): .documents(stages)
            }
        }
    }

    /// Changes one document, the first by `sort`, and returns it as it is then, or as it was before; nil where none matches.
    public func findAndModify(
        _ filter: BSONDocument, _ change: Change, upsert: Bool = false, returningNew: Bool = true,
        sort: BSONDocument? = nil, hint: BSONValue? = nil, fields: BSONDocument? = nil, in collection: StaticString
    ) throws(MongoError) -> BSONView? {
        var command: BSONDocument = [
            "findAndModify": .text(collection.bytes), "query": .document(filter), "update": change.value,
            "upsert": .bool(upsert), "new": .bool(returningNew),
        ]
        command.append("sort", sort.map { .document($0) })
        command.append("hint", hint)
        command.append("fields", fields.map { .document($0) })
        command.append("writeConcern", writeConcern)
        let reply = try write(command)
        return reply["value"]?.document
    }

    /// One update of `update`.
    public struct Update: Sendable {
        public var filter: BSONDocument
        public var change: Change
        public var upsert: Bool
        public var many: Bool

        public init(_ filter: BSONDocument, _ change: Change, upsert: Bool = false, many: Bool = false) {
            (self.filter, self.change, self.upsert, self.many) = (filter, change, upsert, many)
        }

        fileprivate var statement: BSONDocument {
            ["q": .document(filter), "u": change.value, "upsert": .bool(upsert), "multi": .bool(many)]
        }
    }

    /// Each update by itself, in no promised order. Returns how many documents matched, those inserted included. With
    /// `ignoringDuplicates`, an upsert that meets an entry of the same key counts as done.
    @discardableResult
    public func update(
        _ updates: [Update], ignoringDuplicates: Bool = false, in collection: StaticString
    ) throws(MongoError) -> Int64 {
        var matched: Int64 = 0
        for batch in updates.batches {
            let reply = try write(
                [
                    "update": .text(collection.bytes), "updates": .documents(batch.map(\.statement)), "ordered": false,
                    "writeConcern": writeConcern,
                ], ignoringDuplicates: ignoringDuplicates)
            matched += reply["n"]?.integer ?? 0
        }
        return matched
    }

    /// Throws `duplicateKey`, unless those are ignored; the others are inserted then.
    public func insert(
        _ documents: [BSONDocument], ignoringDuplicates: Bool = false, into collection: StaticString
    ) throws(MongoError) {
        for batch in documents.batches {
            _ = try write(
                [
                    "insert": .text(collection.bytes), "documents": .documents(Array(batch)), "ordered": false,
                    "writeConcern": writeConcern,
                ], ignoringDuplicates: ignoringDuplicates)
        }
    }

    /// What became of writes that were sent together, each by itself.
    public struct Outcomes: Sendable {
        /// Documents that matched, those inserted included.
        public fileprivate(set) var matched: Int64
        /// By the places of the writes that failed.
        public fileprivate(set) var failed: [Int: MongoError]
    }

    /// As `update`, of as many as one command takes: one that fails is told, and the others are carried out. Throws where nothing is known of
    /// any.
    public func updateEach(_ updates: [Update], in collection: StaticString) throws(MongoError) -> Outcomes {
        try outcomes(of: [
            "update": .text(collection.bytes), "updates": .documents(updates.map(\.statement)), "ordered": false,
            "writeConcern": writeConcern,
        ])
    }

    /// As `insert`, of as many as one command takes: one that fails is told, and the others are carried out. Throws where nothing is known of
    /// any.
    public func insertEach(_ documents: [BSONDocument], into collection: StaticString) throws(MongoError) -> Outcomes {
        try outcomes(of: [
            "insert": .text(collection.bytes), "documents": .documents(documents), "ordered": false,
            "writeConcern": writeConcern,
        ])
    }

    private func outcomes(of command: BSONDocument) throws(MongoError) -> Outcomes {
        let reply = try run(command)
        if let failure = reply["writeConcernError"]?.document { throw .unknownOutcome(failure.message) }
        var outcomes = Outcomes(matched: reply["n"]?.integer ?? 0, failed: [:])
        for failure in reply["writeErrors"]?.array ?? [] {
            guard let place = failure.document?["index"]?.integer else {
                throw .invalidDocument("a write error without a place")
            }
            outcomes.failed[Int(clamping: place)] = MongoError(writeError: failure.document)
        }
        return outcomes
    }

    /// Removes all that match and returns how many those were.
    @discardableResult
    public func delete(_ filter: BSONDocument, from collection: StaticString) throws(MongoError) -> Int64 {
        try write([
            "delete": .text(collection.bytes), "deletes": [["q": .document(filter), "limit": 0]],
            "writeConcern": writeConcern,
        ])["n"]?.integer ?? 0
    }

    /// Removes a collection with its indexes; one that is not there is fine.
    public func drop(_ collection: StaticString) throws(MongoError) {
        do throws(MongoError) {
            _ = try write(["drop": .text(collection.bytes), "writeConcern": writeConcern])
        } catch {
            // Before version 7 the server says that there is none.
            guard case .refused(code: 26, _) = error else { throw error }
        }
    }

    /// Makes those that are missing; throws `refused` where one of the same name is another.
    public func createIndexes(_ indexes: [BSONDocument], of collection: StaticString) throws(MongoError) {
        _ = try write([
            "createIndexes": .text(collection.bytes), "indexes": .documents(indexes), "commitQuorum": "majority",
            "writeConcern": writeConcern,
        ])
    }

    /// Runs single updates and inserts in one transaction, once; a majority has them when this returns. What the store's way of writing
    /// heads is measured against.
    public func transact(_ commands: [BSONDocument]) throws(MongoError) {
        _ = try transact(commands, expecting: commands.map { _ in -1 })
    }

    /// One write of a transaction.
    public enum Write: Sendable {
        /// All of them, at least one.
        case insert([BSONDocument], into: StaticString)
        /// Has to match one document; any number where it is one of `many`.
        case update(Update, in: StaticString)
        /// Removes all that match, which have to be as many as `count` where that is given.
        case delete(BSONDocument, from: StaticString, count: Int?)
    }

    /// Carries all of them out in one transaction, once; a majority has them when this returns nil. Else nothing was done, and the answer is the
    /// place of the first that did not match what it had to. `notCarriedOut` and `writeConflict` say the same for certain.
    public func transact(_ writes: [Write]) throws(MongoError) -> Int? {
        var commands: [BSONDocument] = []
        var expected: [Int32] = []
        for write in writes {
            switch write {
            case .insert(let documents, let collection):
                commands.append(["insert": .text(collection.bytes), "documents": .documents(documents)])
                expected.append(Int32(clamping: documents.count))
            case .update(let update, let collection):
                commands.append(["update": .text(collection.bytes), "updates": [.document(update.statement)]])
                expected.append(update.many ? -1 : 1)
            case .delete(let filter, let collection, let count):
                commands.append([
                    "delete": .text(collection.bytes), "deletes": [["q": .document(filter), "limit": 0]],
                ])
                expected.append(count.map { Int32(clamping: $0) } ?? -1)
            }
        }
        return try transact(commands, expecting: expected)
    }

    private func transact(_ commands: [BSONDocument], expecting expected: [Int32]) throws(MongoError) -> Int? {
        var time: UInt64 = 0
        let unexpected = try clients.transact(commands, expecting: expected, on: name, time: &time)
        if time > 0 { clock.advance(to: time) }
        return unexpected
    }

    /// The first reply of a pipeline over a collection. `hint` is the name of an index.
    public func aggregate(
        _ stages: [BSONDocument], hint: BSONValue, in collection: StaticString
    ) throws(MongoError) -> [BSONView] {
        let reply = try run([
            "aggregate": .text(collection.bytes), "pipeline": .documents(stages), "hint": hint,
            "cursor": ["batchSize": 100_000], "readConcern": readConcern,
        ])
        return reply["cursor"]?.document?["firstBatch"]?.array?.compactMap(\.document) ?? []
    }

    private func write(_ command: BSONDocument, ignoringDuplicates: Bool = false) throws(MongoError) -> BSONView {
        let reply = try run(command)
        for failure in reply["writeErrors"]?.array ?? [] {
            let error = MongoError(writeError: failure.document)
            if case .duplicateKey = error, ignoringDuplicates { continue }
            throw error
        }
        if let failure = reply["writeConcernError"]?.document {
            // It was carried out; whether it stays is open, whatever the reason is.
            throw .unknownOutcome(failure.message)
        }
        return reply
    }
}

extension MongoError {
    fileprivate init(writeError: BSONView?) {
        guard let writeError, let code = writeError["code"]?.integer else {
            self = .invalidDocument("a write error without a code")
            return
        }
        self = MongoError(code: Int32(truncatingIfNeeded: code), writeError.message)
    }
}

extension BSONView {
    fileprivate var message: String { String(decoding: self["errmsg"]?.text ?? [], as: UTF8.self) }
}

extension Array {
    /// As many as one command takes with room: a server takes 100,000 writes and 48 MB.
    fileprivate var batches: [ArraySlice<Element>] {
        stride(from: 0, to: count, by: 500).map { self[$0..<Swift.min($0 + 500, count)] }
    }
}
