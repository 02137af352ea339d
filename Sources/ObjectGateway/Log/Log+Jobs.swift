import Bytes
import Hooks
import Metadata

extension Log {
    /// What went wrong with jobs in the background; the engine tries again by itself.
    func report(_ problem: JobEngine.Problem) {
        switch problem {
        case .planning(let error): event("jobs_not_made", level: .error, ["error": .failure(error)])
        case .rescuing(let job, let error):
            event("job_not_rescued", level: .error, ["job": .bytes(job.text[...]), "error": .failure(error)])
        case .forgetting(let error): event("job_history_not_forgotten", level: .warning, ["error": .failure(error)])
        case .scheduling(let error): event("schedule_missed", level: .error, ["error": .failure(error)])
        case .looking(let error): event("jobs_not_looked_at", level: .warning, ["error": .failure(error)])
        case .unknownHook(let hook, let bucket, let revision):
            event(
                "hook_unknown", level: .warning,
                ["hook": .text(hook), "bucket_id": .integer(bucket.value), "revision": .integer(revision)])
        case .unreadableHooks(let bucket, let revision, let reason):
            event(
                "hooks_unreadable", level: .error,
                ["bucket_id": .integer(bucket.value), "revision": .integer(revision), "reason": .text(reason)])
        }
    }
}
