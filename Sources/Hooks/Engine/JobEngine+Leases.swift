public import Metadata
import Threads

/// Leases that are out. Those of a shared store are the store's, and this gateway knows of those that it gave or heard of.
extension JobEngine {
    /// Whether the worker still has the job. Renews its lease.
    public func renew(_ id: JobID, token: [UInt8], progress: JobProgress?) async throws(MetadataError) -> Bool {
        if store.isShared {
            guard try await store.renewLease(of: id, token: token, for: leasePeriod) else {
                if state.withLock({ $0.leases.lease(id, token: token) }) != nil { release(id, isCrash: false) }
                return false
            }
            try await adopt(id, token: token)
        }
        let (isHeld, former) = state.withLock { state in
            let former = state.leases.leases[id]
            return (state.leases.renew(id, token: token, progress: progress, at: .now), former)
        }
        if isHeld, let progress, let former {
            tell(progress, after: former.progress, of: LeasedJob(job: former.job, group: former.group))
        }
        return isHeld
    }

    /// The job that a token has, whichever gateway gave it.
    public func leased(_ id: JobID, token: [UInt8]) async throws(MetadataError) -> LeasedJob? {
        let known = state.withLock { state in
            state.leases.lease(id, token: token).map { LeasedJob(job: $0.job, group: $0.group) }
        }
        guard known == nil, store.isShared else { return known }
        guard let job = try await store.job(id), job.state == .leased, !token.isEmpty, job.token == token,
            let group = try await store.jobGroup(job.group)
        else { return nil }
        return LeasedJob(job: job, group: group)
    }

    /// The lease that another gateway gave is known here too from now on.
    private func adopt(_ id: JobID, token: [UInt8]) async throws(MetadataError) {
        if state.withLock({ $0.leases.lease(id, token: token) }) != nil { return }
        guard let leased = try await leased(id, token: token) else { return }
        state.withLock { state in
            if state.leases.leases[id] == nil { state.lanes.begin(leased.job.lane) }
            state.leases.add(leased, at: .now)
        }
    }

    public func progress(of id: JobID) -> JobProgress? {
        state.withLock { $0.leases.leases[id]?.progress ?? $0.parked[id] }
    }
}
