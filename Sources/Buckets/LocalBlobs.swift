import Bytes
public import Files
import Glibc
public import Metadata
import Synchronization
import Threads

/// The immutable blob files of a data folder: `obj/<id >> 12, 8 or more hex digits>/<id, 16 hex digits>`.
///
/// Ids ascend and are never reused: each opening begins with a directory above every one that ever held a file, which is
/// made and synced before its first id is given. All calls may block.
public final class LocalBlobs: Sendable {
    public let root: String
    let configuration: BlobsConfiguration
    let disk: any Disk
    /// What uploads hold in memory.
    let memory: MemoryBudget
    let verified: VerifiedBlobs
    public let damage = DamageReports()
    /// Of the store.
    let storeID: [UInt8]
    let pins: PinTable
    private let ids: Lock<Ids>
    /// The first id of this opening. Files below it that no row names are orphans: nobody is about to publish them.
    private let firstID: UInt64
    private let space = Lock(SpaceCheck())
    private let directorySyncs = Atomic<UInt64>(0)

    private struct Ids {
        var next: UInt64
        /// The block below this has a durable directory, and so has every block below it that files were named in.
        var blocksReady: UInt64
    }

    private struct SpaceCheck {
        var checked: ContinuousClock.Instant?
        var isEnough = true
    }

    private init(folder: DataFolder, configuration: BlobsConfiguration, block: UInt64) {
        root = folder.path
        (disk, storeID) = (folder.disk, folder.id)
        self.configuration = configuration
        memory = MemoryBudget(bytesMax: configuration.collectedBytesTotalMax)
        verified = VerifiedBlobs(countMax: configuration.verifiedBlobsMax, lifetime: configuration.verifiedFor)
        pins = PinTable(blobsMax: configuration.pinnedBlobsMax)
        firstID = block << Self.blockBits
        ids = Lock(Ids(next: firstID, blocksReady: block + 1))
    }

    /// Ids begin above every file that is there.
    public static func open(
        _ folder: DataFolder, configuration: BlobsConfiguration = BlobsConfiguration()
    ) throws(BucketsError) -> LocalBlobs {
        do {
            let blocks = try folder.disk.names(in: folder.objects).compactMap(Self.block(named:))
            let block = (blocks.max() ?? 0) + 1
            guard block < Self.blockEnd else { throw BucketsError.damaged("the ids of blobs are used up") }
            let blobs = LocalBlobs(folder: folder, configuration: configuration, block: block)
            try blobs.makeDirectory(ofBlock: block)
            // Only now: the highest directory of all is what keeps ids from coming back.
            for old in blocks { try folder.disk.removeEmptyDirectory(blobs.directory(ofBlock: old)) }
            return blobs
        } catch let error as BucketsError {
            throw error
        } catch let error as SystemError {
            throw BucketsError(error)
        } catch {
            throw .damaged("\(error)")
        }
    }

    /// Ids given from now on are above `last`, the highest that a committed change ever named: blobs in the log leave no file
    /// that would say so. Before anything is staged.
    public func skipIDs(through last: BlobID) throws(BucketsError) {
        let block = (last.value >> Self.blockBits) + 1
        guard block < Self.blockEnd else { throw .damaged("the ids of blobs are used up") }
        guard ids.withLock({ block << Self.blockBits > $0.next }) else { return }
        try makeDirectory(ofBlock: block)
        ids.withLock { ids in
            ids.next = max(ids.next, block << Self.blockBits)
            ids.blocksReady = max(ids.blocksReady, block + 1)
        }
    }

    // MARK: Writing

    /// An unnamed file that vanishes with its last reference unless `name` gives it a name.
    func create() throws(BucketsError) -> any DiskFile {
        let block = ids.withLock { $0.blocksReady - 1 }
        do { return try disk.unnamed(in: directory(ofBlock: block)) } catch { throw BucketsError(error) }
    }

    /// The next id. With `needsDirectory` the directory of its file is durable.
    func newID(needsDirectory: Bool) throws(BucketsError) -> BlobID {
        let (id, isReady) = ids.withLock { ids in
            let id = ids.next
            ids.next += 1
            return (id, id >> Self.blockBits < ids.blocksReady)
        }
        if needsDirectory, !isReady {
            // Everyone who comes upon a new block before it is ready makes it; making it twice does no harm.
            let block = id >> Self.blockBits
            try makeDirectory(ofBlock: block)
            ids.withLock { $0.blocksReady = max($0.blocksReady, block + 1) }
        }
        return BlobID(id)
    }

    /// Names a synced file. The name is durable after `makeDurable`.
    func name(_ file: any DiskFile, as id: BlobID) throws(BucketsError) {
        do { try disk.link(file, as: path(of: id)) } catch { throw BucketsError(error) }
    }

    /// Gives the bytes of a blob a second id, for copies; the file system counts the names. Nil when the file has as many
    /// names as the file system allows.
    func link(existing: BlobID) throws(BucketsError) -> BlobID? {
        let id = try newID(needsDirectory: true)
        do {
            try disk.link(existing: path(of: existing), as: path(of: id))
            return id
        } catch {
            if error.isNotFound { throw .gone(existing) }
            if error.errno == EMLINK { return nil }
            throw BucketsError(error)
        }
    }

