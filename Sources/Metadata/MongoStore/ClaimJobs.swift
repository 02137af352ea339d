import Bytes
import Mongo
import Threads

/// Jobs are leased to workers.
extension MongoStore {
    public var isShared: Bool { true }
    /// Jobs are made beside the writes of objects.
    public var clientCommits: UInt64 { 0 }
    public var hooksFreshFor: Duration? { configuration.bucketLease / 2 }

    // MARK: Claims

    public func claimJobs(_ claim: JobClaim) async throws(MetadataError) -> [LeasedJob] {
        if dueLooks.withLock({ $0.isOver(after: .milliseconds(500)) }) { try await makeDueReady() }
        var jobs = try await lease(claim)
        if jobs.isEmpty, try await makeDueReady() > 0 { jobs = try await lease(claim) }
        return try await withGroups(jobs)
    }

    /// Waiting jobs whose time has come by the server's clock are available from now on. Returns how many.
    @discardableResult
    func makeDueReady() async throws(MetadataError) -> Int64 {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        ["state": JobDocument.state(.waiting), "$expr": ["$lte": ["$due", "$$NOW"]]],
                        .pipeline([
                            ["$set": ["state": JobDocument.state(.available), "due": "$$REMOVE", "changed": "$$NOW"]]
                        ]), many: true)
                ], in: MongoSchema.jobs)
        }
    }

    private func lease(_ claim: JobClaim) async throws(MetadataError) -> [Job] {
        let countMax = min(max(1, claim.countMax), 100)
        var room = claim.room
        for (lane, left) in try await roomLeft(by: claim.limits) { room[lane] = min(room[lane] ?? left, left) }
        var jobs: [Job] = []
        for queue in claim.queues {
            while jobs.count < countMax {
                let full = room.filter { $0.value <= 0 }.map { BSONValue.binary($0.key) }
                guard let job = try await leaseFirst(of: queue, notIn: full, claim) else { break }
                if let left = room[job.lane] { room[job.lane] = left - 1 }
                jobs.append(job)
            }
        }
        return jobs
    }

    /// How many more of each lane may run, by what runs through all gateways. Two that claim at once may pass the limit by what they take.
    private func roomLeft(by limits: [[UInt8]: Int]) async throws(MetadataError) -> [[UInt8]: Int] {
        if limits.isEmpty { return [:] }
        let lanes = limits.keys.map { BSONValue.binary($0) }
        let views = try await perform { (database) throws(MongoError) in
            try database.aggregate(
                [
                    ["$match": ["state": JobDocument.state(.leased), "lane": ["$in": .array(lanes)]]],
                    ["$group": ["_id": "$lane", "n": ["$sum": 1]]],
                ], hint: "running", in: MongoSchema.jobs)
        }
        var left = limits
        for view in views {
            guard let lane = view["_id"]?.binary, let count = view["n"]?.integer else { continue }
            left[lane] = max(0, (limits[lane] ?? 0) - Int(clamping: count))
        }
        return left
    }

    /// The first one that is ready; nil where none is.
    private func leaseFirst(
        of queue: String, notIn lanes: [BSONValue], _ claim: JobClaim
    ) async throws(MetadataError) -> Job? {
        var random = SystemRandomNumberGenerator()
        let token = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        var filter: BSONDocument = ["state": JobDocument.state(.available), "queue": .text(queue)]
        if !lanes.isEmpty { filter.append("lane", ["$nin": .array(lanes)]) }
        let lease: BSONDocument = [
            "state": JobDocument.state(.leased), "token": .literal(.binary(token)),
            "worker": .literal(.text(claim.worker)), "attempt": ["$min": [1_000_000, ["$add": ["$attempt", 1]]]],
            "until": Self.moment(after: claim.leasePeriod), "changed": "$$NOW",
            "doubt": claim.isConfirmed ? "$$REMOVE" : true,
        ]
        let found = filter
        var mayBeDone = false
        var retry = Retry(patience: configuration.patience)
        while true {
            let isRepeat = mayBeDone
            let outcome = try attemptWrite { (database) throws(MongoError) in
                if isRepeat {
                    let held: BSONDocument = ["state": JobDocument.state(.leased), "token": .binary(token)]
                    if let view = try database.findOne(held, in: MongoSchema.jobs) { return Optional(view) }
                }
                return try database.findAndModify(
                    found, .pipeline([["$set": .document(lease)]]), sort: ["rank": 1, "_id": 1], hint: "ready",
                    in: MongoSchema.jobs)
            }
            switch outcome {
            case .success(let view): return try view.map { (view) throws(MetadataError) in try JobDocument(view).job }
            case .failure(let error):
                guard error.isTransient else { throw MetadataError(error) }
                if case .unknownOutcome = error { mayBeDone = true }
                guard await retry.wait(on: pool) else { throw MetadataError(error) }
            }
        }
    }

    private func withGroups(_ jobs: [Job]) async throws(MetadataError) -> [LeasedJob] {
        if jobs.isEmpty { return [] }
        let ids = Set(jobs.map(\.group))
        let views = try await perform { (database) throws(MongoError) in
            try database.find(
                MongoDatabase.Query(
                    ["_id": ["$in": .array(ids.map { .binary($0.bytes) })]], projection: ["events": 0],
                    limit: ids.count), in: MongoSchema.jobGroups
            ).documents
        }
        var groups: [JobID: JobGroup] = [:]
        for view in views {
            let group = try GroupDocument(view).group
            groups[group.id] = group
        }
        var leased: [LeasedJob] = []
        for job in jobs {
            // A reply that was cut leaves the large ones to be read one by one.
            let known = if let group = groups[job.group] { group } else { try await jobGroup(job.group) }
            guard let group = known else { throw .broken("jobs: a job of a group that is not there") }
            leased.append(LeasedJob(job: job, group: group))
        }
        return leased
    }

    // MARK: Leases

    public func renewLease(
        of job: JobID, token: [UInt8], for period: Duration
    ) async throws(MetadataError) -> Bool {
        try await perform { (database) throws(MongoError) in
            try database.update(
                [
                    MongoDatabase.Update(
                        [
                            "_id": .binary(job.bytes), "state": JobDocument.state(.leased),
                            "token": .binary(token),
                        ],
                        .pipeline([["$set": ["until": Self.moment(after: period), "doubt": "$$REMOVE"]]]))
                ], in: MongoSchema.jobs)
        } > 0
    }

    public func endedLeases(limit: Int) async throws(MetadataError) -> [EndedLease] {
        let query = MongoDatabase.Query(
            ["state": JobDocument.state(.leased), "$expr": ["$lt": ["$until", "$$NOW"]]], sort: ["until": 1],
            hint: "until", limit: limit)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.jobs).documents
        }
        var documents: [JobDocument] = []
        for view in views { documents.append(try JobDocument(view)) }
        let leased = try await withGroups(documents.map(\.job))
        return zip(documents, leased).map { document, leased in
            EndedLease(
                leased: leased, ended: Timestamp(milliseconds: document.until ?? 0), isDoubtful: document.isDoubtful)
        }
    }
}

/// A moment that something was last done at.
struct LastTime: Sendable {
    private var moment: UInt64?

    /// True where that was so long ago; then it is done now.
    mutating func isOver(after period: Duration) -> Bool {
        let now = Monotonic.nanoseconds
        if let moment, now &- moment < period.nanosecondsClamped { return false }
        moment = now
        return true
    }
}
