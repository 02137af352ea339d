import Bytes
import Mongo
import Threads

/// What a change of jobs comes to by what was read: the answer, and the writes that make it so while it still is what was read.
struct Decided<Result: Sendable>: Sendable {
    var result: Result
    /// None where nothing is to be done.
    var writes: [MongoDatabase.Write] = []

    init(_ result: Result) { self.result = result }
}

/// The ends of jobs. A job, its group, those that begin after it, and the heads of what it made change in one transaction, whose writes
/// hold only while all is as it was read; else it is read and decided again.
extension MongoStore {
    /// Carries out once what `decide` says. It gets the id of this change, and finds by it, in what it reads, that an attempt whose outcome was
    /// not known was carried out.
    func transact<Result: Sendable>(
        _ decide: (Int64) async throws(MetadataError) -> Decided<Result>
    ) async throws(MetadataError) -> Result {
        let write = HeadChange.newWrite()
        var retry = Retry(patience: configuration.patience)
        while true {
            var failure = MongoError.writeConflict
            do throws(MetadataError) {
                let decided = try await decide(write)
                if decided.writes.isEmpty { return decided.result }
                let outcome = try attemptWrite { (database) throws(MongoError) in
                    try database.transact(decided.writes)
                }
                switch outcome {
                case .success(nil): return decided.result
                case .success(.some(let place)):
                    failure = .notCarriedOut("what was read keeps changing, at write \(place)")
                case .failure(.duplicateKey): break
                case .failure(let error):
                    guard error.isTransient else { throw MetadataError(error) }
                    failure = error
                }
            } catch {
                guard case .unavailable(let reason) = error else { throw error }
                failure = .notCarriedOut(reason)
            }
            guard await retry.wait(on: pool) else { throw MetadataError(failure) }
        }
    }

    /// A job with its group, as they were read.
    private struct Held {
        var document: JobDocument
        var group: GroupDocument
        var job: Job { document.job }
    }

    private func read(_ id: JobID) async throws(MetadataError) -> Held? {
        guard let document = try await jobDocument(id), let group = try await groupDocument(document.job.group) else {
            return nil
        }
        return Held(document: document, group: group)
    }

    private enum Holding {
        case held(Held)
        /// It ended by the same token.
        case ended(JobEnding)
    }

    /// The job that `token` has.
    private func holding(
        _ id: JobID, by token: [UInt8], write: Int64
    ) async throws(MetadataError) -> Holding {
        guard let held = try await read(id) else { throw .noSuchJob }
        let job = held.job
        guard !token.isEmpty, job.token == token, held.group.group.steps.indices.contains(job.step) else {
            throw .leaseLost
        }
        // Carried out by this very change, of which nothing was heard.
        if held.document.write == write { return .ended(JobEnding(group: held.group.group, started: [])) }
        switch job.state {
        case .leased: return .held(held)
        case .completed: return .ended(JobEnding(group: held.group.group, started: [], isRepeated: true))
        case .available, .waiting, .dead, .cancelled: throw .leaseLost
        }
    }

    // MARK: Completion

    public func completeJob(_ completion: JobCompletion) async throws(MetadataError) -> JobEnding {
        try makeDurable(completion.files.flatMap { $0.version.content.blobs })
        let versions = completion.files.map { _ in (write: HeadChange.newWrite(), id: Self.newVersionID()) }
        let ending = try await transact { (write) throws(MetadataError) in
            let held: Held
            switch try await holding(completion.job, by: completion.token, write: write) {
            case .held(let found): held = found
            case .ended(let ending): return Decided(ending)
            }
            var group = held.group.group
            var writes = try await sourceWrites(of: completion, group.event)
            var step = group.steps[held.job.step]
            for ((name, new), made) in zip(completion.files, versions) {
                let published = try await headWrite(of: new, write: made.write, newID: made.id)
                writes.append(published.write)
                step.files.append(
                    DerivedFile(
                        name: name, bucket: new.bucket, key: new.key, versionID: published.versionID, size: new.size,
                        contentType: new.attributes.contentType ?? []))
            }
            step.result = Array(completion.result.prefix(JobGroup.resultMax))
            step.reason = ""
            group.steps[held.job.step] = step
            var job = held.job
            job.state = .completed
            job.reason = ""
            (job.ticket, job.answer) = ([], [])
            var decided = end(job, of: group, as: .completed, held, write: write)
            decided.writes = writes + decided.writes
            return decided
        }
        for file in completion.files { writer.forget(HeadKey(file.version.bucket, file.version.key)) }
        noteNews()
        return ending
    }

