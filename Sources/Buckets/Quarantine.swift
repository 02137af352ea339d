import Bytes
import Files
import Glibc
import Metadata

/// The folder of files that are not what they should be, each with a note beside it. Nothing reads them but people.
struct Quarantine: Sendable {
    let disk: any Disk
    let directory: String

    /// Gives the file of a blob a name here too, and writes why. Does nothing where it has one. Durable when it returns.
    func keep(_ blob: BlobID, at path: String, reason: String, moment: Timestamp) throws(SystemError) {
        let name = Self.name(of: blob)
        do { try disk.link(existing: path, as: directory + "/" + name) } catch {
            if error.errno != EEXIST { throw error }
        }
        try note(blob, reason: reason, moment: moment)
    }

    /// Writes why a blob is set aside that has no file. Durable when it returns.
    func note(_ blob: BlobID, reason: String, moment: Timestamp) throws(SystemError) {
        let name = Self.name(of: blob)
        let note = "\(String(decoding: DateFormats.iso8601(moment), as: UTF8.self)) blob \(blob.value): \(reason)\n"
        try disk.replace(name + ".txt", in: directory, with: [UInt8](note.utf8))
    }

    /// Why a blob is set aside; nil where it is not.
    func reason(_ blob: BlobID) -> String? {
        guard let text = try? disk.contents(of: directory + "/" + Self.name(of: blob) + ".txt") else { return nil }
        return String(decoding: text.split(separator: Ascii.lineFeed).first ?? [], as: UTF8.self)
    }

    static func name(of blob: BlobID) -> String {
        String(decoding: Hex.encode(blob.value, width: 16), as: UTF8.self)
    }
}