    /// Makes the content of a file durable. A full disk is the upload's failure, since its file is thrown away; any other
    /// error is fatal.
    func sync(_ file: any DiskFile) throws(BucketsError) {
        do { try file.syncData() } catch { throw fatalUnlessFull(error) }
    }

    func fatalUnlessFull(_ error: SystemError) -> BucketsError {
        if !error.isDiskFull { configuration.onFatal(error) }
        return BucketsError(error)
    }

    /// The barrier before a commit: makes the names of these blobs durable, with one sync per directory.
    public func makeDurable(_ blobs: [BlobID]) throws {
        for block in Self.blocks(of: blobs) { try syncDirectory(directory(ofBlock: block)) }
    }

    /// Makes it durable that these blobs have no names any more. A directory that is gone holds none.
    func makeRemovalDurable(_ blobs: [BlobID]) throws(BucketsError) {
        for block in Self.blocks(of: blobs) {
            do { try syncDirectory(directory(ofBlock: block)) } catch {
                if case .system(let error) = error, error.isNotFound { continue }
                throw error
            }
        }
    }

    private static func blocks(of blobs: [BlobID]) -> Set<UInt64> { Set(blobs.map { $0.value >> blockBits }) }

    /// Durable.
    func makeDirectory(ofBlock block: UInt64) throws(BucketsError) {
        do { try disk.makeDirectory(directory(ofBlock: block)) } catch { throw BucketsError(error) }
        try syncDirectory(root + "/obj")
    }

    private func syncDirectory(_ path: String) throws(BucketsError) {
        directorySyncs.add(1, ordering: .relaxed)
        do { try disk.syncDirectory(path) } catch {
            // Nothing is lost where a directory cannot be opened: what needed it fails, and may be tried again.
            if !Self.errorsOfOpening.contains(error.errno) { configuration.onFatal(error) }
            throw BucketsError(error)
        }
    }

    /// Those that a sync never gives.
    private static let errorsOfOpening: Set<Int32> = [ENOENT, ENOTDIR, EACCES, EMFILE, ENFILE, ENOMEM]

    /// Syncs of directories since the opening, for metrics.
    public var directorySyncCount: UInt64 { directorySyncs.load(ordering: .relaxed) }

    /// Whether as much is free as configured, so that content may be written. Looks at most every 200 ms.
    public func hasRoom() throws(BucketsError) -> Bool {
        let now = ContinuousClock.now
        let known = space.withLock { space -> Bool? in
            if let checked = space.checked, checked.duration(to: now) < .milliseconds(200) { return space.isEnough }
            space.checked = now
            return nil
        }
        if let known { return known }
        let found: DiskSpace
        do { found = try disk.space(at: root) } catch { throw BucketsError(error) }
        let isEnough = found.free >= configuration.freeBytesMin ?? min(256 << 20, found.total / 20)
        space.withLock { $0.isEnough = isEnough }
        return isEnough
    }

    // MARK: Reading and removing

    /// Throws `gone` where the file was removed.
    public func open(_ id: BlobID) throws(BucketsError) -> any DiskFile {
        do { return try disk.open(path(of: id), .read) } catch {
            throw error.isNotFound ? .gone(id) : BucketsError(error)
        }
    }

    /// Removes a blob's file; one that is gone already is fine. Open files stay readable.
    public func remove(_ id: BlobID) throws(BucketsError) {
        verified.remove(id)
        do { try disk.remove(path(of: id)) } catch { throw BucketsError(error) }
    }

    /// Files of earlier openings that no row names: left by a crash between naming and commit. Blobs of this opening are
    /// never among them.
    public func orphans(isKnown: (BlobID) async throws -> Bool) async throws -> [BlobID] {
        var orphans: [BlobID] = []
        let blocks = try disk.names(in: root + "/obj").compactMap(Self.block(named:)).sorted()
        for block in blocks where block << Self.blockBits < firstID {
            let ids = try disk.names(in: directory(ofBlock: block)).compactMap { name -> BlobID? in
                guard name.utf8.count == 16, let id = Self.number(name), id >> Self.blockBits == block else {
                    return nil
                }
                return BlobID(id)
            }
            for id in ids.sorted() where try await !isKnown(id) { orphans.append(id) }
        }
        return orphans
    }

    // MARK: Names

    static let blockBits: UInt64 = 12
    /// Blocks are below this, so that their ids fit.
    private static let blockEnd: UInt64 = 1 << (64 - blockBits)

    private func directory(ofBlock block: UInt64) -> String {
        let digits = max(8, (64 - block.leadingZeroBitCount + 3) / 4)
        return "\(root)/obj/\(String(decoding: Hex.encode(block, width: digits), as: UTF8.self))"
    }

    func path(of id: BlobID) -> String {
        let name = String(decoding: Hex.encode(id.value, width: 16), as: UTF8.self)
        return "\(directory(ofBlock: id.value >> Self.blockBits))/\(name)"
    }

    private static func block(named name: String) -> UInt64? {
        guard name.utf8.count >= 8, let block = number(name), block < blockEnd else { return nil }
        return block
    }

    /// Lower-case hexadecimal digits, at most 16.
    private static func number(_ name: String) -> UInt64? {
        guard name.utf8.count <= 16, name.utf8.allSatisfy({ Ascii.isDigit($0) || (0x61...0x66).contains($0) }) else {
            return nil
        }
        return UInt64(name, radix: 16)
    }
}
