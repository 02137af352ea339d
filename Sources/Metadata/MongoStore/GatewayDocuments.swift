import Bytes
import Mongo
import Threads

/// A gateway that reads blobs which another one may remove: `{_id: random, seen, order, reads}`. `seen` is when it was last heard of,
/// `order` the place of that moment among the `seq` of heads, `reads` the place since when it reads whatever it reads: what was dropped
/// from there on has to stay. Five minutes after it was last heard of the server removes it.
extension MongoStore {
    /// Reports for the first time, and from then on every `reportInterval` until `endReporting`. `oldestRead` is the moment in
    /// `Monotonic.nanoseconds` at which the oldest read of this gateway began; nil where none is under way.
    ///
    /// Nothing may be read before this returns. A read must pin its blobs first, and then read a row that still names them.
    public func startReporting(oldestRead: @escaping @Sendable () -> UInt64?) async throws(MetadataError) {
        try await report(oldestRead)
        pool.run { [weak self, pool, configuration] in
            while true {
                await pool.sleep(for: configuration.reportInterval)
                guard let self, !self.isOver else { return }
                // Where it fails, what was reported last goes on to hold garbage back.
                try? await self.report(oldestRead)
            }
        }
    }

    /// This gateway reads nothing any more.
    public func endReporting() async {
        close()
        _ = try? attempt { (database) throws(MongoError) in
            try database.delete(["_id": .int64(gateway)], from: MongoSchema.gateways)
        }
    }

    private func report(_ oldestRead: @Sendable () -> UInt64?) async throws(MetadataError) {
        // What begins from now on begins later than the last report.
        let oldest = oldestRead() ?? Monotonic.nanoseconds
        let reads = reported.withLock { $0.order(before: oldest) } ?? Int64.min
        let view = try await perform { (database) throws(MongoError) in
            try database.findAndModify(
                ["_id": .int64(gateway)],
                .pipeline([
                    ["$set": ["seen": "$$NOW", "order": HeadPipeline.clusterTime, "reads": .int64(reads)]]
                ]), upsert: true, in: MongoSchema.gateways)
        }
        guard let order = view?["order"]?.integer else { throw .broken("gateways: a malformed document") }
        let moment = Monotonic.nanoseconds
        reported.withLock { $0.append(order, at: moment) }
    }

    /// Garbage below this place may be removed: it was dropped long enough ago, and before any read of a live gateway began. Nil where
    /// another gateway removes garbage at present.
    func removableBound(after lifetime: Duration) async throws(MetadataError) -> Int64? {
        guard let now = try await takeSweep() else { return nil }
        let oldest = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query([:], sort: ["reads": 1], limit: 1), in: MongoSchema.gateways
            ).documents.first
        }
        // Not even this gateway has reported.
        guard let reads = oldest?["reads"]?.integer else { return Int64.min }
        let seconds = Int64(clamping: lifetime.nanosecondsClamped / 1_000_000_000)
        return min(reads, now - min(seconds, 1 << 40) << HeadPipeline.secondShift)
    }

    /// The cluster's time where this gateway is the one that removes garbage, for a minute from now on. Two at once do no harm; they only
    /// ask the engine for the same.
    private func takeSweep() async throws(MetadataError) -> Int64? {
        let now = Timestamp.now().milliseconds
        let view = try await perform { (database) throws(MongoError) -> BSONView? in
            do throws(MongoError) {
                return try database.findAndModify(
                    [
                        "_id": "sweep",
                        "$or": [["holder": .int64(gateway)], ["until": ["$lt": .date(now)]]],
                    ],
                    .pipeline([
                        [
                            "$set": [
                                "holder": .int64(gateway), "until": .date(now + 60_000),
                                "order": HeadPipeline.clusterTime,
                            ]
                        ]
                    ]), upsert: true, in: MongoSchema.store)
            } catch .duplicateKey {
                return nil
            }
        }
        return view?["order"]?.integer
    }

    /// Lets another gateway remove garbage.
    func endSweep() async throws(MetadataError) {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["_id": "sweep", "holder": .int64(gateway)], .document(["$set": ["until": .date(0)]]))
                ], in: MongoSchema.store)
        }
    }
}

/// Places among the `seq` of heads that the cluster had come to at moments of this process. Between two of them the cluster's time may
/// stand still, and jump: so only what was read from it counts.
struct ReportedOrders: Sendable {
    /// Ascending in both.
    private var all: [(order: Int64, moment: UInt64)] = []

    mutating func append(_ order: Int64, at moment: UInt64) { all.append((order, moment)) }

    /// The last place before `moment`; nil where none is known. What lies before it is forgotten: nobody asks for less later.
    mutating func order(before moment: UInt64) -> Int64? {
        guard let last = all.lastIndex(where: { $0.moment <= moment }) else { return nil }
        all.removeFirst(last)
        return all[0].order
    }
}
