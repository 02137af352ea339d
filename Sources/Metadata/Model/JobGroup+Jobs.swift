import Bytes

/// What follows from a group. Pure, but for the ids of jobs.
extension JobGroup {
    /// Begins the group, and returns its first jobs. Where steps have a reason already why they cannot run, it failed before it began: its
    /// jobs are dead from their beginning.
    mutating func beginJobs(at now: Timestamp) -> [Job] {
        let places = begin(at: now)
        if steps.allSatisfy({ $0.reason.isEmpty }) { return places.map { newJob(of: $0, at: now) } }
        return places.map { place in
            var job = newJob(of: place, at: now)
            job.state = .dead
            job.reason = steps[place].reason
            _ = end(place, as: .failed, at: now)
            return job
        }
    }

    func newJob(of step: Int, at now: Timestamp) -> Job {
        Job(
            id: JobID(at: now), group: id, step: step, state: .available, queue: queue, lane: lane, rank: rank,
            created: now)
    }

    /// The event of its end, without position and moment; nil where it has not ended, or nobody is told of it.
    var endEvent: ObjectEvent? {
        guard ended != nil, !notify.isEmpty else { return nil }
        var event = event
        (event.position, event.moment) = (0, Timestamp(milliseconds: 0))
        event.draft.name = .jobFinished
        event.draft.hooks = []
        event.draft.requestID = id.text
        event.draft.bindings = notify.map { EventBinding(id: hook, target: $0) }
        return event
    }
}
