public import Bytes
public import Metadata
import Threads

/// Jobs that wait for an answer from outside. No worker is held by them, and nothing of them is in memory only but how far they are.
extension JobEngine {
    /// Jobs whose progress is remembered while they wait.
    private static let parkedMax = 10_000

    /// The worker has asked somebody outside and goes on to other jobs. The job is available again when the answer comes, or at
    /// `until`. `ticket` is JSON of at most `Job.ticketMax` bytes. Throws `leaseLost` where another has the job.
    public func park(
        _ id: JobID, token: [UInt8], until: Timestamp, ticket: [UInt8]
    ) async throws(MetadataError) {
        let progress = progress(of: id)
        let ending = try await store.endTry(
            JobFailure(job: id, token: token, next: .park(until: until, ticket: ticket), reason: ""))
        let job = release(id, isCrash: false)
        state.withLock { state in
            if let progress, state.parked.count < Self.parkedMax { state.parked[id] = progress }
            state.nextDue = min(state.nextDue ?? until, until)
        }
        announce(ending, of: job, now: ending.started.isEmpty ? .waiting : .available)
    }

    /// Somebody outside answers. `text` is JSON of at most `Job.answerMax` bytes.
    public func answer(_ id: JobID, _ text: [UInt8]) async throws(MetadataError) -> JobAnswering {
        let answering = try await store.answerJob(id, text)
        if case .noted(let ending) = answering { announce(ending) }
        return answering
    }

    /// Somebody outside says how far a job is. False for one that has ended, or is not known.
    public func note(_ progress: JobProgress, of id: JobID) async throws(MetadataError) -> Bool {
        guard let job = try await store.job(id), !job.state.isEnded, let group = try await store.jobGroup(job.group)
        else { return false }
        let former = self.progress(of: id)
        state.withLock { state in
            if state.parked[id] != nil || state.parked.count < Self.parkedMax { state.parked[id] = progress }
        }
        tell(progress, after: former, of: LeasedJob(job: job, group: group))
        return true
    }
}
