import Threads

/// A body that lies in memory, lent in one piece.
final class MemoryBody: BodySource {
    private let rest: Lock<[UInt8]>

    init(_ bytes: [UInt8]) { rest = Lock(bytes) }

    func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
        let bytes = rest.withLock { rest in
            let taken = rest
            rest = []
            return taken
        }
        if bytes.isEmpty { return false }
        try consume(bytes.span)
        return true
    }
}