    /// Holds the source in place, as long as it is there, and changes what the job learnt of it.
    private func sourceWrites(
        of completion: JobCompletion, _ event: ObjectEvent
    ) async throws(MetadataError) -> [MongoDatabase.Write] {
        if event.draft.name == .scheduled { return [] }
        let key = HeadKey(event.bucket, event.key)
        guard event.draft.name.leavesObject else {
            guard try await find(nil, of: key)?.version.isDeleteMarker ?? true else { throw .sourceGone }
            return []
        }
        // The `null` version of another sequence is another object.
        guard let id = event.versionID, let found = try await find(id, of: key),
            found.version.sequence == event.sequence, !found.version.isDeleteMarker
        else { throw .sourceGone }
        // Whoever removes the source meanwhile changes its head, and so does this: one of the two comes first.
        var writes: [MongoDatabase.Write] = [
            .update(
                MongoDatabase.Update(
                    ["_id": key.id, "seq": .int64(found.head.sequence)], .document(["$inc": ["ends": 1]])),
                in: MongoSchema.heads)
        ]
        let learnt = try await learnt(from: completion, event, found)
        let mayChange = learnt.details != nil || learnt.tags != nil
        if mayChange, found.head.outbox.count + 4 > HeadChange.outboxCountMax {
            try await relieve(key)
            throw .unavailable("the key has much to be moved")
        }
        func change(_ stages: [BSONDocument]) {
            writes.append(.update(MongoDatabase.Update(["_id": key.id], .pipeline(stages)), in: MongoSchema.heads))
        }
        if let details = learnt.details {
            change(
                HeadPipeline.stages(
                    write: HeadChange.newWrite(), entries: HeadPipeline.noEntries, latest: .kept,
                    asset: .detailed(Records.encode(details))))
        }
        if let tags = learnt.tags {
            let bucket = try await openBucket(event.bucket).bucket
            change(Self.stages(of: Records.encode(tags), on: found, in: bucket, write: HeadChange.newWrite()))
        }
        if mayChange { writer.forget(key) }
        return writes
    }

    /// What the source's asset and tags become; nil for what stays.
    private func learnt(
        from completion: JobCompletion, _ event: ObjectEvent, _ source: FoundVersion
    ) async throws(MetadataError) -> (details: AssetDetails?, tags: [Tag]?) {
        var details: AssetDetails?
        if completion.details != nil || completion.found != nil, let asset = try source.head.asset() {
            if let made = completion.details {
                if let former = completion.formerDetails, asset.details != former { throw .superseded }
                details = made
            }
            // The head's number, by which this is written, tells of a newer version that comes meanwhile.
            if let findings = completion.found,
                try await find(nil, of: source.head.key)?.version.sequence == event.sequence
            {
                details = (details ?? asset.details).with(findings)
            }
            if details == asset.details { details = nil }
        }
        if completion.tags.isEmpty { return (details, nil) }
        let present = try source.version.version(
            of: event.key, isLatest: source.isLatest, withContent: false, tags: source.tags
        ).tags
        let tags = present.laidOver(by: completion.tags)
        guard tags.count <= Tag.countMax else {
            throw .limitExceeded("the object would have \(tags.count) tags; \(Tag.countMax) is the most")
        }
        return (details, tags == present ? nil : tags)
    }

    private struct Published {
        var write: MongoDatabase.Write
        var versionID: VersionID
    }

