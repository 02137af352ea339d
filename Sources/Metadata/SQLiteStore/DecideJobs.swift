import Bytes

/// Events, and the jobs that follow from them.
extension Decider {
    /// Lanes of a queue that one claim looks at.
    private static let lanesMax = 1000

    // MARK: Events

    /// Notes the event where somebody waits for it.
    mutating func note(
        _ draft: EventDraft?, of version: ObjectVersion, in bucket: Bucket, _ decision: inout Decision
    ) {
        guard let draft else { return }
        let leavesObject = draft.name.leavesObject
        decision.changes.append(
            .event(
                ObjectEvent(
                    position: draw(), moment: now, bucket: bucket.id, key: version.key, versionID: version.versionID,
                    sequence: version.sequence, size: leavesObject ? version.size : 0,
                    etag: leavesObject ? version.etag : nil, draft: draft)))
    }

    /// The key has no latest version any more.
    mutating func noteRemoval(
        _ draft: EventDraft?, of key: ObjectKey, version: VersionID?, in bucket: BucketID, _ decision: inout Decision
    ) {
        guard let draft else { return }
        let place = draw()
        decision.changes.append(
            .event(
                ObjectEvent(
                    position: place, moment: now, bucket: bucket, key: key, versionID: version, sequence: place,
                    size: 0,
                    etag: nil, draft: draft)))
    }

    /// Returns how many were noted. Those of buckets that are gone are passed over.
    mutating func note(_ events: [ObjectEvent], _ decision: inout Decision) throws(MetadataError) -> Int {
        var count = 0
        for var event in events where try rows.bucket(event.bucket) != nil {
            event.position = draw()
            event.moment = now
            decision.changes.append(.event(event))
            count += 1
        }
        return count
    }

    // MARK: Hooks

    mutating func setHooks(
        _ document: [UInt8], of bucket: BucketID, ifRevision former: Int64?, _ decision: inout Decision
    ) throws(MetadataError) -> Int64 {
        _ = try self.bucket(bucket)
        let present = try rows.hooks(of: bucket)
        if let former, former != present?.revision ?? 0 { throw .superseded }
        if let present, present.document == document { return present.revision }
        let revision = draw()
        decision.changes.append(.hooks(bucket, revision: revision, document, at: now))
        return revision
    }

    // MARK: Jobs

    /// Nil where others were quicker.
    mutating func planJobs(
        after former: Int64, through last: Int64, _ groups: [JobGroup], _ decision: inout Decision
    ) throws(MetadataError) -> PlannedRuns? {
        guard try rows.plannedEvents() == former, last > former else { return nil }
        decision.changes.append(.eventsPlanned(through: last))
        var planned = PlannedRuns()
        for group in JobGroup.merged(groups) {
            switch try meeting(of: group) {
            case .apart:
                var begun = group
                begun.created = now
                let jobs = begun.beginJobs(at: now)
                noteEnd(of: begun, &decision)
                decision.changes.append(.jobGroup(begun))
                for job in jobs { decision.changes.append(.job(job)) }
                planned.made.append(group)
            case .covered: continue
            case .replaced(let renewed, let jobs):
                decision.changes.append(.jobGroup(renewed))
                for job in jobs { decision.changes.append(.job(job)) }
                planned.replaced.append(renewed)
            }
        }
        return planned
    }

    private func meeting(of newer: JobGroup) throws(MetadataError) -> JobGroup.Meeting {
        guard let uniqueness = newer.uniqueness else { return .apart }
        for former in try rows.openGroups(uniqueness) {
            let meeting = former.met(by: newer, jobs: try rows.jobs(of: former.id), at: now)
            if meeting != .apart { return meeting }
        }
        return .apart
    }

