import Bytes

/// Jobs that wait for an answer from outside.
extension Decider {
    /// An answer that came before its worker said that it waits is there at once.
    func park(
        _ job: inout Job, until moment: Timestamp, ticket: [UInt8], of group: JobGroup, _ decision: inout Decision
    ) -> JobEnding {
        job.ticket = ticket
        job.reason = ""
        job.attempt = max(0, job.attempt - 1)
        let isAnswered = !job.answer.isEmpty
        job.state = isAnswered ? .available : .waiting
        job.due = isAnswered ? nil : moment
        decision.changes.append(.job(job))
        return JobEnding(group: group, started: isAnswered ? [job] : [])
    }

    /// The first answer counts.
    mutating func answer(
        _ id: JobID, _ answer: [UInt8], _ decision: inout Decision
    ) throws(MetadataError) -> JobAnswering {
        guard let found = try rows.job(id), !found.state.isEnded, let group = try rows.jobGroup(found.group) else {
            return .over
        }
        guard found.answer.isEmpty else { return .repeated }
        var job = found
        job.answer = answer
        if job.state == .waiting {
            job.state = .available
            job.due = nil
            job.changed = now
        }
        decision.changes.append(.job(job))
        return .noted(JobEnding(group: group, started: job.state == .available ? [job] : []))
    }
}
