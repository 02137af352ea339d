import Bytes

/// Events, groups of jobs and jobs as records.
extension Records {
    static func encode(_ event: ObjectEvent) -> [UInt8] {
        var out = RecordWriter()
        put(event, &out)
        return out.bytes
    }

    static func event(_ record: [UInt8]) throws(MetadataError) -> ObjectEvent {
        var reader = RecordReader(record)
        let event = try event(&reader)
        try reader.end()
        return event
    }

    private static func put(_ event: ObjectEvent, _ out: inout RecordWriter) {
        out.put(event.position)
        out.put(event.moment.milliseconds)
        out.put(event.bucket.value)
        out.put(event.key.utf8)
        out.put(event.versionID) { $0.put(Rows.stored($1)) }
        out.put(event.sequence)
        out.put(event.size)
        out.put(event.etag) { out, etag in
            out.put(etag.md5)
            out.put(etag.partCount) { $0.put(Int64($1)) }
        }
        let draft = event.draft
        out.put(draft.name.rawValue)
        out.put(draft.bucketName.utf8)
        out.put(draft.principal.utf8)
        out.put(draft.customer) { $0.put($1.utf8) }
        out.put(draft.sourceAddress)
        out.put(draft.requestID)
        out.put(draft.origin) { out, origin in
            out.put(origin.bucket.value)
            out.put(origin.hook.utf8)
            out.put(Int64(origin.depth))
        }
        out.put(draft.revision)
        out.put(UInt64(draft.hooks.count))
        for hook in draft.hooks {
            out.put(hook.name.utf8)
            out.put(hook.isTooDeep)
        }
        out.put(UInt64(draft.bindings.count))
        for binding in draft.bindings {
            out.put(binding.id.utf8)
            out.put(binding.target.utf8)
        }
    }

    private static func event(_ reader: inout RecordReader) throws(MetadataError) -> ObjectEvent {
        let position = try reader.signed()
        let moment = Timestamp(milliseconds: try reader.signed())
        let bucket = BucketID(try reader.signed())
        guard let key = ObjectKey(try reader.field()) else { throw .broken("record: a key of a wrong length") }
        let versionID = try reader.optional { (r) throws(MetadataError) in try Self.versionID(try r.field()) }
        let sequence = try reader.signed()
        let size = try reader.number()
        let etag = try reader.optional { (r) throws(MetadataError) -> ETag in
            let md5 = try r.field()
            let count = try r.optional { (r) throws(MetadataError) in try r.count() }
            return ETag(md5: md5, partCount: count)
        }
        guard let name = EventName(rawValue: try reader.byte()) else { throw .broken("record: an unknown event") }
        guard let bucketName = BucketName(try reader.field()) else {
            throw .broken("record: a malformed bucket name")
        }
        let principal = try text(&reader)
        let customer = try reader.optional { (r) throws(MetadataError) in try Self.text(&r) }
        let sourceAddress = try reader.field()
        let requestID = try reader.field()
        let origin = try reader.optional { (r) throws(MetadataError) -> EventOrigin in
            let bucket = BucketID(try r.signed())
            let hook = try Self.text(&r)
            return EventOrigin(bucket: bucket, hook: hook, depth: try r.count())
        }
        var draft = EventDraft(
            name: name, bucketName: bucketName, principal: principal, customer: customer, sourceAddress: sourceAddress,
            requestID: requestID, origin: origin, revision: try reader.signed())
        for _ in 0..<(try reader.count()) {
            let name = try text(&reader)
            draft.hooks.append(EventHook(name: name, isTooDeep: try reader.flag()))
        }
        for _ in 0..<(try reader.count()) {
            let id = try text(&reader)
            draft.bindings.append(EventBinding(id: id, target: try text(&reader)))
        }
        return ObjectEvent(
            position: position, moment: moment, bucket: bucket, key: key, versionID: versionID, sequence: sequence,
            size: size, etag: etag, draft: draft)
    }

    // MARK: Groups

    static func encode(_ group: JobGroup) -> [UInt8] {
        var out = RecordWriter()
        out.put(group.id.bytes)
        put(group.event, &out)
        out.put(group.hook.utf8)
        out.put(group.queue.utf8)
        out.put(group.lane)
        out.put(group.rank)
        out.put(group.state.rawValue)
        out.put(group.created.milliseconds)
        out.put(group.ended) { $0.put($1.milliseconds) }
        out.put(UInt64(group.notify.count))
        for target in group.notify { out.put(target.utf8) }
        out.put(UInt64(group.steps.count))
        for step in group.steps {
            out.put(step.name.utf8)
            out.put(step.kind.utf8)
            out.put(step.after) { $0.put(Int64($1)) }
            out.put(step.proceeds)
            out.put(step.state.rawValue)
            out.put(step.result)
            out.put(step.reason.utf8)
            out.put(UInt64(step.files.count))
            for file in step.files { put(file, &out) }
        }
        if group.isUnique { out.put(true) }
        return out.bytes
    }

