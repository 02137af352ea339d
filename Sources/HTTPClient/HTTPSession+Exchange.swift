public import Threads

/// Requests whose whole answer is wanted, and that can become needless meanwhile.
extension HTTPSession {
    /// Sends the request and reads the answer, of at most as many bytes as `bytesMax` says to its head. Ends with `closed` or a failure of
    /// libcurl's soon after `isCancelled`, which is asked now and then, says so. The request's own cancellation is replaced.
    public func exchange(
        _ request: StreamRequest, pool: Pool, bytesMax: (StreamResponse) -> Int,
        isCancelled: @escaping @Sendable () -> Bool
    ) async throws(HTTPClientError) -> FetchResponse {
        var request = request
        let cancellation = RequestCancellation()
        request.cancellation = cancellation
        let isDone = Lock(false)
        defer { isDone.withLock { $0 = true } }
        pool.run { [pool] in
            while !isDone.withLock({ $0 }) {
                if isCancelled() { return cancellation.cancel() }
                await pool.sleep(for: .milliseconds(100))
            }
        }
        let response = try await send(request)
        let body = try await response.rest(bytesMax: bytesMax(response))
        return FetchResponse(status: response.status, headers: response.headers, body: body)
    }
}
