public import Bytes
import Mongo
import Threads

/// Jobs and groups as they are.
extension MongoStore {
    func jobDocument(_ id: JobID) async throws(MetadataError) -> JobDocument? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .binary(id.bytes)], in: MongoSchema.jobs)
        }
        return try view.map { (view) throws(MetadataError) in try JobDocument(view) }
    }

    func groupDocument(_ id: JobID) async throws(MetadataError) -> GroupDocument? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .binary(id.bytes)], in: MongoSchema.jobGroups)
        }
        return try view.map { (view) throws(MetadataError) in try GroupDocument(view) }
    }

    public func job(_ id: JobID) async throws(MetadataError) -> Job? { try await jobDocument(id)?.job }

    public func jobGroup(_ id: JobID) async throws(MetadataError) -> JobGroup? { try await groupDocument(id)?.group }

    public func jobs(of group: JobID) async throws(MetadataError) -> [Job] {
        // A group has as many as it has steps.
        try await jobs(MongoDatabase.Query(["g": .binary(group.bytes)], sort: ["g": 1, "_id": 1], limit: 1_000))
    }

    private func jobs(_ query: MongoDatabase.Query) async throws(MetadataError) -> [Job] {
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.jobs).documents
        }
        var found: [Job] = []
        for view in views { found.append(try JobDocument(view).job) }
        return found
    }

    private func groups(
        _ filter: BSONDocument, sort: BSONDocument, limit: Int
    ) async throws(MetadataError) -> [JobGroup] {
        let query = MongoDatabase.Query(filter, projection: ["r": 1, "n": 1], sort: sort, limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.jobGroups).documents
        }
        var found: [JobGroup] = []
        for view in views { found.append(try GroupDocument(view).group) }
        return found
    }

    public func jobGroups(before: JobID?, limit: Int) async throws(MetadataError) -> [JobGroup] {
        var (found, before) = ([JobGroup](), before)
        // Long ones may not fit into one reply.
        while found.count < limit {
            let filter: BSONDocument = before.map { ["_id": ["$lt": .binary($0.bytes)]] } ?? [:]
            let page = try await groups(filter, sort: ["_id": -1], limit: limit - found.count)
            guard let last = page.last else { break }
            found += page
            before = last.id
        }
        return found
    }

    public func jobGroups(
        of key: ObjectKey, in bucket: BucketID, limit: Int
    ) async throws(MetadataError) -> [JobGroup] {
        try await groups(
            ["b": .int64(bucket.value), "k": .text(KeyText.encode(key.utf8))], sort: ["b": 1, "k": 1, "_id": -1],
            limit: limit)
    }

    private func jobs(in state: JobState, after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try await jobs(
            MongoDatabase.Query(
                ["state": JobDocument.state(state), "_id": ["$gt": .binary(after?.bytes ?? [])]],
                sort: ["state": 1, "_id": 1], hint: "state", limit: limit))
    }

    public func leasedJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try await jobs(in: .leased, after: after, limit: limit)
    }

    public func deadJobs(after: JobID?, limit: Int) async throws(MetadataError) -> [Job] {
        try await jobs(in: .dead, after: after, limit: limit)
    }

    public func nextDueJob() async throws(MetadataError) -> Timestamp? {
        let query = MongoDatabase.Query(
            ["state": JobDocument.state(.waiting)], projection: ["due": 1], sort: ["due": 1], hint: "due", limit: 1)
        let view = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.jobs).documents.first
        }
        return view?["due"]?.date.map { Timestamp(milliseconds: $0) }
    }

    public func readyJobCounts(limit: Int) async throws(MetadataError) -> [String: Int] {
        if dueLooks.withLock({ $0.isOver(after: .milliseconds(500)) }) { try await makeDueReady() }
        let views = try await perform { (database) throws(MongoError) in
            try database.aggregate(
                [
                    ["$match": ["state": JobDocument.state(.available)]], ["$limit": .int64(Int64(max(1, limit)))],
                    ["$group": ["_id": "$queue", "n": ["$sum": 1]]],
                ], hint: "ready", in: MongoSchema.jobs)
        }
        var counts: [String: Int] = [:]
        for view in views {
            guard let queue = view["_id"]?.text else { continue }
            counts[String(decoding: queue, as: UTF8.self)] = Int(clamping: view["n"]?.integer ?? 0)
        }
        return counts
    }

    public func forgetHistory(before moment: Timestamp) async throws(MetadataError) -> Bool {
        let planned = try await plannedEvents()
        let needed = try await targets().map(\.position).min() ?? Int64.max
        let hadEvents = try await forgetEvents(before: moment, needed: min(planned, needed))
        return try await forgetGroups(before: moment) || hadEvents
    }

    private func forgetGroups(before moment: Timestamp) async throws(MetadataError) -> Bool {
        // What was not moved yet of its events is still to be told.
        let old: BSONDocument = ["ended": ["$lt": .date(moment.milliseconds)], "told": ["$exists": false]]
        let query = MongoDatabase.Query(old, projection: ["_id": 1], sort: ["ended": 1], hint: "ended", limit: 500)
        let found = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.jobGroups).documents
        }
        let ids = found.compactMap { $0["_id"]?.binary.map { BSONValue.binary($0) } }
        if ids.isEmpty { return false }
        var gone = old
        gone.append("_id", ["$in": .array(ids)])
        // One whose dead job was brought back meanwhile is not among them, and then none goes now.
        let writes: [MongoDatabase.Write] = [
            .delete(gone, from: MongoSchema.jobGroups, count: ids.count),
            .delete(["g": ["$in": .array(ids)]], from: MongoSchema.jobs, count: nil),
        ]
        try await perform { (database) throws(MongoError) in _ = try database.transact(writes) }
        return true
    }
}
