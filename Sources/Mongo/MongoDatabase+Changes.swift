extension MongoDatabase {
    /// Changes of documents, as the server tells them in the order in which they were made.
    public struct Changes: Sendable {
        /// Of the documents, one for each change.
        public fileprivate(set) var keys: [BSONView]
        /// Changes up to this time are among them, or came before; some of them may come again behind it.
        public fileprivate(set) var time: UInt64
        /// There were no more that a majority had.
        public fileprivate(set) var isLast: Bool
    }

    /// The first changes of a collection behind a time of the cluster, at most `limit` (2 or more). Nil where the server does not remember that
    /// far back (manual/changeStreams).
    ///
    /// Each call opens a change stream and takes its first batch, which the server fills from its log up to what a majority has, and at
    /// least up to the time that this object was told last.
    public func changes(
        of collection: StaticString, behind time: UInt64, limit: Int
    ) throws(MongoError) -> Changes? {
        let known = lastTime ?? time
        let limit = max(2, limit)
        let reply: BSONView
        do throws(MongoError) {
            reply = try run([
                "aggregate": .text(collection.bytes),
                "pipeline": [
                    ["$changeStream": ["startAtOperationTime": .timestamp(time &+ 1)]],
                    ["$project": ["documentKey": 1, "clusterTime": 1]],
                ],
                "cursor": ["batchSize": .int32(Int32(clamping: limit))], "readConcern": readConcern,
            ])
        } catch {
            // CappedPositionLost, ChangeStreamFatalError, ChangeStreamHistoryLost.
            if case .refused(code: let code, _) = error, [136, 280, 286].contains(code) { return nil }
            throw error
        }
        let cursor = reply["cursor"]?.document
        if let id = cursor?["id"]?.integer, id != 0 {
            // Where this fails the server ends it after ten minutes.
            _ = try? run(["killCursors": .text(collection.bytes), "cursors": [.int64(id)]])
        }
        guard let batch = cursor?["firstBatch"]?.array else {
            throw .invalidDocument("a reply to aggregate without a batch")
        }
        let events = batch.compactMap(\.document)
        let times = events.compactMap { $0["clusterTime"]?.timestamp }
        // A reply is cut below 16 MiB.
        let isLast = events.count < limit && reply.encodedCount < 8 << 20
        var changes = Changes(keys: events.compactMap { $0["documentKey"]?.document }, time: time, isLast: isLast)
        if isLast {
            changes.time = max(known, times.last ?? 0, time)
        } else if let last = times.last {
            // Others of the same time may follow.
            changes.time = last == times.first ? last : last &- 1
        }
        return changes
    }
}
