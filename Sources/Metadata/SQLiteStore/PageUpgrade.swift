import Files
import SQLite

/// Gives the pages of a database that a former program made their check values: what it holds is written into a new file, which
/// takes the database's place at once or not at all.
struct PageUpgrade {
    let folder: DataFolder
    /// The database.
    let file: String
    private var new: String { file + ".new" }

    /// Whether `connection`, which is the only one and has been prepared, needs it.
    static func isNeeded(by connection: Connection) throws(SQLiteError) -> Bool {
        try Schema.found(in: connection) == Schema.versionWithoutPageChecks
    }

    /// Writes the new file; nothing is to be written by `connection` afterwards. It has to be closed before `replace`.
    func write(from connection: Connection) throws(MetadataError) {
        do throws(SQLiteError) {
            guard try connection.checkpoint(.truncating) else {
                throw SQLiteError(code: 5, message: "main.db is in use")
            }
            try removeRemains()
            try connection.rewrite(into: new)
            try Connection.open(new, mode: .readWrite).run(
                script: "PRAGMA user_version = \(Schema.versionWithPageChecks)")
        } catch {
            throw MetadataError(error)
        }
    }

    private func removeRemains() throws(SQLiteError) {
        do {
            for suffix in ["", "-journal"] { try folder.disk.remove(new + suffix) }
        } catch {
            throw SQLiteError(code: 1, message: "\(error)")
        }
    }

    func replace() throws(MetadataError) {
        do throws(SystemError) {
            try folder.disk.open(new, .update).syncData()
            try folder.disk.rename(new, to: file)
            try folder.disk.syncDirectory(folder.metadata)
        } catch {
            throw error.isDiskFull ? .diskFull : .unavailable("\(new): \(error)")
        }
    }
}
