import Bytes

/// The runs that planning came to.
public struct PlannedRuns: Sendable, Equatable {
    /// As they were asked for, but for those that another one stands for.
    public var made: [JobGroup] = []
    /// Those that were there, with their newer events.
    public var replaced: [JobGroup] = []

    public init() {}
}

/// How events of one object meet in a unique hook: the newest stands for all that no worker has begun with. Pure: no clock, no store.
extension JobGroup {
    /// What a run that has not ended shares with those that it is not to stand beside; nil for one that may stand beside any.
    var uniqueness: [UInt8]? {
        guard isUnique, ended == nil else { return nil }
        // The names of hooks, with which lanes end, have no slash.
        return lane + [Ascii.slash] + event.key.utf8
    }

    /// Of those that are planned at once, one for each object. It takes the place in the queue of the first.
    static func merged(_ groups: [JobGroup]) -> [JobGroup] {
        var places: [[UInt8]: Int] = [:]
        var merged: [JobGroup] = []
        for group in groups {
            guard let uniqueness = group.uniqueness else {
                merged.append(group)
                continue
            }
            guard let place = places[uniqueness] else {
                places[uniqueness] = merged.count
                merged.append(group)
                continue
            }
            let former = merged[place]
            var newest = former.isNewer(than: group) ? former : group
            newest.rank = min(former.rank, group.rank)
            merged[place] = newest
        }
        return merged
    }

    enum Meeting: Equatable {
        /// The newer one is a run of its own.
        case apart
        /// What is there already is of a newer version.
        case covered
        /// What is there goes on with the newer event, as the group and the jobs say.
        case replaced(JobGroup, [Job])
    }

    /// What becomes of a run of the same hook for a later event of the same object. `jobs` are all of this one.
    ///
    /// The place in the queue stays, so that an object that is written again and again has its turn.
    func met(by newer: JobGroup, jobs: [Job], at now: Timestamp) -> Meeting {
        guard hasNotBegun(jobs), hasShape(of: newer) else { return .apart }
        if isNewer(than: newer) { return .covered }
        var group = newer
        group.id = id
        group.rank = min(rank, newer.rank)
        group.created = created
        for place in group.steps.indices { group.steps[place].state = steps[place].state }
        let renewed = jobs.map { former in
            var job = Job(
                id: former.id, group: id, step: former.step, state: .available, queue: group.queue, lane: group.lane,
                rank: group.rank, created: former.created)
            job.changed = now
            return job
        }
        return .replaced(group, renewed)
    }

    private func isNewer(than other: JobGroup) -> Bool { event.sequence > other.event.sequence }

    /// No step has ended, and no worker has one, nor somebody outside for a worker.
    private func hasNotBegun(_ jobs: [Job]) -> Bool {
        state == .running && steps.allSatisfy { !$0.state.isEnded } && !jobs.isEmpty
            && jobs.allSatisfy { job in
                (job.state == .available || job.state == .waiting) && job.ticket.isEmpty && job.answer.isEmpty
                    && steps.indices.contains(job.step)
            }
    }

    /// Whether the same steps follow one another, so that one's jobs can be the other's.
    private func hasShape(of other: JobGroup) -> Bool {
        steps.count == other.steps.count
            && zip(steps, other.steps).allSatisfy { $0.name == $1.name && $0.kind == $1.kind && $0.after == $1.after }
    }
}
