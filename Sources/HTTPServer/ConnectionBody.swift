import Synchronization
import Threads

/// The body of a request on a connection, as long as that request lasts.
final class ConnectionBody: BodySource {
    private let connection: Connection
    private let number: Int

    init(_ connection: Connection, number: Int) {
        self.connection = connection
        self.number = number
    }

    func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
        // Two readers at once, or one after its response, would tear the connection's state: both get an error.
        guard !connection.isTransferring.exchange(true, ordering: .acquiring) else { throw BodyError.disconnected }
        defer { connection.isTransferring.store(false, ordering: .releasing) }
        guard connection.requestNumber.load(ordering: .relaxed) == number else { throw BodyError.disconnected }
        return try await connection.readBody(consume)
    }
}

/// The body of a request that has none.
final class NoBody: BodySource {
    static let shared = NoBody()

    func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool { false }
}
