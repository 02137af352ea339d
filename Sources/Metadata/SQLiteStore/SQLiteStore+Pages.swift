import Files
import SQLite
import Threads

/// A page of a database that is not what was written.
public struct DamagedPage: Sendable, Equatable {
    /// Below the data folder.
    public var file: String
    /// Counted from 1.
    public var number: Int64

    public init(file: String, number: Int64) { (self.file, self.number) = (file, number) }
}

extension SQLiteStore {
    private static let damagedPagesMax = 1_000
    /// A piece of 64 pages.
    private static let pieceLength = 64 * PageChecks.pageSize

    /// Compares each page of the database and of its bases with its check value; the first 1,000 that do not check. `pace` is
    /// told of the bytes read, and ends the walk by false.
    public func damagedPages(
        pace: @Sendable (Int) async -> Bool
    ) async throws(MetadataError) -> [DamagedPage] {
        var found = try await damagedPages(in: "meta/main.db", of: folder.metadata + "/main.db", pace)
        let bases = Bases(folder: folder)
        let kept: [UInt64]
        do { kept = try pool.blocking { () throws(SystemError) in try bases.list() } } catch {
            throw .unavailable("base: \(error)")
        }
        for lsn in kept {
            let path = bases.path(of: lsn)
            found += try await damagedPages(in: "base/\(path.dropFirst(folder.bases.utf8.count + 1))", of: path, pace)
        }
        return [DamagedPage](found.prefix(Self.damagedPagesMax))
    }

    private func damagedPages(
        in name: String, of path: String, _ pace: @Sendable (Int) async -> Bool
    ) async throws(MetadataError) -> [DamagedPage] {
        var suspects: [Int64] = []
        var offset: UInt64 = 0
        while suspects.count < Self.damagedPagesMax {
            let (pages, count) = try examine(path, at: offset)
            suspects += pages
            offset += UInt64(count)
            if count < Self.pieceLength { break }
            guard await pace(count) else { return [] }
        }
        if suspects.isEmpty { return [] }
        // What is about to be replaced, or was being written when it was read, checks once that is done.
        await committer.settle()
        var found: [DamagedPage] = []
        for number in suspects {
            let at = UInt64(number - 1) * UInt64(PageChecks.pageSize)
            if try examine(path, at: at).pages.first == number { found.append(DamagedPage(file: name, number: number)) }
        }
        return found
    }

    /// The pages of one piece that do not check, and how many bytes it has. None of a file that is gone, or whose pages have no
    /// check values.
    private func examine(_ path: String, at offset: UInt64) throws(MetadataError) -> (pages: [Int64], count: Int) {
        do {
            return try pool.blocking { () throws(SystemError) in
                var bytes = [UInt8](repeating: 0, count: Self.pieceLength)
                let file = try folder.disk.open(path, .read)
                let count = try file.read(at: offset, into: &bytes)
                // A base may be a former program's; the database is not, once it is open.
                let isOwn = offset > 0 || PageChecks.areIn(header: bytes.span) || path == folder.metadata + "/main.db"
                if !isOwn { return ([], 0) }
                var pages: [Int64] = []
                for start in stride(from: 0, to: count, by: PageChecks.pageSize) {
                    let number = Int64(clamping: (offset + UInt64(start)) / UInt64(PageChecks.pageSize) + 1)
                    let page = bytes.span.extracting(start..<min(count, start + PageChecks.pageSize))
                    if number != PageChecks.lockPage, !PageChecks.isWhole(page, number: number) { pages.append(number) }
                }
                return (pages, count)
            }
        } catch {
            if error.isNotFound { return ([], 0) }
            throw .unavailable("\(path): \(error)")
        }
    }
}
