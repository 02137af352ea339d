import CLinux
import Glibc
import LoadClient

/// An unnamed file that vanishes when it is let go.
final class DurableFile {
    private static let reservedStep = 64 << 20
    private let descriptor: Int32
    private var written = 0
    private var reserved = 0

    init(in folder: String) throws(ClientError) {
        descriptor = unsafe clinux_open_tmpfile(folder, 0, 0o600)
        if descriptor < 0 { throw .system("open") }
    }

    deinit { close(descriptor) }

    func append(_ bytes: Span<UInt8>) throws(ClientError) {
        // SAFETY: the buffer is read during the call only.
        let count = unsafe bytes.withUnsafeBytes {
            unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(written))
        }
        if count != bytes.count { throw .system("pwrite") }
        written += count
    }

    /// Room for the next `count` bytes, taken 64 MiB at a time as a log does, so that a sync has no blocks to place.
    func reserve(_ count: Int) throws(ClientError) {
        while reserved < written + count {
            if clinux_reserve(descriptor, off_t(reserved), off_t(Self.reservedStep)) != 0 { throw .system("fallocate") }
            reserved += Self.reservedStep
        }
    }

    func sync() throws(ClientError) {
        if fdatasync(descriptor) != 0 { throw .system("fdatasync") }
    }
}
