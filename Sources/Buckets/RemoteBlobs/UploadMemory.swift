import Threads

/// Bytes that uploads to the engine hold in memory. Who finds no room waits, in the order of coming.
///
/// Small and large requests have room of their own, so that no upload that holds little while it waits for more can keep
/// those from ending that hold much.
final class UploadMemory: Sendable {
    /// Held until this object goes.
    final class Share: Sendable {
        fileprivate let room: Room
        let bytes: Int

        fileprivate init(_ room: Room, bytes: Int) { (self.room, self.bytes) = (room, bytes) }

        deinit { room.give(bytes) }
    }

    /// The most that a small request takes, in bytes.
    static let smallBytes = 1 << 20
    private let small: Room
    private let large: Room

    /// A large request takes `partBytes`; at least one fits, whatever `bytesMax` says.
    init(bytesMax: Int, partBytes: Int, patience: Duration, pool: Pool) {
        small = Room(bytes: max(Self.smallBytes, bytesMax / 4), patience: patience, pool: pool)
        large = Room(bytes: max(partBytes, bytesMax - bytesMax / 4), patience: patience, pool: pool)
    }

    /// Throws `overloaded` where no room came in time.
    func take(_ bytes: Int) async throws(BucketsError) -> Share {
        let room = bytes <= Self.smallBytes ? small : large
        guard await room.take(bytes) else { throw .overloaded("uploads to the engine hold all the memory they may") }
        return Share(room, bytes: bytes)
    }

    fileprivate final class Room: Sendable {
        private let patience: Duration
        private let pool: Pool
        private let state: Lock<State>

        fileprivate struct State {
            var left: Int
            var waiting: [(ticket: UInt64, bytes: Int, waiter: Waiter<Bool>)] = []
            var lastTicket: UInt64 = 0
        }

        init(bytes: Int, patience: Duration, pool: Pool) {
            (self.patience, self.pool) = (patience, pool)
            state = Lock(State(left: bytes))
        }

        func take(_ bytes: Int) async -> Bool {
            await Waiter<Bool>.suspend { waiter in
                let ticket = state.withLock { state -> UInt64? in
                    if state.waiting.isEmpty, state.left >= bytes {
                        state.left -= bytes
                        return nil
                    }
                    state.lastTicket += 1
                    state.waiting.append((state.lastTicket, bytes, waiter))
                    return state.lastTicket
                }
                guard let ticket else { return waiter.resume(true) }
                pool.run { [self] in
                    await pool.sleep(for: patience)
                    giveUp(ticket)
                }
            }
        }

        func give(_ bytes: Int) {
            let served = state.withLock { state in
                state.left += bytes
                return state.serve()
            }
            for waiter in served { waiter.resume(true) }
        }

        private func giveUp(_ ticket: UInt64) {
            let (late, served) = state.withLock { state -> (Waiter<Bool>?, [Waiter<Bool>]) in
                guard let place = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return (nil, []) }
                let late = state.waiting.remove(at: place).waiter
                return (late, state.serve())
            }
            late?.resume(false)
            for waiter in served { waiter.resume(true) }
        }
    }
}

extension UploadMemory.Room.State {
    fileprivate mutating func serve() -> [Waiter<Bool>] {
        var served: [Waiter<Bool>] = []
        while let first = waiting.first, first.bytes <= left {
            left -= first.bytes
            served.append(first.waiter)
            waiting.removeFirst()
        }
        return served
    }
}
