/// A response whose body is still coming. A reader that lags stops the transfer; one that lets this object go ends it.
public final class StreamResponse: Sendable {
    /// Of the final response, whatever it is: a 404 or a 500 is no error of the transfer.
    public let status: Int
    /// In the order received; names in lower case.
    public let headers: [(name: String, value: String)]
    private let transfer: Transfer

    init(_ head: Transfer.Head, of transfer: Transfer) {
        (status, headers) = (head.status, head.headers)
        self.transfer = transfer
    }

    deinit { transfer.abandon() }

    /// The first value of a header; `name` in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// The next bytes of the body, at most 128 KiB; nil at its end. Throws where the body ended before its length. For one
    /// task at a time.
    public func next() async throws(HTTPClientError) -> [UInt8]? { try await transfer.next() }

    /// All that is left of the body. Throws `responseTooLarge` above `bytesMax`.
    public func rest(bytesMax: Int) async throws(HTTPClientError) -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await next() {
            guard piece.count <= bytesMax - all.count else { throw .responseTooLarge }
            all += piece
        }
        return all
    }
}
