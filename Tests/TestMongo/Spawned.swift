import Glibc
import TestSupport
import Threads

/// A program that another thread starts.
final class Spawned: Sendable {
    private let result: Lock<Result<ChildProcess, any Error>?> = Lock(nil)

    func set(_ value: Result<ChildProcess, any Error>) { result.withLock { $0 = value } }

    /// Waits until it was started, or failed to.
    func get() throws -> ChildProcess {
        while true {
            if let value = result.withLock({ $0 }) { return try value.get() }
            usleep(1_000)
        }
    }
}

extension String {
    /// The text before and behind the first `separator`; all of it and nothing where there is none.
    func cut(_ separator: String) -> (before: String, behind: String) {
        guard let range = firstRange(of: separator) else { return (self, "") }
        return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
    }
}
