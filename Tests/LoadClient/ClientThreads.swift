import Glibc
import Threads

/// Blocking clients, one thread each: what they cost stays the same whatever the gateway under test does.
public enum ClientThreads {
    private final class Start {
        let index: Int
        let body: @Sendable (Int) -> Void

        init(index: Int, body: @escaping @Sendable (Int) -> Void) {
            self.index = index
            self.body = body
        }
    }

    /// Runs `body` with 0..<count on as many threads. Returns the results in that order, or throws the first error.
    public static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let outcomes = Lock<[Int: Swift.Result<Result, any Error>]>([:])
        var threads: [pthread_t] = []
        for index in 0..<count {
            let start = Start(index: index) { index in
                let outcome = Swift.Result { try body(index) }
                outcomes.withLock { $0[index] = outcome }
            }
            var thread = pthread_t()
            // SAFETY: the new thread takes over the reference that is passed to it.
            let error = unsafe pthread_create(
                &thread, nil,
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                    start.body(start.index)
                    return nil
                }, Unmanaged.passRetained(start).toOpaque())
            guard error == 0 else { throw ClientError("pthread_create failed with errno \(error)") }
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
        let all = outcomes.withLock { $0 }
        return try (0..<count).compactMap { try all[$0]?.get() }
    }
}