    static func jobGroup(_ record: [UInt8]) throws(MetadataError) -> JobGroup {
        var reader = RecordReader(record)
        let id = try jobID(&reader)
        let event = try event(&reader)
        let hook = try text(&reader)
        let queue = try text(&reader)
        let lane = try reader.field()
        let rank = try reader.signed()
        guard let state = JobGroup.State(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown state of a group of jobs")
        }
        let created = Timestamp(milliseconds: try reader.signed())
        let ended = try reader.optional { (r) throws(MetadataError) in Timestamp(milliseconds: try r.signed()) }
        var notify: [String] = []
        for _ in 0..<(try reader.count()) { notify.append(try text(&reader)) }
        var steps: [JobGroup.Step] = []
        for _ in 0..<(try reader.count()) { steps.append(try step(&reader)) }
        let isUnique = try reader.isAtEnd ? false : reader.flag()
        try reader.end()
        var group = JobGroup(
            id: id, event: event, hook: hook, queue: queue, lane: lane, rank: rank, steps: steps, notify: notify,
            created: created)
        group.state = state
        group.ended = ended
        group.isUnique = isUnique
        return group
    }

    private static func step(_ reader: inout RecordReader) throws(MetadataError) -> JobGroup.Step {
        let name = try text(&reader)
        let kind = try text(&reader)
        let after = try reader.optional { (r) throws(MetadataError) in try r.count() }
        var step = JobGroup.Step(name: name, kind: kind, after: after, proceeds: try reader.flag())
        guard let state = JobGroup.StepState(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown state of a step")
        }
        step.state = state
        step.result = try reader.field()
        step.reason = try text(&reader)
        for _ in 0..<(try reader.count()) { step.files.append(try file(&reader)) }
        return step
    }

    private static func put(_ file: DerivedFile, _ out: inout RecordWriter) {
        out.put(file.name.utf8)
        out.put(file.bucket.value)
        out.put(file.key.utf8)
        out.put(Rows.stored(file.versionID))
        out.put(file.size)
        out.put(file.contentType)
    }

    private static func file(_ reader: inout RecordReader) throws(MetadataError) -> DerivedFile {
        let name = try text(&reader)
        let bucket = BucketID(try reader.signed())
        guard let key = ObjectKey(try reader.field()) else { throw .broken("record: a key of a wrong length") }
        let version = try versionID(try reader.field())
        let size = try reader.number()
        return DerivedFile(
            name: name, bucket: bucket, key: key, versionID: version, size: size, contentType: try reader.field())
    }

    // MARK: Jobs

    static func encode(_ job: Job) -> [UInt8] {
        var out = RecordWriter()
        out.put(job.id.bytes)
        out.put(job.group.bytes)
        out.put(Int64(job.step))
        out.put(job.state.rawValue)
        out.put(job.queue.utf8)
        out.put(job.lane)
        out.put(job.rank)
        out.put(Int64(job.attempt))
        out.put(Int64(job.crashCount))
        out.put(job.due) { $0.put($1.milliseconds) }
        out.put(job.token)
        out.put(job.worker.utf8)
        out.put(job.reason.utf8)
        out.put(job.created.milliseconds)
        out.put(job.changed.milliseconds)
        if !job.ticket.isEmpty || !job.answer.isEmpty {
            out.put(job.ticket)
            out.put(job.answer)
        }
        return out.bytes
    }

    static func job(_ record: [UInt8]) throws(MetadataError) -> Job {
        var reader = RecordReader(record)
        let id = try jobID(&reader)
        let group = try jobID(&reader)
        let step = try reader.count()
        guard let state = JobState(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown state of a job")
        }
        let queue = try text(&reader)
        let lane = try reader.field()
        let rank = try reader.signed()
        let attempt = try reader.count()
        let crashCount = try reader.count()
        let due = try reader.optional { (r) throws(MetadataError) in Timestamp(milliseconds: try r.signed()) }
        let token = try reader.field()
        let worker = try text(&reader)
        let reason = try text(&reader)
        let created = Timestamp(milliseconds: try reader.signed())
        let changed = Timestamp(milliseconds: try reader.signed())
        var (ticket, answer): ([UInt8], [UInt8]) = ([], [])
        if !reader.isAtEnd {
            ticket = try reader.field()
            answer = try reader.field()
        }
        try reader.end()
        var job = Job(
            id: id, group: group, step: step, state: state, queue: queue, lane: lane, rank: rank, created: created)
        job.attempt = attempt
        job.crashCount = crashCount
        job.due = due
        job.token = token
        job.worker = worker
        job.reason = reason
        job.changed = changed
        job.ticket = ticket
        job.answer = answer
        return job
    }

    static func jobID(_ reader: inout RecordReader) throws(MetadataError) -> JobID {
        guard let id = JobID(bytes: try reader.field()) else { throw .broken("record: a malformed id of a job") }
        return id
    }

    /// As `Rows.stored` has it.
    static func versionID(_ stored: [UInt8]) throws(MetadataError) -> VersionID {
        if stored.isEmpty { return .null }
        guard stored.count == 16 else { throw .broken("record: a malformed version id") }
        return .id(Hex.encode(stored))
    }
}
