import Bytes
import Synchronization
import Threads

/// The write side of a streamed response, as long as that response lasts.
final class OutputStream: Sendable {
    private let connection: Connection
    private let isChunked: Bool
    /// Bytes still to be written, nil without a length.
    private let left: Lock<UInt64?>
    private let isOver = Atomic<Bool>(false)

    init(_ connection: Connection, left: UInt64?, isChunked: Bool) {
        self.connection = connection
        self.isChunked = isChunked
        self.left = Lock(left)
    }

    func write(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty { return }
        let fits = left.withLock { left in
            guard let rest = left else { return true }
            guard UInt64(bytes.count) <= rest else { return false }
            left = rest - UInt64(bytes.count)
            return true
        }
        // More than was promised would be read as the next response.
        guard fits else { throw BodyError.malformed }
        if isChunked {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(bytes.count + 20)
            appendSize(bytes.count, to: &chunk)
            chunk.append(contentsOf: bytes)
            ResponseHead.append("\r\n", to: &chunk)
            try await send(chunk)
        } else {
            try await send(bytes)
        }
    }

    /// Ends the body; throws when it is shorter than was promised.
    func finish() async throws {
        if let rest = left.withLock({ $0 }), rest > 0 { throw BodyError.malformed }
        if isChunked { try await send([UInt8]("0\r\n\r\n".utf8)) }
    }

    /// What is written later is an error.
    func end() { isOver.store(true, ordering: .releasing) }

    private func send(_ bytes: [UInt8]) async throws {
        guard !connection.isTransferring.exchange(true, ordering: .acquiring) else { throw BodyError.disconnected }
        defer { connection.isTransferring.store(false, ordering: .releasing) }
        guard !isOver.load(ordering: .acquiring) else { throw BodyError.disconnected }
        try await connection.sendAll(bytes)
    }

    private func appendSize(_ count: Int, to out: inout [UInt8]) {
        let digits = Hex.encode(UInt64(count), width: 16)
        out.append(contentsOf: digits.drop { $0 == Ascii.zero })
        ResponseHead.append("\r\n", to: &out)
    }
}
