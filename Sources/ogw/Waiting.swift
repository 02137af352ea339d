import Files
import Glibc
import Threads

/// Runs `body` on the pool and waits for it on the calling thread, which is not one of the pool's.
func waitFor<Result: Sendable>(on pool: Pool, _ body: @escaping @Sendable () async throws -> Result) throws -> Result {
    var ends: [Int32] = [-1, -1]
    // SAFETY: each call touches the two numbers or the one byte lent to it, during the call only.
    guard unsafe pipe(&ends) == 0 else { throw SystemError("pipe") }
    let (end, signal) = (OpenFile(owning: ends[0]), OpenFile(owning: ends[1]))
    for file in [end, signal] { _ = fcntl(file.descriptor, F_SETFD, FD_CLOEXEC) }
    let outcome = Lock<Swift.Result<Result, any Error>?>(nil)
    pool.run {
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        outcome.withLock { $0 = result }
        var byte: UInt8 = 1
        _ = unsafe write(signal.descriptor, &byte, 1)
    }
    var byte: UInt8 = 0
    while unsafe read(end.descriptor, &byte, 1) < 0, errno == EINTR {}
    guard let result = outcome.withLock({ $0 }) else { throw SystemError("read", errno: EIO) }
    return try result.get()
}
