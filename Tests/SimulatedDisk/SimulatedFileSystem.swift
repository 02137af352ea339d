public import Files
import Glibc
import Threads

/// A POSIX file system in memory that keeps what was synced, and loses what chance wants of the rest at a power cut.
///
/// The rules are those that POSIX gives, not the kinder ones of ext4:
/// - a sector of 512 bytes is whole: at a cut it becomes one of the contents that it had since the last sync of its file,
///   whatever becomes of its neighbours. The size becomes one of those that it had; sizes without data show zeros;
/// - a change of a name is kept or lost by itself, after the earlier ones of that name; a rename is one change;
/// - a sync of a file makes its data and size durable, not its name; one of a directory makes its names durable, and of
///   renames that cross into it both ends.
///
/// The same seed and calls give the same outcome. One object lives through many cuts. Safe for concurrent use, and then
/// the outcome follows from the order of the calls.
public final class SimulatedFileSystem: Disk, CustomStringConvertible {
    public let seed: UInt64
    /// How a report names the seeds that led here.
    private let seeds: String
    private let volume: Lock<Volume>

    /// Empty but for its root. `traceLength` is how many calls `description` shows.
    public init(seed: UInt64, faults: DiskFaults = DiskFaults(), traceLength: Int = 64) {
        var volume = Volume(seed: seed, traceLength: traceLength)
        volume.set(faults)
        (self.seed, seeds) = (seed, "\(seed)")
        self.volume = Lock(volume)
    }

    private init(seed: UInt64, seeds: String, volume: consuming sending Volume) {
        (self.seed, self.seeds) = (seed, seeds)
        self.volume = Lock(volume)
    }

    // MARK: Fate

    /// Setting them counts calls anew.
    public var faults: DiskFaults {
        get { volume.withLock { $0.faults } }
        set { volume.withLock { $0.set(newValue) } }
    }

    /// Since the faults were set, those that failed included.
    public var callCount: Int { volume.withLock { $0.calls } }

    public func callCount(of call: DiskCall) -> Int { volume.withLock { $0.callsByKind[call.rawValue] } }

    /// What survives is from now on what is there, and durable. Files that were open fail with EIO.
    public func powerCut() { volume.withLock { $0.powerCut() } }

    /// What the disk would hold after a power cut now, under another seed. This file system goes on. Its faults but for one of
    /// the power are the copy's too.
    public func copyAfterPowerCut(seed: UInt64) -> SimulatedFileSystem {
        var copy = volume.withLock { $0 }
        copy.random = SplitMix64(seed: seed)
        copy.powerCut()
        return SimulatedFileSystem(seed: seed, seeds: "\(seeds), and \(seed) of a copy", volume: copy)
    }

    /// Closes all files, as when the process is killed. Nothing becomes durable, and nothing is lost but unnamed files.
    public func killProcess() { volume.withLock { $0.killProcess() } }

    /// Flips one bit (0...7) of a byte that is durable. False where there is none, or where the system holds another content
    /// of its sector in memory.
    public func flipBit(_ bit: Int, of path: String, at offset: UInt64) -> Bool {
        volume.withLock { volume in
            guard let node = try? volume.node(at: path, .open), case .file(let file) = node else { return false }
            return volume.flipBit(bit, of: file, at: Int(clamping: offset))
        }
    }

    /// Flips a bit drawn from the seed, of a file whose path `isWanted` accepts.
    public func flipRandomBit(where isWanted: (String) -> Bool = { _ in true }) -> FlippedBit? {
        volume.withLock { volume in
            let files = volume.filePaths().filter { isWanted($0.path) && volume.files[$0.file].content.durableSize > 0 }
            // Most tries succeed at once; none may where all is in memory.
            for _ in 0..<64 where !files.isEmpty {
                let (path, file) = files[volume.random.below(files.count)]
                let offset = volume.random.below(volume.files[file].content.durableSize)
                let bit = volume.random.below(8)
                if volume.flipBit(bit, of: file, at: offset) {
                    return FlippedBit(path: path, offset: UInt64(offset), bit: bit)
                }
            }
            return nil
        }
    }

    /// The seed and the last calls, oldest first, for the report of a test that failed.
    public var description: String {
        let lines = volume.withLock { $0.trace.lines }
        return (["simulated file system, seed \(seeds), last calls:"] + lines).joined(separator: "\n  ")
    }

    // MARK: Disk

