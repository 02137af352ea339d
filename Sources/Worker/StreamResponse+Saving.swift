import Files
import Glibc
import HTTPClient
import Threads

/// A file has more bytes than it may have.
struct FileTooLarge: Error {}

extension StreamResponse {
    /// Writes the body to the file at `path`, which must not exist. Returns its size. Throws `FileTooLarge` above `bytesMax`, or what
    /// broke the transfer or the file.
    func save(to path: String, bytesMax: UInt64, pool: Pool) async throws -> UInt64 {
        let file = try pool.blocking { try OpenFile.open(path, flags: O_WRONLY | O_CREAT | O_EXCL) }
        var size: UInt64 = 0
        while let piece = try await next() {
            guard UInt64(piece.count) <= bytesMax - size else { throw FileTooLarge() }
            try pool.blocking { try file.write(piece.span, at: size) }
            size += UInt64(piece.count)
        }
        return size
    }
}
