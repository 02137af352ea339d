import Metadata

/// What those who watch are told of.
extension JobEngine {
    /// The runs were made as `groups` say.
    func tell(made groups: [JobGroup]) {
        for group in groups {
            if group.steps.contains(where: { !$0.reason.isEmpty }) {
                feed.publish([.created, .ended(.failed)], of: group)
            } else if group.steps.isEmpty {
                feed.publish([.created, .ended(.completed)], of: group)
            } else {
                feed.publish([.created], of: group)
            }
        }
    }

    /// The runs begin with newer events than they were made for.
    func tell(replaced groups: [JobGroup]) {
        for group in groups {
            let steps = group.steps.filter { $0.state == .started }
            feed.publish(steps.map { .step($0.name, .available, attempt: 0) }, of: group)
        }
    }

    /// A job came into its state, and what followed.
    func tell(_ ending: JobEnding, of job: Job?, now state: JobState) {
        guard !ending.isRepeated else { return }
        let group = ending.group
        tellReaders(of: group)
        var kinds: [JobFeed.Kind] = []
        if let job, let name = Self.name(of: job, in: group) {
            kinds.append(.step(name, state, attempt: job.attempt))
        }
        for job in ending.started {
            if let name = Self.name(of: job, in: group) {
                kinds.append(.step(name, .available, attempt: job.attempt))
            }
        }
        if group.ended != nil { kinds.append(.ended(group.state)) }
        feed.publish(kinds, of: group)
    }

    func tell(claimed jobs: [LeasedJob]) {
        for leased in jobs {
            guard let name = Self.name(of: leased.job, in: leased.group) else { continue }
            feed.publish([.step(name, .leased, attempt: leased.job.attempt)], of: leased.group)
        }
    }

    /// Where it is worth telling: another stage, or a hundredth more.
    func tell(_ progress: JobProgress, after former: JobProgress?, of leased: LeasedJob) {
        if let former, former.stage == progress.stage, abs(progress.fraction - former.fraction) < 0.01 { return }
        guard let name = Self.name(of: leased.job, in: leased.group) else { return }
        feed.publish([.progress(step: name, progress)], of: leased.group)
    }

    private static func name(of job: Job, in group: JobGroup) -> String? {
        group.steps.indices.contains(job.step) ? group.steps[job.step].name : nil
    }
}
