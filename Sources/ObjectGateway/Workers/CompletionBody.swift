import Buckets
import Bytes
import HTTPServer
import Threads

/// The body of a completion: a line, and behind it the bytes of files, one after the other. Read by one task, in order.
final class CompletionBody: Sendable {
    private let body: RequestBody
    private let rest = Lock<ArraySlice<UInt8>>([])
    /// Of the line, in bytes.
    static let lineMax = 256 << 10

    init(_ body: RequestBody) { self.body = body }

    /// The bytes before the first line feed. Throws a problem where there is none.
    func line() async throws -> [UInt8] {
        var line: [UInt8] = []
        while true {
            let piece = try await take(Int.max)
            guard !piece.isEmpty else { throw Problem(400, "Bad body", "The body ended within its first line.") }
            let end = piece.firstIndex(of: Ascii.lineFeed)
            line += piece[..<(end ?? piece.endIndex)]
            guard line.count <= Self.lineMax else {
                throw Problem(413, "Line too long", "The first line has at most \(Self.lineMax) bytes.")
            }
            if let end {
                rest.withLock { $0 = piece[(end + 1)...] }
                return line
            }
        }
    }

    /// The next `size` bytes. Reading throws a problem where the body ends before.
    func file(_ size: UInt64) -> ByteSource {
        let left = Lock(size)
        return ByteSource { try await self.pass(left, to: $0) }
    }

    /// False where nothing is left.
    private func pass(_ left: Lock<UInt64>, to consume: ByteSource.Consumer) async throws -> Bool {
        let wanted = left.withLock { $0 }
        guard wanted > 0 else { return false }
        let piece = [UInt8](try await take(Int(clamping: wanted)))
        guard !piece.isEmpty else { throw Problem(400, "Bad body", "The body ended within a file.") }
        left.withLock { $0 -= UInt64(piece.count) }
        try consume(piece.span)
        return true
    }

    func isAtEnd() async throws -> Bool {
        let piece = try await take(1)
        return piece.isEmpty
    }

    /// Some bytes, at most `count`; none at the end.
    private func take(_ count: Int) async throws -> ArraySlice<UInt8> {
        while rest.withLock({ $0.isEmpty }) {
            var piece: [UInt8] = []
            let isMore = try await body.read { span in
                piece.reserveCapacity(span.count)
                for place in span.indices { piece.append(span[place]) }
            }
            guard isMore else { return [] }
            let read = piece
            rest.withLock { $0 = read[...] }
        }
        return rest.withLock { rest in
            let taken = rest.prefix(count)
            rest = rest.dropFirst(taken.count)
            return taken
        }
    }
}