    mutating func claimJobs(_ claim: JobClaim, _ decision: inout Decision) throws(MetadataError) -> [LeasedJob] {
        let countMax = min(max(1, claim.countMax), 100)
        var room = claim.room
        var claimed: [LeasedJob] = []
        let due = try rows.jobs(dueBy: now, limit: 1000)
        // What becomes available now can be claimed at once.
        var ready: [String: [Job]] = [:]
        for var job in due {
            job.state = .available
            job.due = nil
            job.changed = now
            ready[job.queue, default: []].append(job)
        }
        var taken: Set<JobID> = []
        for queue in claim.queues where claimed.count < countMax {
            var candidates = ready[queue] ?? []
            for lane in try rows.readyLanes(of: queue, limit: Self.lanesMax) {
                let limit = min(countMax - claimed.count, room[lane] ?? countMax)
                guard limit > 0 else { continue }
                candidates += try rows.readyJobs(of: queue, lane: lane, limit: limit)
            }
            candidates.sort { ($0.rank, $0.id) < ($1.rank, $1.id) }
            for job in candidates where claimed.count < countMax && !taken.contains(job.id) {
                if let left = room[job.lane] {
                    guard left > 0 else { continue }
                    room[job.lane] = left - 1
                }
                guard let group = try rows.jobGroup(job.group) else {
                    throw .broken("jobs: a job of a group that is not there")
                }
                claimed.append(LeasedJob(job: lease(job, to: claim.worker), group: group))
                taken.insert(job.id)
            }
        }
        for job in ready.values.joined() where !taken.contains(job.id) { decision.changes.append(.job(job)) }
        for leased in claimed { decision.changes.append(.job(leased.job)) }
        return claimed
    }

    private func lease(_ job: Job, to worker: String) -> Job {
        var job = job
        var random = SystemRandomNumberGenerator()
        job.state = .leased
        job.due = nil
        job.attempt = min(job.attempt, 1_000_000) + 1
        job.token = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        job.worker = worker
        job.changed = now
        return job
    }

    /// The job that `token` has, with its group. A job that ended by the same token gives nil for the job.
    private func held(_ id: JobID, by token: [UInt8]) throws(MetadataError) -> (job: Job?, group: JobGroup) {
        guard let job = try rows.job(id), let group = try rows.jobGroup(job.group) else { throw .noSuchJob }
        guard !token.isEmpty, job.token == token, group.steps.indices.contains(job.step) else { throw .leaseLost }
        switch job.state {
        case .leased: return (job, group)
        case .completed: return (nil, group)
        case .available, .waiting, .dead, .cancelled: throw .leaseLost
        }
    }

    /// Publishes the files and ends the job in one, as long as the object is there that they were made of.
    mutating func complete(
        _ completion: JobCompletion, _ decision: inout Decision
    ) throws(MetadataError) -> JobEnding {
        var (held, group) = try held(completion.job, by: completion.token)
        guard var job = held else { return JobEnding(group: group, started: [], isRepeated: true) }
        held = nil
        guard try isStillTrue(group.event) else { throw .sourceGone }
        var step = group.steps[job.step]
        for (name, new) in completion.files {
            guard new.blob?.bytes == nil else { throw .broken("the files of a job lie in files of their own") }
            let version = try publish(new, &decision)
            step.files.append(
                DerivedFile(
                    name: name, bucket: new.bucket, key: new.key, versionID: version.versionID, size: version.size,
                    contentType: version.attributes.contentType ?? []))
        }
        step.result = Array(completion.result.prefix(JobGroup.resultMax))
        step.reason = ""
        group.steps[job.step] = step
        try apply(completion, to: group.event, &decision)
        job.state = .completed
        job.reason = ""
        (job.ticket, job.answer) = ([], [])
        job.changed = now
        return end(job, of: &group, as: .completed, &decision)
    }

    private mutating func apply(
        _ completion: JobCompletion, to event: ObjectEvent, _ decision: inout Decision
    ) throws(MetadataError) {
        if let details = completion.details, let asset = try rows.asset(of: event.key, in: event.bucket) {
            if let former = completion.formerDetails, asset.details != former { throw .superseded }
            _ = try setAssetDetails(details, of: asset.id, nil, &decision)
        }
        if let found = completion.found, let asset = try rows.asset(of: event.key, in: event.bucket),
            try rows.head(of: event.key, in: event.bucket, nil)?.sequence == event.sequence
        {
            let details = asset.details.with(found)
            if details != asset.details { _ = try setAssetDetails(details, of: asset.id, nil, &decision) }
        }
        guard !completion.tags.isEmpty else { return }
        let present = try rows.version(of: event.key, in: event.bucket, event.versionID)?.tags ?? []
        let tags = present.laidOver(by: completion.tags)
        guard tags.count <= Tag.countMax else {
            throw .limitExceeded("the object would have \(tags.count) tags; \(Tag.countMax) is the most")
        }
        if tags != present {
            _ = try setTags(tags, of: event.key, in: event.bucket, event.versionID, nil, &decision)
        }
    }

