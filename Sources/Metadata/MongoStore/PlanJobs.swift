import Bytes
import Mongo

/// Jobs are made of events.
extension MongoStore {
    /// How far planning came: `{_id: "planned", at, w}` in `store`.
    private func plannedDocument() async throws(MetadataError) -> BSONView? {
        try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": "planned"], in: MongoSchema.store)
        }
    }

    public func plannedEvents() async throws(MetadataError) -> Int64 {
        try await plannedDocument()?["at"]?.integer ?? 0
    }

    public func planJobs(
        after former: Int64, through last: Int64, _ groups: [JobGroup]
    ) async throws(MetadataError) -> PlannedRuns? {
        let merged = JobGroup.merged(groups)
        var tried: PlannedRuns?
        let planned = try await transact { (write) throws(MetadataError) -> Decided<PlannedRuns?> in
            let present = try await plannedDocument()
            let at = present?["at"]?.integer ?? 0
            // Carried out by this very change, of which nothing was heard.
            if at == last, present?["w"]?.integer == write { return Decided(tried) }
            guard at == former, last > former else { return Decided(nil) }
            let place: BSONDocument = ["at": .int64(last), "w": .int64(write)]
            var writes: [MongoDatabase.Write] = []
            if present == nil {
                var document: BSONDocument = ["_id": "planned"]
                document.append(contentsOf: place)
                writes.append(.insert([document], into: MongoSchema.store))
            } else {
                writes.append(
                    .update(
                        MongoDatabase.Update(
                            ["_id": "planned", "at": .int64(former)], .document(["$set": .document(place)])),
                        in: MongoSchema.store))
            }
            let begun = try await begin(merged, at: .now(), write: write)
            tried = begun.runs
            var decided = Decided<PlannedRuns?>(begun.runs)
            decided.writes = writes + begun.writes
            return decided
        }
        // Some ended as they began, which is an event.
        if planned != nil, groups.contains(where: { !$0.notify.isEmpty }) { noteNews() }
        return planned
    }

    private struct Begun {
        var runs = PlannedRuns()
        var writes: [MongoDatabase.Write] = []
    }

    private func begin(
        _ groups: [JobGroup], at now: Timestamp, write: Int64
    ) async throws(MetadataError) -> Begun {
        let open = try await openGroups(groups.compactMap(\.uniqueness))
        var begun = Begun()
        var documents: [BSONDocument] = []
        var jobs: [BSONDocument] = []
        for group in groups {
            let formers = group.uniqueness.flatMap { open[$0] } ?? []
            switch Self.meeting(of: group, formers, at: now) {
            case .apart:
                var new = group
                new.created = now
                let first = new.beginJobs(at: now)
                documents.append(GroupDocument.document(of: new, at: now, write: write))
                jobs += first.map { JobDocument.document(of: $0, write: write) }
                begun.runs.made.append(group)
            case .covered: continue
            case .replaced(let renewed, let renewedJobs):
                guard let former = formers.first(where: { $0.document.group.id == renewed.id }) else { continue }
                // Who claims one meanwhile changes its state, and then all is decided again.
                begun.writes += zip(former.jobs, renewedJobs).map {
                    JobDocument.replacing($0, by: $1, write: write)
                }
                begun.writes.append(former.document.replaced(by: renewed, at: now, write: write))
                begun.runs.replaced.append(renewed)
            }
        }
        begun.writes += Self.inserts(of: documents, into: MongoSchema.jobGroups)
        begun.writes += Self.inserts(of: jobs, into: MongoSchema.jobs)
        return begun
    }

    private static func meeting(of newer: JobGroup, _ formers: [OpenGroup], at now: Timestamp) -> JobGroup.Meeting {
        for former in formers {
            let meeting = former.document.group.met(by: newer, jobs: former.jobs, at: now)
            if meeting != .apart { return meeting }
        }
        return .apart
    }

    /// A run that has not ended, and its jobs.
    private struct OpenGroup {
        var document: GroupDocument
        var jobs: [Job]
    }

    /// By their uniqueness, in the order of their ids.
    private func openGroups(_ uniqueness: [[UInt8]]) async throws(MetadataError) -> [[UInt8]: [OpenGroup]] {
        if uniqueness.isEmpty { return [:] }
        let wanted: BSONValue = ["$in": .array(uniqueness.map { .binary($0) })]
        var found: [[UInt8]: [OpenGroup]] = [:]
        var after: [UInt8] = []
        // Long ones may not fit into one reply.
        while true {
            let query = MongoDatabase.Query(
                ["u": wanted, "_id": ["$gt": .binary(after)]], sort: ["_id": 1], hint: "unique", limit: 1_000)
            let page = try await perform { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.jobGroups)
            }
            for view in page.documents {
                let document = try GroupDocument(view)
                after = document.group.id.bytes
                guard let uniqueness = document.group.uniqueness else { continue }
                let jobs = try await jobs(of: document.group.id)
                found[uniqueness, default: []].append(OpenGroup(document: document, jobs: jobs))
            }
            if page.documents.isEmpty || (page.isComplete && page.documents.count < 1_000) { return found }
        }
    }

    /// As many to a command as it takes with room.
    static func inserts(of documents: [BSONDocument], into collection: StaticString) -> [MongoDatabase.Write] {
        stride(from: 0, to: documents.count, by: 500).map { start in
            .insert(Array(documents[start..<min(start + 500, documents.count)]), into: collection)
        }
    }
}
