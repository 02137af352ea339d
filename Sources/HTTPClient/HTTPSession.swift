/// Makes outgoing HTTP requests on connections that are kept and used again, all of them on one thread of libcurl's multi
/// interface; tasks that wait for bytes hold no thread. Redirects are not followed, proxies of the environment are not used,
/// certificates are verified against the system's authorities.
public final class HTTPSession: Sendable {
    private let loop: TransferLoop

    private init(_ loop: TransferLoop) { self.loop = loop }

    deinit { loop.stop() }

    /// `connectionsMax` bounds connections to one host; requests above it wait. So many idle ones are kept.
    public static func start(connectionsMax: Int = 512) throws(HTTPClientError) -> HTTPSession {
        HTTPSession(try TransferLoop.start(connectionsMax: connectionsMax))
    }

    /// Returns as soon as the head of the response is there. The body of the request has been sent by then, unless the server
    /// answered before.
    public func send(_ request: StreamRequest) async throws(HTTPClientError) -> StreamResponse {
        let transfer = try Transfer(request, loop: loop)
        guard loop.take(.start(transfer)) else { throw .closed }
        // After the start, so that the loop meets the commands in this order.
        if let cancellation = request.cancellation, !cancellation.attach(transfer) { transfer.abandon() }
        return StreamResponse(try await transfer.head(), of: transfer)
    }

    /// Ends every transfer with `closed`. Later requests fail so too.
    public func close() { loop.stop() }
}
