import Files
import RedoLog
import SQLite
import SimulatedDisk
import Threads

@testable import Buckets
@testable import Metadata

/// The committer's core over a simulated disk: the real log, files of blobs, decisions, rows and recovery, without threads and
/// sockets. The database is the real SQLite in memory; what a power cut takes from it is the schedule's choice among `views`.
final class SimulatedStore {
    static let path = "/store"

    let segments: SegmentFiles
    let connection: Connection
    let writer: BatchWriter
    let blobs: LocalBlobs
    private let death: Lock<String?>

    /// The store as the process would open it. `view` is what the database still holds.
    static func open(_ disk: SimulatedFileSystem, view: Connection, mutant: Mutant?) throws -> SimulatedStore {
        let folder = try DataFolder.open(path, disk: disk, isLocked: false)
        let connection = try Connection.open(":memory:", mode: .readWrite)
        try view.copy(to: connection)
        let segments = SegmentFiles(disk: disk, directory: folder.segments, storeID: folder.id)
        var replay = Replay(connection: connection, files: segments)
        if mutant == .believesBrokenGroups { replay.checks.remove(.groups) }
        let state = try replay.run(from: try Rows(connection: connection).viewState())
        var configuration = SQLiteStoreConfiguration()
        configuration.log.segmentSizeMax = 6_000
        configuration.log.reserveBytes = 1_024
        // Both ways of making room ahead, in turns.
        configuration.log.zeroedBytes = 2_048
        configuration.log.smallGroupBytes = 700
        configuration.ballastBytes = 0
        let death: Lock<String?> = Lock(nil)
        configuration.onFatal = { reason in death.withLock { $0 = reason } }
        var blobsConfiguration = BlobsConfiguration()
        blobsConfiguration.freeBytesMin = 0
        blobsConfiguration.onFatal = { error in death.withLock { $0 = "\(error)" } }
        let blobs = try LocalBlobs.open(folder, configuration: blobsConfiguration)
        try blobs.skipIDs(through: state.lastBlob)
        let log = try LogWriter.begin(after: state.applied, files: segments, configuration: configuration.log)
        let writer = BatchWriter(
            connection: connection, log: log, state: state, configuration: configuration,
            catalog: Lock(try Catalog(reading: Rows(connection: connection))), cache: VersionCache(entryCountMax: 0),
            ballast: Ballast(disk: disk, path: folder.ballast, bytes: 0),
            openWriteAheadLog: { throw SystemError("open", errno: 2) }, barrier: { try blobs.makeDurable($0) })
        return SimulatedStore(
            segments: segments, connection: connection, writer: writer, blobs: blobs, death: death)
    }

    private init(
        segments: SegmentFiles, connection: Connection, writer: BatchWriter, blobs: LocalBlobs, death: Lock<String?>
    ) {
        (self.segments, self.connection, self.writer) = (segments, connection, writer)
        (self.blobs, self.death) = (blobs, death)
    }

    /// A file with these bytes under a name, as an upload leaves it before its commit.
    func makeFile(_ bytes: [UInt8]) throws -> NewBlob {
        let file = try blobs.create()
        try file.write(bytes.span, at: 0)
        try blobs.sync(file)
        let id = try blobs.newID(needsDirectory: true)
        try blobs.name(file, as: id)
        return NewBlob(id: id, size: UInt64(bytes.count), crc32c: nil, bytes: nil)
    }

    /// Removes the files that nothing names, as the sweeper does. What was removed is to be forgotten by a commit.
    func sweep() throws -> [BlobID] {
        let garbage = try Rows(connection: connection).garbage(limit: 100)
        for blob in garbage { try blobs.remove(blob) }
        try blobs.makeRemovalDurable(garbage)
        return garbage
    }

    /// Why the process would have ended.
    var deathReason: String? { death.withLock { $0 } }

    func snapshot() throws -> Connection {
        let copy = try Connection.open(":memory:", mode: .readWrite)
        try connection.copy(to: copy)
        return copy
    }

    /// An empty database.
    static func emptyView() throws -> Connection {
        let connection = try Connection.open(":memory:", mode: .readWrite)
        try connection.run(script: "PRAGMA page_size = 1024")
        try Schema.prepare(connection)
        return connection
    }
}

/// A store that is broken on purpose, which the schedules must notice.
public enum Mutant: String, Sendable, CaseIterable {
    /// The sync of the log is left out.
    case dropsSync = "drop-sync"
    /// Syncs of directories are left out.
    case dropsDirectorySync = "drop-directory-sync"
    /// A request is answered before its group is durable.
    case acknowledgesEarly = "acknowledge-early"
    /// Recovery takes records whose group is not whole.
    case believesBrokenGroups = "skip-group-check"
    /// Compaction removes segments that a database after a crash has yet to apply.
    case removesNeededSegments = "remove-needed-segments"
}
