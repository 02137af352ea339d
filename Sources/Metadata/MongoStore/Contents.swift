import Bytes
import Mongo
import Threads

/// The bytes of small objects: `{_id: blob, d: bytes, t: moment}` in `contents`, written once.
///
/// They are there, by a majority, before a version names them, as a file is. What is between (a gateway that died, an outcome that nobody
/// knows) leaves bytes that nothing names, and never a version without its bytes. A version that is dropped lists its blob in `garbage`, and
/// the bytes go with that row. Numbers of blobs are given once, so that nothing that arrives late can be taken for another's bytes.
extension MongoStore {
    /// Larger blobs have places of their own. Documents of MongoDB hold 16 MiB; from here on files cost less.
    public static let contentBytesMax = 64 << 10

    /// Returns when a majority has the bytes.
    func keep(_ bytes: [UInt8], of blob: BlobID) async throws(MetadataError) {
        try await reserve(blob)
        let isKept = await Waiter<Bool>.suspend { waiter in
            if contents.add(ContentWriter.Waiting(blob: blob, bytes: bytes, waiter: waiter)) {
                pool.run { while let batch = self.contents.take() { self.write(batch) } }
            }
        }
        if isKept { return }
        let document = Self.content(bytes, of: blob)
        try await perform { (database) throws(MongoError) in
            try database.insert([document], ignoringDuplicates: true, into: MongoSchema.contents)
        }
    }

    private static func content(_ bytes: [UInt8], of blob: BlobID) -> BSONDocument {
        [
            "_id": .int64(Int64(bitPattern: blob.value)), "d": .binary(bytes),
            "t": .date(Timestamp.now().milliseconds),
        ]
    }

    private func write(_ batch: [ContentWriter.Waiting]) {
        let documents = batch.map { Self.content($0.bytes, of: $0.blob) }
        let result = try? attemptWrite { (database) throws(MongoError) in
            try database.insertEach(documents, into: MongoSchema.contents)
        }
        var failed = Set(batch.indices)
        if case .success(let outcomes) = result { failed = Set(outcomes.failed.keys) }
        pool.corked { for (place, one) in batch.enumerated() { one.waiter.resume(!failed.contains(place)) } }
    }

    /// Numbers up to the blob's are not given again: bytes here leave no file that would say so.
    private func reserve(_ blob: BlobID) async throws(MetadataError) {
        if contents.isNoted(blob.value) { return }
        let (ahead, isTooLarge) = blob.value.addingReportingOverflow(Self.reservedAhead)
        let last = isTooLarge ? blob.value : ahead
        try await raise("blobs", to: Int64(clamping: last))
        contents.noteIDs(through: last)
    }

    private static let reservedAhead: UInt64 = 1 << 16

    /// The version was not made, if the error says so for sure; where it does not, the bytes stay.
    func discard(_ blob: BlobID, after error: MetadataError) async {
        switch error {
        case .unavailable, .broken: break
        default:
            // Where this fails they are found as stray ones.
            _ = try? attempt { (database) throws(MongoError) in
                try database.delete(["_id": .int64(Int64(bitPattern: blob.value))], from: MongoSchema.contents)
            }
        }
    }

