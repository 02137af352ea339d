import Glibc

/// An exclusive lock on a file (flock(2)), held until this object goes or the process ends, however it ends.
/// Child processes do not inherit it: the descriptor is close-on-exec.
public final class FileLock: Sendable {
    private let file: OpenFile

    private init(_ file: OpenFile) { self.file = file }

    /// Makes the file where it is missing. Nil when another process, or another opener in this one, holds the lock.
    public static func acquire(_ path: String) throws(SystemError) -> FileLock? {
        let file = try OpenFile.open(path, flags: O_RDWR | O_CREAT)
        if retryingInterrupts({ flock(file.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return FileLock(file) }
        if errno == EWOULDBLOCK { return nil }
        throw SystemError("flock", path: path)
    }

    /// Lets others have the lock before this object goes.
    public func release() { _ = retryingInterrupts { flock(file.descriptor, LOCK_UN) } }
}
