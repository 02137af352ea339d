internal import CLinux
import Glibc

/// The one owner of a file descriptor; closes it when the last reference goes.
/// All calls may block: use them inside `pool.blocking { }` where the disk may be slow.
public final class OpenFile: DiskFile {
    /// Valid as long as this object lives.
    public let descriptor: Int32

    public var kernelDescriptor: Int32? { descriptor }

    public init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens with O_CLOEXEC. `flags` as in open(2).
    public static func open(_ path: String, flags: Int32, mode: UInt32 = 0o600) throws(SystemError) -> OpenFile {
        let descriptor = retryingInterrupts { unsafe clinux_open(path, flags, mode) }
        if descriptor < 0 { throw SystemError("open", path: path) }
        return OpenFile(owning: Int32(descriptor))
    }

    /// An unnamed file on the file system of `directory`; it vanishes at close unless `link(as:)` names it.
    public static func unnamed(in directory: String) throws(SystemError) -> OpenFile {
        let descriptor = retryingInterrupts { unsafe clinux_open_tmpfile(directory, 0, 0o600) }
        if descriptor < 0 { throw SystemError("open O_TMPFILE", path: directory) }
        return OpenFile(owning: Int32(descriptor))
    }

    /// Gives an unnamed file its name. Fails with EEXIST when the name is taken.
    public func link(as path: String) throws(SystemError) {
        let source = "/proc/self/fd/\(descriptor)"
        if unsafe linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0 {
            throw SystemError("linkat", path: path)
        }
    }

    /// Writes all of `bytes` at `offset` (bytes from the start).
    public func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(done...)
            let position = off_t(truncatingIfNeeded: offset &+ UInt64(done))
            // SAFETY: the pointer is used within the closure only.
            let written = retryingInterrupts {
                unsafe rest.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, position) }
            }
            if written < 0 { throw SystemError("pwrite") }
            if written == 0 { throw SystemError("pwrite", errno: EIO) }
            done += written
        }
    }

    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    public func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
        var failed: Int32?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let position = off_t(truncatingIfNeeded: offset &+ UInt64(filled))
                // SAFETY: base + filled stays below the capacity of `count`.
                let got = retryingInterrupts {
                    unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, position)
                }
                if got < 0 { failed = Glibc.errno }
                if got <= 0 { break }
                filled += got
            }
        }
        if let failed { throw SystemError("pread", errno: failed) }
        return bytes
    }

    /// Fills `buffer` from `offset` on and returns the count of bytes read; fewer than its size only at the end of the file.
    public func read(at offset: UInt64, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let position = off_t(truncatingIfNeeded: offset &+ UInt64(done))
            // SAFETY: `rest` is the part of the buffer after `done`, used within the closure only.
            let got = retryingInterrupts {
                unsafe buffer.withUnsafeMutableBytes { all in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: all[done...])
                    return unsafe pread(descriptor, rest.baseAddress, rest.count, position)
                }
            }
            if got < 0 { throw SystemError("pread") }
            if got == 0 { break }
            done += got
        }
        return done
    }

    /// The size in bytes.
    public func size() throws(SystemError) -> UInt64 {
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw SystemError("fstat") }
        return UInt64(max(0, status.st_size))
    }

    public func truncate(to size: UInt64) throws(SystemError) {
        if retryingInterrupts({ Int(ftruncate(descriptor, off_t(clamping: size))) }) != 0 {
            throw SystemError("ftruncate")
        }
    }

    /// Reserves room beyond the file's end, whose size stays; where the file system cannot, nothing happens.
    public func reserve(at offset: UInt64, count: UInt64) throws(SystemError) {
        let result = retryingInterrupts {
            clinux_reserve(descriptor, off_t(clamping: offset), off_t(clamping: count))
        }
        if result != 0, Glibc.errno != EOPNOTSUPP, Glibc.errno != ENOSYS { throw SystemError("fallocate") }
    }

    /// Makes the content durable. After an error nothing may be assumed written; the caller must not retry.
    public func syncData() throws(SystemError) {
        if retryingInterrupts({ Int(fdatasync(descriptor)) }) != 0 { throw SystemError("fdatasync") }
    }

    /// Begins to write dirty pages of the range to the disk, without waiting for them. The kernel reports a failed write
    /// once only, so that an error here is to be treated as one of `syncData`.
    public func beginWriteback(at offset: UInt64, count: UInt64) throws(SystemError) {
        let (from, length) = (off_t(truncatingIfNeeded: offset), off_t(truncatingIfNeeded: count))
        if retryingInterrupts({ clinux_writeback_begin(descriptor, from, length) }) != 0 {
            throw SystemError("sync_file_range")
        }
    }

    /// Waits until the range's pages are on the disk. This bounds dirty memory; it makes nothing durable (the disk's cache
    /// and the file's size are not covered). Errors as with `beginWriteback`.
    public func finishWriteback(at offset: UInt64, count: UInt64) throws(SystemError) {
        let (from, length) = (off_t(truncatingIfNeeded: offset), off_t(truncatingIfNeeded: count))
        if retryingInterrupts({ clinux_writeback_wait(descriptor, from, length) }) != 0 {
            throw SystemError("sync_file_range")
        }
    }

    /// Lets the page cache forget the clean pages of the range. A hint.
    public func dropCache(at offset: UInt64, count: UInt64) {
        _ = posix_fadvise(
            descriptor, off_t(truncatingIfNeeded: offset), off_t(truncatingIfNeeded: count), POSIX_FADV_DONTNEED)
    }

    public static func openDirectory(_ path: String) throws(SystemError) -> OpenFile {
        try open(path, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Makes content and metadata durable; of a directory, the names in it. After an error nothing may be assumed written.
    public func sync() throws(SystemError) {
        if retryingInterrupts({ Int(fsync(descriptor)) }) != 0 { throw SystemError("fsync") }
    }

    /// Makes names in a directory durable.
    public static func syncDirectory(_ path: String) throws(SystemError) {
        try openDirectory(path).sync()
    }
}

/// Repeats a call that a signal interrupted.
func retryingInterrupts<N: BinaryInteger>(_ call: () -> N) -> N {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