    /// What makes a file of a job the latest version of its key, while the head is as it is now.
    private func headWrite(
        of new: NewVersion, write: Int64, newID: VersionID
    ) async throws(MetadataError) -> Published {
        guard new.blob?.bytes == nil else { throw .broken("the files of a job lie in files of their own") }
        let bucket = try await openBucket(new.bucket).bucket
        var version = ObjectVersion(
            key: new.key, versionID: .null, isLatest: true, isDeleteMarker: false, modified: Timestamp(milliseconds: 0),
            sequence: 0, owner: new.owner, size: new.size, etag: new.etag, attributes: new.attributes,
            checksum: new.checksum, tags: new.tags, content: new.content)
        let change = try await topChange(
            &version, blob: new.blob, in: bucket, conditions: new.conditions, event: new.event, write: write,
            newID: newID)
        let key = change.key
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": key.id], projection: HeadState.fields, in: MongoSchema.heads)
        }
        let head = view.map { HeadState($0) } ?? HeadState()
        let order = database.lastTime.map { ClusterOrder.of($0) } ?? 0
        var group = HeadGroup(key: key)
        guard try group.decide(change, over: head, at: order, now: Timestamp.now().milliseconds) != nil else {
            try await relieve(key)
            throw .unavailable("the key has much to be moved")
        }
        return Published(
            write: head.isThere
                ? .update(group.update, in: MongoSchema.heads) : .insert([group.document], into: MongoSchema.heads),
            versionID: version.versionID)
    }

    // MARK: Other ends

    /// The writes that end a job, and begin those after it.
    private func end(
        _ ended: Job, of former: JobGroup, as state: JobGroup.StepState, _ held: Held, write: Int64
    ) -> Decided<JobEnding> {
        let now = Timestamp.now()
        var (job, group) = (ended, former)
        job.changed = now
        let started = group.end(job.step, as: state, at: now).map { group.newJob(of: $0, at: now) }
        var decided = Decided(JobEnding(group: group, started: started))
        decided.writes = [
            JobDocument.replacing(held.job, by: job, write: write),
            held.group.replaced(by: group, at: now, write: write),
        ]
        decided.writes += Self.inserts(
            of: started.map { JobDocument.document(of: $0, write: write) }, into: MongoSchema.jobs)
        return decided
    }

    public func endTry(_ failure: JobFailure) async throws(MetadataError) -> JobEnding {
        let ending = try await transact { (write) throws(MetadataError) in
            let held: Held
            switch try await holding(failure.job, by: failure.token, write: write) {
            case .held(let found): held = found
            case .ended(let ending): return Decided(ending)
            }
            var group = held.group.group
            var job = held.job
            job.reason = String(failure.reason.prefix(Job.reasonMax))
            job.changed = .now()
            if failure.startsAnew { (job.ticket, job.answer) = ([], []) }
            if failure.isCrash { job.crashCount = min(job.crashCount, 1_000_000) + 1 }
            var decided = Decided(JobEnding(group: group, started: []))
            switch failure.next {
            case .retry(let moment):
                job.state = .waiting
                job.due = moment
            case .giveBack:
                job.state = .available
                job.attempt = max(0, job.attempt - 1)
                decided.result.started = [job]
            case .park(let moment, let ticket):
                job.ticket = ticket
                job.reason = ""
                job.attempt = max(0, job.attempt - 1)
                // An answer that came before its worker said that it waits is there at once.
                let isAnswered = !job.answer.isEmpty
                job.state = isAnswered ? .available : .waiting
                job.due = isAnswered ? nil : moment
                if isAnswered { decided.result.started = [job] }
            case .dead, .cancelled:
                let isDead = failure.next == .dead
                job.state = isDead ? .dead : .cancelled
                group.steps[job.step].reason = job.reason
                return end(job, of: group, as: isDead ? .failed : .cancelled, held, write: write)
            }
            decided.writes = [JobDocument.replacing(held.job, by: job, write: write)]
            return decided
        }
        if ending.group.endEvent != nil { noteNews() }
        return ending
    }

    public func answerJob(_ id: JobID, _ text: [UInt8]) async throws(MetadataError) -> JobAnswering {
        try await transact { (write) throws(MetadataError) in
            guard let held = try await read(id) else { return Decided(.over) }
            var job = held.job
            // Carried out by this very change, of which nothing was heard.
            if held.document.write == write {
                return Decided(.noted(JobEnding(group: held.group.group, started: [job])))
            }
            if job.state.isEnded { return Decided(.over) }
            guard job.answer.isEmpty else { return Decided(.repeated) }
            job.answer = text
            guard job.state == .waiting else {
                // Of a job that a worker has, the lease stays as it is.
                var decided = Decided(
                    JobAnswering.noted(
                        JobEnding(group: held.group.group, started: job.state == .available ? [job] : [])))
                decided.writes = [JobDocument.answering(held.job, text, write: write)]
                return decided
            }
            job.state = .available
            job.due = nil
            job.changed = .now()
            var decided = Decided(JobAnswering.noted(JobEnding(group: held.group.group, started: [job])))
            decided.writes = [JobDocument.replacing(held.job, by: job, write: write)]
            return decided
        }
    }

    public func cancelJobs(of id: JobID) async throws(MetadataError) -> JobEnding {
        let ending = try await transact { (write) throws(MetadataError) in
            guard let found = try await groupDocument(id) else { throw .noSuchJob }
            if found.write == write { return Decided(JobEnding(group: found.group, started: [])) }
            guard found.group.state == .running else {
                return Decided(JobEnding(group: found.group, started: [], isRepeated: true))
            }
            let now = Timestamp.now()
            var group = found.group
            _ = group.cancel(at: now)
            var decided = Decided(JobEnding(group: group, started: []))
            let open: BSONValue = [
                "$in": [JobDocument.state(.available), JobDocument.state(.leased), JobDocument.state(.waiting)]
            ]
            decided.writes = [
                .update(
                    MongoDatabase.Update(
                        ["g": .binary(id.bytes), "state": open],
                        .document([
                            "$set": [
                                "state": JobDocument.state(.cancelled), "changed": .date(now.milliseconds),
                                "w": .int64(write),
                            ], "$unset": ["due": "", "until": "", "doubt": ""],
                        ]), many: true), in: MongoSchema.jobs),
                found.replaced(by: group, at: now, write: write),
            ]
            return decided
        }
        if ending.group.endEvent != nil { noteNews() }
        return ending
    }

    public func retryJob(_ id: JobID) async throws(MetadataError) -> JobEnding {
        try await transact { (write) throws(MetadataError) in
            guard let held = try await read(id) else { throw .noSuchJob }
            var (job, group) = (held.job, held.group.group)
            if held.document.write == write { return Decided(JobEnding(group: group, started: [job])) }
            guard job.state == .dead else { return Decided(JobEnding(group: group, started: [], isRepeated: true)) }
            let now = Timestamp.now()
            job.state = .available
            (job.attempt, job.crashCount, job.token, job.changed) = (0, 0, [], now)
            (job.ticket, job.answer) = ([], [])
            group.retry(job.step)
            var decided = Decided(JobEnding(group: group, started: [job]))
            decided.writes = [
                JobDocument.replacing(held.job, by: job, write: write),
                held.group.replaced(by: group, at: now, write: write),
            ]
            return decided
        }
    }
}