    public func bytes(of blob: BlobID) async throws(MetadataError) -> [UInt8]? {
        try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .int64(Int64(bitPattern: blob.value))], in: MongoSchema.contents)
        }?["d"]?.binary
    }

    // MARK: What nothing names

    /// Removes the bytes of garbage below that place, and then says nothing more of it.
    func removeDroppedContents(below bound: Int64) async throws(MetadataError) {
        let query = MongoDatabase.Query(
            ["o": ["$lt": .int64(bound)], "c": true], projection: ["_id": 1], sort: ["o": 1],
            hint: MongoSchema.droppedContents, limit: Self.batchLength)
        while true {
            let rows = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.garbage).documents
            }
            let numbers = rows.compactMap { $0["_id"]?.integer.map { BSONValue.int64($0) } }
            if numbers.isEmpty { return }
            try await perform { (database) throws(MongoError) in
                try database.delete(["_id": ["$in": .array(numbers)]], from: MongoSchema.contents)
                try database.delete(["_id": ["$in": .array(numbers)]], from: MongoSchema.garbage)
            }
        }
    }

    private static let batchLength = 1_000
    /// As with what lies on an engine: nobody publishes what is older.
    private static let strayAge_ms: Int64 = 48 * 3_600_000

    public func strayBlobs() async throws(MetadataError) -> [BlobID] {
        try await strayBlobs(olderThan_ms: Self.strayAge_ms)
    }

    func strayBlobs(olderThan_ms age_ms: Int64) async throws(MetadataError) -> [BlobID] {
        let bound = BSONValue.date(Timestamp.now().milliseconds - age_ms)
        var found: [BlobID] = []
        var last = Int64.min
        while true {
            let query = MongoDatabase.Query(
                ["_id": ["$gt": .int64(last)], "t": ["$lte": bound]], projection: ["_id": 1], sort: ["_id": 1],
                limit: Self.batchLength)
            let rows = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.contents).documents
            }
            let numbers = rows.compactMap { $0["_id"]?.integer }
            guard let end = numbers.last else { return found }
            last = end
            for number in try await unnamed(numbers) {
                let blob = BlobID(UInt64(bitPattern: number))
                // Those few are looked for everywhere.
                if try await self.blob(blob) == nil, try await !isGarbage(number) { found.append(blob) }
            }
        }
    }

    /// Those that neither a head nor a row names, by one look at each.
    private func unnamed(_ numbers: [Int64]) async throws(MetadataError) -> [Int64] {
        let wanted: BSONValue = ["$in": .array(numbers.map { .int64($0) })]
        let (heads, rows) = try await perform { (database) throws(MongoError) in
            (
                try database.find(
                    MongoDatabase.Query(["latest.b": wanted], projection: ["latest.b": 1], limit: numbers.count),
                    in: MongoSchema.heads
                ).documents,
                try database.find(
                    MongoDatabase.Query(["d.b": wanted], projection: ["d.b": 1], limit: numbers.count),
                    in: MongoSchema.versions
                ).documents
            )
        }
        let named = Set(
            (heads.map { $0["latest"] } + rows.map { $0["d"] }).compactMap { $0?.document?["b"]?.integer })
        return numbers.filter { !named.contains($0) }
    }

    private func isGarbage(_ number: Int64) async throws(MetadataError) -> Bool {
        try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .int64(number)], in: MongoSchema.garbage)
        } != nil
    }

    public func setAside(stray blob: BlobID) async throws(MetadataError) -> Bool {
        let id: BSONDocument = ["_id": .int64(Int64(bitPattern: blob.value))]
        return try await perform { (database) throws(MongoError) in
            guard let content = try database.findOne(id, in: MongoSchema.contents) else { return false }
            try database.insert([BSONDocument(of: content)], ignoringDuplicates: true, into: MongoSchema.strays)
            try database.delete(id, from: MongoSchema.contents)
            return true
        }
    }
}

extension BSONDocument {
    /// The fields of a content.
    fileprivate init(of content: BSONView) {
        self = [
            "_id": .int64(content["_id"]?.integer ?? 0), "d": .binary(content["d"]?.binary ?? []),
            "t": .date(content["t"]?.date ?? 0),
        ]
    }
}

/// Bytes that wait to be written: while a command is under way, what comes gathers and is the next one.
final class ContentWriter: Sendable {
    struct Waiting: Sendable {
        let blob: BlobID
        let bytes: [UInt8]
        /// Told whether a majority has them; if not, they may be there or come.
        let waiter: Waiter<Bool>
    }

    private struct State {
        var waiting: [Waiting] = []
        var laneCount = 0
        /// Numbers up to here are not given again.
        var notedThrough: UInt64 = 0
    }

    /// Commands under way at once: while one waits for its majority, another is made.
    private static let lanesMax = 2
    private static let countMax = 128
    /// A command takes 48 MB.
    private static let bytesMax = 8 << 20

    private let state = Lock(State())

    /// True where a lane has to be started: `take` until there is nothing.
    func add(_ waiting: Waiting) -> Bool {
        state.withLock { state in
            state.waiting.append(waiting)
            guard state.laneCount < Self.lanesMax else { return false }
            state.laneCount += 1
            return true
        }
    }

    /// The next batch; nil ends the lane.
    func take() -> [Waiting]? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.laneCount -= 1
                return nil
            }
            var count = 0
            var bytes = 0
            for one in state.waiting.prefix(Self.countMax) {
                bytes += one.bytes.count
                if bytes > Self.bytesMax, count > 0 { break }
                count += 1
            }
            defer { state.waiting.removeFirst(count) }
            return [Waiting](state.waiting.prefix(count))
        }
    }

    func isNoted(_ id: UInt64) -> Bool { state.withLock { id <= $0.notedThrough } }
    func noteIDs(through id: UInt64) { state.withLock { $0.notedThrough = max($0.notedThrough, id) } }
}
