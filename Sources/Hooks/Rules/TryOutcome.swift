public import Bytes
public import Metadata

/// What becomes of a job whose try failed. Pure.
public enum TryOutcome {
    /// Tries that may end without a word from their worker before the job counts as one that kills it.
    public static let crashCountMax = 3

    /// `random` is from 0 up to 1. `retryAfter` is what the other side asked for.
    public static func next(
        after job: Job, policy: RetryPolicy, isPermanent: Bool, isCrash: Bool, retryAfter: Duration? = nil,
        now: Timestamp, random: Double
    ) -> JobFailure.Next {
        if isPermanent || (isCrash && job.crashCount + 1 >= crashCountMax) { return .dead }
        guard let wait = policy.wait(after: job.attempt, random: random) else { return .dead }
        let asked = min(retryAfter ?? .zero, RetryPolicy.askedMax)
        return .retry(at: Timestamp(milliseconds: now.milliseconds &+ max(wait, asked).milliseconds))
    }
}
