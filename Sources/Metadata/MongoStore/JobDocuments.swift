import Bytes
import Mongo

/// A job: `{_id, g, i, state, queue, lane, rank, attempt, crashes, due, until, doubt, token, worker, reason, ticket, answer, created, changed, w}`. `g` is
/// its group and `i` the place of its step there; `until` is when its lease ends, and `doubt` says that its worker has not confirmed it;
/// `w` is the id of the last write that was decided by a gateway.
struct JobDocument {
    let job: Job
    let write: Int64?
    let until: Int64?
    let isDoubtful: Bool

    init(_ view: BSONView) throws(MetadataError) {
        guard let id = view["_id"]?.binary.flatMap({ JobID(bytes: $0) }),
            let group = view["g"]?.binary.flatMap({ JobID(bytes: $0) }),
            let state = view["state"]?.integer.flatMap({ UInt8(exactly: $0) }).flatMap({ JobState(rawValue: $0) }),
            let step = view["i"]?.integer.flatMap({ Int(exactly: $0) }), let queue = view["queue"]?.text,
            let lane = view["lane"]?.binary, let rank = view["rank"]?.integer
        else { throw .broken("jobs: a malformed document") }
        func text(_ name: StaticString) -> String { String(decoding: view[name]?.text ?? [], as: UTF8.self) }
        var job = Job(
            id: id, group: group, step: step, state: state, queue: String(decoding: queue, as: UTF8.self), lane: lane,
            rank: rank, created: Timestamp(milliseconds: view["created"]?.date ?? 0))
        job.attempt = Int(clamping: view["attempt"]?.integer ?? 0)
        job.crashCount = Int(clamping: view["crashes"]?.integer ?? 0)
        job.due = view["due"]?.date.map { Timestamp(milliseconds: $0) }
        job.token = view["token"]?.binary ?? []
        job.worker = text("worker")
        job.reason = text("reason")
        job.ticket = view["ticket"]?.binary ?? []
        job.answer = view["answer"]?.binary ?? []
        job.changed = Timestamp(milliseconds: view["changed"]?.date ?? 0)
        self.job = job
        write = view["w"]?.integer
        until = view["until"]?.date
        isDoubtful = view["doubt"]?.isTrue == true
    }

    /// The whole document of a job that has no lease.
    static func document(of job: Job, write: Int64) -> BSONDocument {
        var document: BSONDocument = [
            "_id": .binary(job.id.bytes), "g": .binary(job.group.bytes), "i": .int32(Int32(clamping: job.step)),
            "state": .int32(Int32(job.state.rawValue)), "queue": .text(job.queue), "lane": .binary(job.lane),
            "rank": .int64(job.rank), "attempt": .int32(Int32(clamping: job.attempt)),
            "crashes": .int32(Int32(clamping: job.crashCount)), "token": .binary(job.token),
            "worker": .text(job.worker), "reason": .text(job.reason), "created": .date(job.created.milliseconds),
            "changed": .date(job.changed.milliseconds), "w": .int64(write),
        ]
        document.append("due", job.due.map { .date($0.milliseconds) })
        if !job.ticket.isEmpty { document.append("ticket", .binary(job.ticket)) }
        if !job.answer.isEmpty { document.append("answer", .binary(job.answer)) }
        return document
    }

    /// Replaces the job, as long as it is in that state under that token, with that answer.
    static func replacing(_ former: Job, by job: Job, write: Int64) -> MongoDatabase.Write {
        .update(
            MongoDatabase.Update(asItWas(former), .document(document(of: job, write: write))), in: MongoSchema.jobs)
    }

    /// Notes an answer from outside beside all else, as long as the job is in that state under that token, and has none.
    static func answering(_ former: Job, _ answer: [UInt8], write: Int64) -> MongoDatabase.Write {
        .update(
            MongoDatabase.Update(
                asItWas(former), .document(["$set": ["answer": .binary(answer), "w": .int64(write)]])),
            in: MongoSchema.jobs)
    }

    private static func asItWas(_ former: Job) -> BSONDocument {
        [
            "_id": .binary(former.id.bytes), "state": .int32(Int32(former.state.rawValue)),
            "token": .binary(former.token),
            "answer": former.answer.isEmpty ? ["$exists": .bool(false)] : .binary(former.answer),
        ]
    }

    /// With states, as a filter says them.
    static func state(_ state: JobState) -> BSONValue { .int32(Int32(state.rawValue)) }
}

/// A run of a hook: `{_id, r, b, k, ended, u, n, w, events, told}`. `r` is the group as a record, `n` counts its changes; `u` is what
/// `JobGroup.uniqueness` says; `events` and `told` are as in heads.
struct GroupDocument {
    let group: JobGroup
    let revision: Int64
    let write: Int64?
    let events: [EventEntry]
    let told: Int64?

    init(_ view: BSONView) throws(MetadataError) {
        guard let record = view["r"]?.binary, let revision = view["n"]?.integer else {
            throw .broken("job_groups: a malformed document")
        }
        group = try Records.jobGroup(record)
        self.revision = revision
        write = view["w"]?.integer
        events = EventEntry.all(in: view)
        told = view["told"]?.date
    }

    private static func fields(of group: JobGroup, revision: Int64, write: Int64) -> BSONDocument {
        var fields: BSONDocument = [
            "r": .binary(Records.encode(group)), "b": .int64(group.event.bucket.value),
            "k": .text(KeyText.encode(group.event.key.utf8)), "n": .int64(revision), "w": .int64(write),
        ]
        fields.append("ended", group.ended.map { .date($0.milliseconds) })
        fields.append("u", group.uniqueness.map { .binary($0) })
        return fields
    }

    /// A new group, which may have ended as it began.
    static func document(of group: JobGroup, at now: Timestamp, write: Int64) -> BSONDocument {
        var document: BSONDocument = ["_id": .binary(group.id.bytes)]
        document.append(contentsOf: fields(of: group, revision: 1, write: write))
        if let end = end(of: group, revision: 1, at: now) {
            document.append("events", [end])
            document.append("told", .date(now.milliseconds))
        }
        return document
    }

    /// The group as it is now, as long as nobody else has changed it. Its end is an event of its object, where somebody is told of it.
    func replaced(by group: JobGroup, at now: Timestamp, write: Int64) -> MongoDatabase.Write {
        var change: BSONDocument = [
            "$set": .document(Self.fields(of: group, revision: revision + 1, write: write))
        ]
        if group.ended == nil {
            change.append("$unset", ["ended": ""])
        } else if group.isUnique {
            change.append("$unset", ["u": ""])
        }
        if self.group.ended == nil, let end = Self.end(of: group, revision: revision + 1, at: now) {
            change.append("$push", ["events": end])
            change.append("$min", ["told": .date(now.milliseconds)])
        }
        return .update(
            MongoDatabase.Update(
                ["_id": .binary(group.id.bytes), "n": .int64(revision)], .document(change)),
            in: MongoSchema.jobGroups)
    }

    private static func end(of group: JobGroup, revision: Int64, at now: Timestamp) -> BSONValue? {
        guard let event = group.endEvent else { return nil }
        return EventEntry(sequence: revision, moment: now.milliseconds, record: Records.encode(event)).kept
    }
}
