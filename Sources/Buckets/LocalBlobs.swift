import Bytes
public import Files
import Glibc
public import Metadata
import Synchronization
import Threads

/// One folder of immutable blob files, and the only user of that folder.
///
/// ```
/// FORMAT  LOCK  obj/<id >> 12, 8 or more hex digits>/<id, 16 hex digits>
/// ```
/// Ids ascend and are never reused: each opening begins with a directory above every one that ever held a file, which is
/// made and synced before its first id is given. All calls may block.
public final class LocalBlobs: Sendable {
    static let format = [UInt8]("ogw-store 1\n".utf8)

    public let root: String
    let configuration: BlobsConfiguration
    let pins: PinTable
    private let folderLock: FileLock
    private let ids: Lock<Ids>
    /// The first id of this opening. Files below it that no row names are orphans: nobody is about to publish them.
    private let firstID: UInt64
    private let space = Lock(SpaceCheck())
    private let directorySyncs = Atomic<UInt64>(0)

    private struct Ids {
        var next: UInt64
        /// Blocks below this have a durable directory.
        var blocksReady: UInt64
    }

    private struct SpaceCheck {
        var checked: ContinuousClock.Instant?
        var isEnough = true
    }

    private init(root: String, configuration: BlobsConfiguration, folderLock: FileLock, block: UInt64) {
        self.root = root
        self.configuration = configuration
        self.folderLock = folderLock
        pins = PinTable(blobsMax: configuration.pinnedBlobsMax)
        firstID = block << Self.blockBits
        ids = Lock(Ids(next: firstID, blocksReady: block + 1))
    }

    /// Opens the folder, or makes it; its parent must exist. Throws `folderInUse` while another opener lives, and
    /// `unknownFormat` for a folder that holds something else.
    public static func open(
        root: String, configuration: BlobsConfiguration = BlobsConfiguration()
    ) throws(BucketsError) -> LocalBlobs {
        do {
            if try LinuxDisk().makeDirectory(root) { try OpenFile.syncDirectory(root + "/..") }
            guard let folderLock = try FileLock.acquire(root + "/LOCK") else { throw BucketsError.folderInUse(root) }
            try checkFormat(of: root)
            let objects = root + "/obj"
            if try LinuxDisk().makeDirectory(objects) { try OpenFile.syncDirectory(root) }
            let blocks = try LinuxDisk().names(in: objects).compactMap(Self.block(named:))
            let block = (blocks.max() ?? 0) + 1
            guard block < Self.blockEnd else {
                throw BucketsError.unknownFormat(folder: root, reason: "the ids of blobs are used up")
            }
            let blobs = LocalBlobs(root: root, configuration: configuration, folderLock: folderLock, block: block)
            try blobs.makeDirectory(ofBlock: block)
            // Only now: the highest directory of all is what keeps ids from coming back.
            for old in blocks { try LinuxDisk().removeEmptyDirectory(blobs.directory(ofBlock: old)) }
            return blobs
        } catch let error as BucketsError {
            throw error
        } catch let error as SystemError {
            throw BucketsError(error)
        } catch {
            throw .damaged("\(error)")
        }
    }

    /// Gives the folder up to the next opener. Nothing may be written or removed through this object any more.
    public func close() { folderLock.release() }

    private static func checkFormat(of root: String) throws {
        if let found = try LinuxDisk().contents(of: root + "/FORMAT") {
            if found == format { return }
            throw BucketsError.unknownFormat(
                folder: root, reason: "FORMAT says \(String(decoding: found.prefix(64), as: UTF8.self))")
        }
        if try LinuxDisk().names(in: root).contains("obj") {
            throw BucketsError.unknownFormat(folder: root, reason: "FORMAT is missing beside obj")
        }
        try LinuxDisk().replace("FORMAT", in: root, with: format)
    }

    // MARK: Writing

    /// An unnamed file that vanishes with its last reference unless `name` gives it a name.
    func create() throws(BucketsError) -> OpenFile {
        let block = ids.withLock { ids in min(ids.blocksReady - 1, ids.next >> Self.blockBits) }
        do { return try OpenFile.unnamed(in: directory(ofBlock: block)) } catch { throw BucketsError(error) }
    }

