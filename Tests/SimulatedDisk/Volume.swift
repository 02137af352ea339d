import Files
import Glibc

/// The state of a simulated file system: a value, so that a copy of it can live on under another fate.
///
/// Tables of files and directories, the changes of names that are not durable, and the rules for calls. Nothing here
/// depends on the order of a hash table.
struct Volume: Sendable {
    struct File: Sendable {
        var content = FileContent()
        var links = 0
        var opens = 0
        /// By changes of names that are not durable.
        var mentions = 0
        /// Whether it never had a name.
        var isUnnamed = false
    }

    struct Folder: Sendable {
        var directory = Directory()
        var links = 0
        var opens = 0
        var mentions = 0
    }

    static let root = 0
    static let directoryBytes = 4096

    var files: [File] = []
    var folders: [Folder] = [Folder(links: 1)]
    private var freeFiles: [Int] = []
    private var freeFolders: [Int] = []
    /// Oldest first.
    var changes: [NameChange] = []
    /// Handles of an earlier life of the system are dead.
    var generation = 0
    /// Bytes taken of the capacity.
    var used = directoryBytes

    var random: SplitMix64
    var trace: CallTrace
    /// Calls since the beginning.
    private(set) var time = 0

    private(set) var faults = DiskFaults()
    private(set) var calls = 0
    private(set) var callsByKind = [Int](repeating: 0, count: DiskCall.allCases.count)
    private var isOff = false

    init(seed: UInt64, traceLength: Int) {
        random = SplitMix64(seed: seed)
        trace = CallTrace(length: traceLength)
    }

    // MARK: Calls

    mutating func set(_ faults: DiskFaults) {
        self.faults = faults
        (calls, callsByKind) = (0, [Int](repeating: 0, count: DiskCall.allCases.count))
    }

    enum Failure {
        case fault(DiskFaults.Fault)
        case power
    }

    /// Counts a call, and says whether it is to fail.
    private mutating func admit(_ call: DiskCall) throws(SystemError) -> Failure? {
        if isOff { throw call.error(EIO) }
        time += 1
        calls += 1
        callsByKind[call.rawValue] += 1
        if faults.powerFailsAtCall == calls {
            isOff = true
            return .power
        }
        if faults.scheduled.isEmpty { return nil }
        for fault in faults.scheduled where fault.call == nil || fault.call == call {
            let number = fault.call == nil ? calls : callsByKind[call.rawValue]
            if number == fault.number || fault.isLasting && number > fault.number { return .fault(fault) }
        }
        return nil
    }

    /// Runs a call under the faults. `partly` is what one that fails does nevertheless; without it, one during which the
    /// power goes is done or not.
    mutating func perform<Result>(
        _ call: DiskCall, _ path: String? = nil, target: String? = nil, file: Int? = nil, offset: UInt64 = 0,
        count: UInt64 = 0, partly: ((inout Volume, Failure) -> Void)? = nil,
        _ body: (inout Volume) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let failure = try admit(call)
        trace.record(
            CallTrace.Entry(
                time: time, call: call, path: path, target: target, file: file, offset: offset, count: count))
        do throws(SystemError) {
            guard let failure else { return try body(&self) }
            if let partly {
                partly(&self, failure)
            } else if case .power = failure, random.chance(128) {
                _ = try body(&self)
            }
            if case .fault(let fault) = failure { throw call.error(fault.errno, path: path) }
            throw call.error(EIO, path: path)
        } catch {
            trace.lastFailed(error)
            throw error
        }
    }

    mutating func powerReturns() {
        (isOff, faults.powerFailsAtCall) = (false, nil)
        generation += 1
    }

    // MARK: Room

    var free: Int {
        guard let capacity = faults.capacity else { return .max }
        return max(0, Int(clamping: capacity) - used)
    }

    // MARK: Tables

    mutating func makeFile() -> Int {
        if let number = freeFiles.popLast() { return number }
        files.append(File())
        return files.count - 1
    }

    mutating func makeFolder() -> Int {
        if let number = freeFolders.popLast() { return number }
        folders.append(Folder())
        return folders.count - 1
    }

    mutating func adjust(_ node: Node, links: Int = 0, opens: Int = 0, mentions: Int = 0) {
        switch node {
        case .file(let number):
            let wasHeld = files[number].links + files[number].opens > 0
            files[number].links += links
            files[number].opens += opens
            files[number].mentions += mentions
            let isHeld = files[number].links + files[number].opens > 0
            if isHeld != wasHeld { used += (isHeld ? 1 : -1) * files[number].content.allocated }
            if !isHeld, files[number].mentions == 0 {
                files[number] = File()
                freeFiles.append(number)
            }
        case .directory(let number):
            let wasHeld = folders[number].links + folders[number].opens > 0
            folders[number].links += links
            folders[number].opens += opens
            folders[number].mentions += mentions
            let isHeld = folders[number].links + folders[number].opens > 0
            if isHeld != wasHeld { used += (isHeld ? 1 : -1) * Self.directoryBytes }
            if !isHeld, folders[number].mentions == 0 {
                folders[number] = Folder()
                freeFolders.append(number)
            }
        }
    }

    /// Every file and directory that no name leads to goes, as after a restart: no file is open.
    mutating func sweep() {
        for number in files.indices { (files[number].links, files[number].opens, files[number].mentions) = (0, 0, 0) }
        for number in folders.indices {
            (folders[number].links, folders[number].opens, folders[number].mentions) = (0, 0, 0)
        }
        folders[Self.root].links = 1
        var found = [Self.root]
        used = 0
        while let next = found.popLast() {
            used += Self.directoryBytes
            for (_, node) in folders[next].directory.entries {
                switch node {
                case .directory(let number):
                    folders[number].links += 1
                    found.append(number)
                case .file(let number):
                    if files[number].links == 0 { used += files[number].content.allocated }
                    files[number].links += 1
                }
            }
        }
        (freeFiles, freeFolders) = ([], [])
        for number in files.indices where files[number].links == 0 {
            files[number] = File()
            freeFiles.append(number)
        }
        for number in folders.indices where folders[number].links == 0 {
            folders[number] = Folder()
            freeFolders.append(number)
        }
    }
}
