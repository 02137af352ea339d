import Bytes

/// The folder of one store, held by one process at a time.
///
/// ```
/// FORMAT  LOCK  ballast  meta/  seg/  obj/  base/  quarantine/
/// ```
/// `FORMAT` names the format and the store's id; `LOCK` is held (flock(2)) as long as this object lives. FORMATS.md describes
/// what lies below.
public final class DataFolder: Sendable {
    /// The format that this program writes. It reads the ones below it and brings them up to this one.
    public static let format = 2
    private static let folders = ["meta", "seg", "obj", "base", "quarantine"]

    public let path: String
    /// Of this store, 16 random bytes: its files carry it, so that those of another one are recognised.
    public let id: [UInt8]
    /// The format that the folder had when it was opened; nil for a new one.
    public let formerFormat: Int?
    public let disk: any Disk
    private let lock: FileLock?

    private init(path: String, id: [UInt8], formerFormat: Int?, disk: any Disk, lock: FileLock?) {
        (self.path, self.id, self.formerFormat, self.disk, self.lock) = (path, id, formerFormat, disk, lock)
    }

    /// Whether a store was made in this folder.
    public static func isStore(_ path: String) -> Bool {
        (try? LinuxDisk().contents(of: path + "/FORMAT")) ?? nil != nil
    }

    /// Opens the folder, or makes it; its parent must exist. In a folder that is refused nothing is changed.
    ///
    /// Only simulations say `isLocked: false`: their disks are nobody else's. Without a log the folder holds blobs alone, and what
    /// they are is known elsewhere: such a folder is not opened as one with a log, nor the other way round. `newID` (16 bytes) is the id of
    /// a store that is made; one that is there has its own.
    public static func open(
        _ path: String, disk: any Disk = LinuxDisk(), isLocked: Bool = true, hasLog: Bool = true,
        newID: [UInt8]? = nil
    ) throws(DataFolderError) -> DataFolder {
        do {
            if try disk.makeDirectory(path) { try disk.syncDirectory(parent(of: path)) }
            // Before the lock: it would leave a file in a folder that is somebody else's.
            if let found = try readFormat(of: path, disk), found.hasLog != hasLog {
                throw DataFolderError.otherMetadata(folder: path, hasLog: found.hasLog)
            }
            let lock = isLocked ? try FileLock.acquire(path + "/LOCK") : nil
            if isLocked, lock == nil { throw DataFolderError.inUse(path) }
            let found = try readFormat(of: path, disk)
            let (format, id) = (found?.format, found?.id ?? newID ?? randomID())
            // First of all: folders without it are taken for somebody else's.
            if format != Self.format { try disk.replace("FORMAT", in: path, with: text(id, hasLog: hasLog)) }
            for folder in folders { try disk.makeDirectory(path + "/" + folder) }
            try disk.syncDirectory(path)
            return DataFolder(path: path, id: id, formerFormat: format, disk: disk, lock: lock)
        } catch let error as DataFolderError {
            throw error
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw .unknownFormat(folder: path, reason: "\(error)")
        }
    }

    /// Gives the folder up to the next opener. Nothing may be written through it any more.
    public func close() { lock?.release() }

    /// Says to the next opener whether the folder has a log. Durable when it returns.
    public func setLog(_ hasLog: Bool) throws(SystemError) {
        try disk.replace("FORMAT", in: path, with: Self.text(id, hasLog: hasLog))
    }

    public var segments: String { path + "/seg" }
    public var metadata: String { path + "/meta" }
    public var objects: String { path + "/obj" }
    public var bases: String { path + "/base" }
    public var quarantine: String { path + "/quarantine" }
    public var ballast: String { path + "/ballast" }

    // MARK: FORMAT

    private struct Format {
        var format: Int
        /// Nil in the first format.
        var id: [UInt8]?
        var hasLog = true
    }

    private static let noLog = [UInt8]("log=none".utf8)

    private static func text(_ id: [UInt8], hasLog: Bool) -> [UInt8] {
        [UInt8]("ogw-store \(format)\nid ".utf8) + Hex.encode(id) + [Ascii.lineFeed]
            + (hasLog ? [] : noLog + [Ascii.lineFeed])
    }

    /// Nil for a folder that no store was made in yet.
    private static func readFormat(of path: String, _ disk: any Disk) throws -> Format? {
        if let found = try disk.contents(of: path + "/FORMAT") { return try read(found, of: path) }
        if let other = try disk.names(in: path).first(where: folders.contains) {
            throw DataFolderError.unknownFormat(folder: path, reason: "FORMAT is missing beside \(other)")
        }
        return nil
    }

    /// The first format had one line, `ogw-store 1`, and no id.
    private static func read(_ found: [UInt8], of path: String) throws(DataFolderError) -> Format {
        if found == [UInt8]("ogw-store 1\n".utf8) { return Format(format: 1) }
        let lines = found.split(separator: Ascii.lineFeed)
        let hasLog = lines.count == 2
        if hasLog || (lines.count == 3 && lines[2].elementsEqual(noLog)), lines[0].elementsEqual("ogw-store 2".utf8),
            lines[1].starts(with: "id ".utf8),
            let id = Hex.decode([UInt8](lines[1].dropFirst(3))), id.count == 16
        {
            return Format(format: 2, id: id, hasLog: hasLog)
        }
        let line = String(decoding: found.prefix(64).prefix { $0 != Ascii.lineFeed }, as: UTF8.self)
        throw .unknownFormat(
            folder: path, reason: "FORMAT says \"\(line)\"; this program knows ogw-store 1 and \(format)")
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func randomID() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}

/// Why a folder cannot be used as a store.
public enum DataFolderError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another process holds its lock.
    case inUse(String)
    /// It holds something else, or a store of a format that this program does not know.
    case unknownFormat(folder: String, reason: String)
    /// What its blobs are is known elsewhere than the opener thinks: in the folder where `hasLog` is true.
    case otherMetadata(folder: String, hasLog: Bool)
    case system(SystemError)

    public var description: String {
        switch self {
        case .inUse(let folder): "the folder \(folder) is in use by another process (its LOCK is held)"
        case .unknownFormat(let folder, let reason): "the folder \(folder) cannot be used as a store: \(reason)"
        case .otherMetadata(let folder, let hasLog):
            hasLog
                ? "the folder \(folder) keeps its metadata itself"
                : "the folder \(folder) holds objects whose metadata is in MongoDB"
        case .system(let error): error.description
        }
    }
}
