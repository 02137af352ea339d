import Files
import Threads

/// A file that holds room on the disk, so that deletes go on when it is full.
final class Ballast: Sendable {
    private let disk: any Disk
    private let path: String
    private let bytes: UInt64
    private let state: Lock<State>

    private struct State {
        var isHeld = false
        /// When room was last looked for, in seconds of the monotonic clock.
        var looked_s: UInt64 = .max
    }

    init(disk: any Disk, path: String, bytes: UInt64) {
        (self.disk, self.path, self.bytes) = (disk, path, bytes)
        state = Lock(State())
        restore()
    }

    /// Lets go of the room.
    func giveUp() {
        state.withLock { $0.isHeld = false }
        // Where it cannot be removed there is nothing better to do: what needed the room fails.
        _ = try? disk.remove(path)
    }

    /// Takes the room again where the disk has four times as much. Looks at most once a second.
    func restore() {
        guard bytes > 0 else { return }
        let now_s = Monotonic.milliseconds / 1000
        let looks = state.withLock { state in
            if state.isHeld || state.looked_s == now_s { return false }
            state.looked_s = now_s
            return true
        }
        guard looks, let file = try? disk.open(path, .create) else { return }
        if let size = try? file.size(), size >= bytes {
            state.withLock { $0.isHeld = true }
            return
        }
        guard let space = try? disk.space(at: path), space.free / 4 >= bytes else { return }
        // The last byte gives the file its size; the rest is reserved, and never read.
        if (try? file.reserve(at: 0, count: bytes)) != nil, (try? file.write([0].span, at: bytes - 1)) != nil {
            state.withLock { $0.isHeld = true }
        }
    }
}
