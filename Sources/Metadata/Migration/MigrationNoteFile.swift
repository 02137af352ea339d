import Bytes
public import Files

/// The note of a migration into a data folder, `meta/migration`, and what such a folder holds besides.
public struct MigrationNoteFile: Sendable {
    private let folder: DataFolder
    private static let name = "migration"
    private static let head = [UInt8]("ogw-migration 1\n".utf8)

    public init(_ folder: DataFolder) { self.folder = folder }

    /// Nil where there is none.
    func read() throws -> MigrationNote? {
        guard let bytes = try folder.disk.contents(of: "\(folder.metadata)/\(Self.name)") else { return nil }
        guard bytes.starts(with: Self.head),
            let record = Hex.decode([UInt8](bytes.dropFirst(Self.head.count).prefix { $0 != Ascii.lineFeed }))
        else { throw MetadataError.broken("\(folder.metadata)/\(Self.name) is no note of a migration") }
        return try MigrationNote(record)
    }

    func write(_ note: MigrationNote) throws {
        try folder.disk.replace(
            Self.name, in: folder.metadata, with: Self.head + Hex.encode(note.encoded) + [Ascii.lineFeed])
    }

    /// Once the folder is in use. Blocks for the disk.
    public func remove() throws {
        try folder.disk.remove("\(folder.metadata)/\(Self.name)")
        try folder.disk.syncDirectory(folder.metadata)
    }

    /// What of a log and a database there is; nil where there is nothing.
    func contentOfFolder() throws -> String? {
        let segments = try folder.disk.names(in: folder.segments).first.map { "seg/\($0)" }
        // The index of a gateway's own is made anew.
        let databases = try databases().first { $0.hasPrefix("main.db") }.map { "meta/\($0)" }
        return try segments ?? databases ?? folder.disk.names(in: folder.bases).first.map { "base/\($0)" }
    }

    /// Removes what a migration wrote, but for its note.
    func clearFolder() throws {
        for name in try folder.disk.names(in: folder.segments) { try folder.disk.remove("\(folder.segments)/\(name)") }
        for name in try databases() { try folder.disk.remove("\(folder.metadata)/\(name)") }
        try folder.disk.syncDirectory(folder.segments)
        try folder.disk.syncDirectory(folder.metadata)
    }

    /// Gives log, database, index and bases a place in `quarantine/former-<n>/`, where nothing reads them, and makes empty folders in their
    /// stead. Returns that place below the data folder; nil where there was nothing. May be done again where it was cut short. Blocks for
    /// the disk.
    public func setFormerAside() throws -> String? {
        guard try contentOfFolder() != nil else { return nil }
        let disk = folder.disk
        let taken = Set(try disk.names(in: folder.quarantine))
        let number = (1...).first { !taken.contains("former-\($0)") } ?? 1
        let place = "\(folder.quarantine)/former-\(number)"
        try disk.makeDirectory(place)
        try disk.syncDirectory(folder.quarantine)
        for name in try databases() { try disk.rename("\(folder.metadata)/\(name)", to: "\(place)/\(name)") }
        try disk.syncDirectory(folder.metadata)
        for (path, name) in [(folder.bases, "base"), (folder.segments, "seg")] {
            try disk.rename(path, to: "\(place)/\(name)")
            try disk.makeDirectory(path)
        }
        try disk.syncDirectory(place)
        try disk.syncDirectory(folder.path)
        return "quarantine/former-\(number)"
    }

    private func databases() throws -> [String] {
        try folder.disk.names(in: folder.metadata).filter { $0.hasPrefix("main.db") || $0.hasPrefix("search.db") }
    }
}
