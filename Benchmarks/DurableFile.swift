import CLinux
import Glibc
import LoadClient

/// An unnamed file that vanishes when it is let go.
final class DurableFile {
    private let descriptor: Int32

    init(in folder: String) throws(ClientError) {
        descriptor = unsafe clinux_open_tmpfile(folder, 0, 0o600)
        if descriptor < 0 { throw .system("open") }
    }

    deinit { close(descriptor) }

    func append(_ bytes: Span<UInt8>) throws(ClientError) {
        // SAFETY: the buffer is read during the call only.
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if written != bytes.count { throw .system("write") }
    }

    func sync() throws(ClientError) {
        if fdatasync(descriptor) != 0 { throw .system("fdatasync") }
    }
}