    public func open(_ path: String, _ mode: DiskOpenMode) throws(SystemError) -> any DiskFile {
        let isWritable = if case .read = mode { false } else { true }
        let (node, generation) = try volume.withLock { (volume) throws(SystemError) in
            let node = try volume.perform(.open, path) { (volume) throws(SystemError) in try volume.open(path, mode) }
            return (node, volume.generation)
        }
        return SimulatedFile(of: self, node, generation: generation, isWritable: isWritable)
    }

    public func unnamed(in directory: String) throws(SystemError) -> any DiskFile {
        let (node, generation) = try volume.withLock { (volume) throws(SystemError) in
            let node = try volume.perform(.unnamed, directory) { (volume) throws(SystemError) in
                try volume.unnamed(in: directory)
            }
            return (node, volume.generation)
        }
        return SimulatedFile(of: self, node, generation: generation, isWritable: true)
    }

    public func link(_ file: any DiskFile, as path: String) throws(SystemError) {
        guard let file = file as? SimulatedFile, file.fileSystem === self else {
            throw DiskCall.linkUnnamed.error(EXDEV, path: path)
        }
        try with(file, .linkUnnamed, path) { (volume) throws(SystemError) in
            try volume.link(file.node, as: path, .linkUnnamed, concerned: path)
        }
    }

    public func link(existing: String, as new: String) throws(SystemError) {
        try perform(.link, existing, target: new) { (volume) throws(SystemError) in
            try volume.link(existing: existing, as: new)
        }
    }

    public func rename(_ old: String, to new: String) throws(SystemError) {
        try perform(.rename, old, target: new) { (volume) throws(SystemError) in try volume.rename(old, to: new) }
    }

    @discardableResult
    public func remove(_ path: String) throws(SystemError) -> Bool {
        try perform(.remove, path) { (volume) throws(SystemError) in try volume.remove(path) }
    }

    @discardableResult
    public func makeDirectory(_ path: String) throws(SystemError) -> Bool {
        try perform(.makeDirectory, path) { (volume) throws(SystemError) in try volume.makeDirectory(path) }
    }

    @discardableResult
    public func removeEmptyDirectory(_ path: String) throws(SystemError) -> Bool {
        try perform(.removeDirectory, path) { (volume) throws(SystemError) in try volume.removeEmptyDirectory(path) }
    }

    public func names(in directory: String) throws(SystemError) -> [String] {
        try perform(.names, directory) { (volume) throws(SystemError) in try volume.names(in: directory) }
    }

    public func syncDirectory(_ path: String) throws(SystemError) {
        try volume.withLock { (volume) throws(SystemError) in
            try volume.perform(
                .syncDirectory, path,
                partly: { volume, failure in
                    guard case .fault = failure, let directory = try? volume.folder(at: path, .open) else { return }
                    volume.failSyncDirectory(directory)
                }
            ) { (volume) throws(SystemError) in volume.syncDirectory(try volume.folder(at: path, .open)) }
        }
    }

    public func space(at path: String) throws(SystemError) -> DiskSpace {
        try perform(.space, path) { (volume) throws(SystemError) in
            if try volume.node(at: path, .space) == nil { throw DiskCall.space.error(ENOENT, path: path) }
            let total = volume.faults.capacity ?? 1 << 40
            return DiskSpace(total: total, free: total - min(total, UInt64(volume.used)))
        }
    }

    private func perform<Result: Sendable>(
        _ call: DiskCall, _ path: String, target: String? = nil, _ body: (inout Volume) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try volume.withLock { (volume) throws(SystemError) in
            try volume.perform(call, path, target: target, body)
        }
    }
}

/// Where a bit was flipped.
public struct FlippedBit: Sendable, Equatable {
    public var path: String
    public var offset: UInt64
    public var bit: Int
}

extension SimulatedFileSystem {
    /// A call on an open file, EIO for one from before a cut. `partly` as in `Volume.perform`.
    func with<Result: Sendable>(
        _ file: SimulatedFile, _ call: DiskCall, _ path: String? = nil, offset: UInt64 = 0, count: UInt64 = 0,
        partly: ((inout Volume, Volume.Failure) -> Void)? = nil, _ body: (inout Volume) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try volume.withLock { (volume) throws(SystemError) in
            if file.generation != volume.generation { throw call.error(EIO, path: path) }
            return try volume.perform(
                call, path, file: file.inode, offset: offset, count: count, partly: partly, body)
        }
    }

    /// A call that is neither counted nor fails.
    func quietly(_ file: SimulatedFile, _ body: (inout Volume) -> Void) {
        volume.withLock { volume in if file.generation == volume.generation { body(&volume) } }
    }
}