    /// The next id, whose directory is durable.
    func newID() throws(BucketsError) -> BlobID {
        let (id, isReady) = ids.withLock { ids in
            let id = ids.next
            ids.next += 1
            return (id, id >> Self.blockBits < ids.blocksReady)
        }
        if !isReady {
            // Everyone who comes upon a new block before it is ready makes it; making it twice does no harm.
            let block = id >> Self.blockBits
            try makeDirectory(ofBlock: block)
            ids.withLock { $0.blocksReady = max($0.blocksReady, block + 1) }
        }
        return BlobID(id)
    }

    /// Names a synced file. The name is durable after `makeDurable`.
    func name(_ file: OpenFile, as id: BlobID) throws(BucketsError) {
        do { try file.link(as: path(of: id)) } catch { throw BucketsError(error) }
    }

    /// Gives the bytes of a blob a second id, for copies; the file system counts the names. Nil when the file has as many
    /// names as the file system allows.
    func link(existing: BlobID) throws(BucketsError) -> BlobID? {
        let id = try newID()
        do {
            try LinuxDisk().link(existing: path(of: existing), as: path(of: id))
            return id
        } catch {
            if error.isNotFound { throw .gone(existing) }
            if error.errno == EMLINK { return nil }
            throw BucketsError(error)
        }
    }

    /// Makes the content of a file durable. A full disk is the upload's failure, since its file is thrown away; any other
    /// error is fatal.
    func sync(_ file: OpenFile) throws(BucketsError) {
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

    private func makeDirectory(ofBlock block: UInt64) throws(BucketsError) {
        do { try LinuxDisk().makeDirectory(directory(ofBlock: block)) } catch { throw BucketsError(error) }
        try syncDirectory(root + "/obj")
    }

    private func syncDirectory(_ path: String) throws(BucketsError) {
        directorySyncs.add(1, ordering: .relaxed)
        let directory: OpenFile
        // Nothing is lost where a directory cannot be opened: what needed it fails, and may be tried again.
        do { directory = try OpenFile.openDirectory(path) } catch { throw BucketsError(error) }
        do { try directory.sync() } catch {
            configuration.onFatal(error)
            throw BucketsError(error)
        }
    }

    /// Syncs of directories since the opening, for metrics.
    public var directorySyncCount: UInt64 { directorySyncs.load(ordering: .relaxed) }

    /// Throws `diskFull` when less is free than the configured minimum. Looks at most every 200 ms.
    func checkSpace() throws(BucketsError) {
        let now = ContinuousClock.now
        let known = space.withLock { space -> Bool? in
            if let checked = space.checked, checked.duration(to: now) < .milliseconds(200) { return space.isEnough }
            space.checked = now
            return nil
        }
        let isEnough: Bool
        if let known {
            isEnough = known
        } else {
            do { isEnough = try LinuxDisk().space(at: root).free >= configuration.freeBytesMin } catch {
                throw BucketsError(error)
            }
            space.withLock { $0.isEnough = isEnough }
        }
        if !isEnough { throw .diskFull }
    }

    // MARK: Reading and removing

    /// Throws `gone` where the file was removed.
    public func open(_ id: BlobID) throws(BucketsError) -> OpenFile {
        do { return try OpenFile.open(path(of: id), flags: O_RDONLY) } catch {
            throw error.isNotFound ? .gone(id) : BucketsError(error)
        }
    }

    /// Removes a blob's file; one that is gone already is fine. Open files stay readable.
    public func remove(_ id: BlobID) throws(BucketsError) {
        do { try LinuxDisk().remove(path(of: id)) } catch { throw BucketsError(error) }
    }

    /// Files of earlier openings that no row names: left by a crash between naming and commit. Blobs of this opening are
    /// never among them.
    public func orphans(isKnown: (BlobID) async throws -> Bool) async throws -> [BlobID] {
        var orphans: [BlobID] = []
        let blocks = try LinuxDisk().names(in: root + "/obj").compactMap(Self.block(named:)).sorted()
        for block in blocks where block << Self.blockBits < firstID {
            let ids = try LinuxDisk().names(in: directory(ofBlock: block)).compactMap { name -> BlobID? in
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

    private static let blockBits: UInt64 = 12
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
