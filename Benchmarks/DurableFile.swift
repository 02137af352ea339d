import CLinux
import Glibc

/// An unnamed file that vanishes when it is let go.
final class DurableFile {
    private let descriptor: Int32

    init(in folder: String) throws(BenchError) {
        descriptor = unsafe clinux_open_tmpfile(folder, 0, 0o600)
        if descriptor < 0 { throw .system("open") }
    }

    deinit { close(descriptor) }

    func append(_ bytes: Span<UInt8>) throws(BenchError) {
        // SAFETY: the buffer is read during the call only.
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if written != bytes.count { throw .system("write") }
    }

    func sync() throws(BenchError) {
        if fdatasync(descriptor) != 0 { throw .system("fdatasync") }
    }
}