    /// Whether what happened still stands: the version is there, or the removed object is still removed.
    private func isStillTrue(_ event: ObjectEvent) throws(MetadataError) -> Bool {
        if event.draft.name == .scheduled { return true }
        guard event.draft.name.leavesObject else {
            return try rows.head(of: event.key, in: event.bucket, nil)?.isDeleteMarker ?? true
        }
        // The `null` version of another sequence is another object.
        guard let head = try rows.head(of: event.key, in: event.bucket, event.versionID) else { return false }
        return head.sequence == event.sequence && !head.isDeleteMarker
    }

    mutating func endTry(_ failure: JobFailure, _ decision: inout Decision) throws(MetadataError) -> JobEnding {
        var (held, group) = try held(failure.job, by: failure.token)
        guard var job = held else { return JobEnding(group: group, started: [], isRepeated: true) }
        held = nil
        job.reason = String(failure.reason.prefix(Job.reasonMax))
        job.changed = now
        if failure.startsAnew { (job.ticket, job.answer) = ([], []) }
        if failure.isCrash { job.crashCount = min(job.crashCount, 1_000_000) + 1 }
        switch failure.next {
        case .retry(let moment):
            job.state = .waiting
            job.due = moment
            decision.changes.append(.job(job))
            return JobEnding(group: group, started: [])
        case .giveBack:
            job.state = .available
            job.attempt = max(0, job.attempt - 1)
            decision.changes.append(.job(job))
            return JobEnding(group: group, started: [job])
        case .park(let moment, let ticket):
            return park(&job, until: moment, ticket: ticket, of: group, &decision)
        case .dead:
            job.state = .dead
            group.steps[job.step].reason = job.reason
            return end(job, of: &group, as: .failed, &decision)
        case .cancelled:
            job.state = .cancelled
            group.steps[job.step].reason = job.reason
            return end(job, of: &group, as: .cancelled, &decision)
        }
    }

    private mutating func end(
        _ job: Job, of group: inout JobGroup, as state: JobGroup.StepState, _ decision: inout Decision
    ) -> JobEnding {
        let started = group.end(job.step, as: state, at: now).map { group.newJob(of: $0, at: now) }
        noteEnd(of: group, &decision)
        decision.changes.append(.job(job))
        decision.changes.append(.jobGroup(group))
        for job in started { decision.changes.append(.job(job)) }
        return JobEnding(group: group, started: started)
    }

    /// The end of a group is an event of its object, where somebody is told of it.
    private mutating func noteEnd(of group: JobGroup, _ decision: inout Decision) {
        guard var event = group.endEvent else { return }
        event.position = draw()
        event.moment = now
        decision.changes.append(.event(event))
    }

    /// Those that are leased end with their next word.
    mutating func cancelJobs(of id: JobID, _ decision: inout Decision) throws(MetadataError) -> JobEnding {
        guard var group = try rows.jobGroup(id) else { throw .noSuchJob }
        guard group.state == .running else { return JobEnding(group: group, started: [], isRepeated: true) }
        _ = group.cancel(at: now)
        for var job in try rows.jobs(of: id) where !job.state.isEnded {
            job.state = .cancelled
            job.due = nil
            job.changed = now
            decision.changes.append(.job(job))
        }
        noteEnd(of: group, &decision)
        decision.changes.append(.jobGroup(group))
        return JobEnding(group: group, started: [])
    }

    /// Brings a dead job back, with all its tries.
    mutating func retry(_ id: JobID, _ decision: inout Decision) throws(MetadataError) -> JobEnding {
        guard var job = try rows.job(id), var group = try rows.jobGroup(job.group) else { throw .noSuchJob }
        guard job.state == .dead else { return JobEnding(group: group, started: [], isRepeated: true) }
        job.state = .available
        job.attempt = 0
        job.crashCount = 0
        job.token = []
        (job.ticket, job.answer) = ([], [])
        job.changed = now
        group.retry(job.step)
        decision.changes.append(.job(job))
        decision.changes.append(.jobGroup(group))
        return JobEnding(group: group, started: [job])
    }

    /// A thousand at a time; those who want more ask again.
    mutating func forgetHistory(before moment: Timestamp, _ decision: inout Decision) throws(MetadataError) -> Answer {
        let groups = try rows.endedGroups(before: moment, limit: 1000)
        let last = try rows.lastEvent(before: moment)
        guard !groups.isEmpty || last != nil else { return .planned(false) }
        decision.changes.append(.historyForgotten(eventsThrough: last ?? 0, groups: groups))
        return .planned(true)
    }
}
