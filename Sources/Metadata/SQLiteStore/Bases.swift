import Bytes
import Files
import RedoLog
import SQLite

/// Copies of the database, each as of the end of one group of the log: `base/<number of the group's last record, 16 hex
/// digits>.db`. A base and the log after it give the database back.
struct Bases: Sendable {
    let folder: DataFolder

    /// The numbers of the last records that the bases hold, ascending.
    func list() throws(SystemError) -> [UInt64] {
        try folder.disk.names(in: folder.bases).compactMap { name in
            name.utf8.count == 19 && name.hasSuffix(".db") ? UInt64(name.dropLast(3), radix: 16) : nil
        }.sorted()
    }

    func path(of lsn: UInt64) -> String {
        "\(folder.bases)/\(String(decoding: Hex.encode(lsn, width: 16), as: UTF8.self)).db"
    }

    /// Makes a base of what `reader` sees now; it is durable when this returns its number. Blocks for as long as the copy takes.
    func make(from reader: Connection) throws(MetadataError) -> UInt64 {
        let temporary = folder.bases + "/new"
        do {
            try removeRemains(of: temporary)
            let copy = try Connection.open(temporary, mode: .readWrite)
            try reader.copy(to: copy)
            // One file, without a write-ahead log beside it.
            try copy.run(script: "PRAGMA journal_mode = DELETE")
            let lsn = try Rows(connection: copy).viewState().applied.lsn
            let file = try folder.disk.open(temporary, .update)
            try file.syncData()
            try folder.disk.rename(temporary, to: path(of: lsn))
            try folder.disk.syncDirectory(folder.bases)
            return lsn
        } catch let error as MetadataError {
            throw error
        } catch let error as SQLiteError {
            throw MetadataError(error)
        } catch let error as SystemError {
            throw error.isDiskFull ? .diskFull : .unavailable("base: \(error)")
        } catch {
            throw .broken("base: \(error)")
        }
    }

    /// Removes all but the newest `count`, and what an interrupted copy left.
    func removeOld(keeping count: Int) throws(SystemError) {
        for lsn in try list().dropLast(max(1, count)) { try folder.disk.remove(path(of: lsn)) }
        try removeRemains(of: folder.bases + "/new")
    }

    private func removeRemains(of path: String) throws(SystemError) {
        for suffix in ["", "-journal", "-wal", "-shm"] { try folder.disk.remove(path + suffix) }
    }

    /// Puts the newest base that is whole in the place of the database, which goes to `quarantine/`. Returns the number of its
    /// last record; nil where there is no base, and the log alone has to give everything back. No store may be open.
    func restoreNewest() throws(MetadataError) -> UInt64? {
        do {
            try setDatabaseAside()
            for lsn in try list().reversed() where Self.isWhole(path(of: lsn)) {
                let bytes = try folder.disk.open(path(of: lsn), .read)
                let temporary = folder.metadata + "/main.db.new"
                try folder.disk.remove(temporary)
                try copy(bytes, to: try folder.disk.open(temporary, .createNew))
                try folder.disk.rename(temporary, to: folder.metadata + "/main.db")
                try folder.disk.syncDirectory(folder.metadata)
                return lsn
            }
            return nil
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Copies the newest base that is whole. Returns the number of its last record; nil, with nothing copied, where there is none.
    func copyNewest(to target: Connection) throws(SQLiteError) -> UInt64? {
        for lsn in ((try? list()) ?? []).reversed() where Self.isWhole(path(of: lsn)) {
            try Connection.open(path(of: lsn), mode: .queryOnly).copy(to: target)
            return lsn
        }
        return nil
    }

    private static func isWhole(_ path: String) -> Bool {
        guard let connection = try? Connection.open(path, mode: .queryOnly) else { return false }
        return (try? connection.firstFault()) == .some(nil)
    }

    private func copy(_ source: any DiskFile, to target: any DiskFile) throws(SystemError) {
        var offset: UInt64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try source.read(at: offset, into: &buffer)
            if count == 0 { break }
            try target.write(buffer.span.extracting(first: count), at: offset)
            offset += UInt64(count)
        }
        try target.syncData()
    }

    /// Nothing is deleted: what is there may be wanted yet.
    private func setDatabaseAside() throws(SystemError) {
        let present = try folder.disk.names(in: folder.metadata).filter { $0.hasPrefix("main.db") }
        if present.isEmpty { return }
        let taken = Set(try folder.disk.names(in: folder.quarantine))
        var number = 1
        while present.contains(where: { taken.contains("\(number).\($0)") }) { number += 1 }
        for name in present {
            try folder.disk.rename("\(folder.metadata)/\(name)", to: "\(folder.quarantine)/\(number).\(name)")
        }
        try folder.disk.syncDirectory(folder.quarantine)
        try folder.disk.syncDirectory(folder.metadata)
    }
}
