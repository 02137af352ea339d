import Files
import Threads

/// A file that holds room on the disk. While it does, a commit that is durable in the log can be applied to the database, and
/// deletes go on when the disk is full; while it does not, only what makes room is committed.
final class Ballast: Sendable {
    private let disk: any Disk
    private let path: String
    /// The wanted size; a small file system gives a part of itself at most.
    private let bytesMax: UInt64
    private let state: Lock<State>

    private struct State {
        var isHeld = false
        /// When room was last looked for, in seconds of the monotonic clock.
        var looked_s: UInt64 = .max
    }

    init(disk: any Disk, path: String, bytes: UInt64) {
        (self.disk, self.path, bytesMax) = (disk, path, bytes)
        state = Lock(State())
        restore()
    }

    /// True also where no room is wanted.
    var isHeld: Bool { bytesMax == 0 || state.withLock { $0.isHeld } }

    /// Lets go of the room.
    func giveUp() {
        state.withLock { $0.isHeld = false }
        // Where it cannot be removed there is nothing better to do: what needed the room fails.
        _ = try? disk.remove(path)
    }

    /// Takes the room again where the disk has twice as much. Looks at most once a second.
    func restore() {
        guard bytesMax > 0 else { return }
        let now_s = Monotonic.milliseconds / 1000
        let looks = state.withLock { state in
            if state.isHeld || state.looked_s == now_s { return false }
            state.looked_s = now_s
            return true
        }
        guard looks, let file = try? disk.open(path, .create), let space = try? disk.space(at: path) else { return }
        let bytes = min(bytesMax, space.total / 32)
        if let size = try? file.size(), size >= bytes {
            state.withLock { $0.isHeld = true }
            return
        }
        guard space.free / 2 >= bytes, bytes > 0 else { return }
        // The last byte gives the file its size; the rest is reserved, and never read.
        if (try? file.reserve(at: 0, count: bytes)) != nil, (try? file.write([0].span, at: bytes - 1)) != nil {
            state.withLock { $0.isHeld = true }
        }
    }
}
