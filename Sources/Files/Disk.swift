/// The file system below a data folder: everything that the store asks of it.
///
/// `LinuxDisk` is the kernel's. The simulator's keeps files in memory and loses, on purpose, what was not made durable.
/// Paths are absolute or relative to the process. All calls may block.
public protocol Disk: Sendable {
    /// Throws ENOENT where there is no such file, and EEXIST where `mode` says `createNew` and there is one.
    func open(_ path: String, _ mode: DiskOpenMode) throws(SystemError) -> any DiskFile
    /// A file without a name; it vanishes with its last reference unless `link(_:as:)` names it.
    func unnamed(in directory: String) throws(SystemError) -> any DiskFile
    /// Names a file that `unnamed` made. EEXIST where the name is taken.
    func link(_ file: any DiskFile, as path: String) throws(SystemError)
    /// Gives an existing file a second name. EMLINK when it has as many as the file system allows.
    func link(existing: String, as new: String) throws(SystemError)
    /// Replaces what `new` named, at once.
    func rename(_ old: String, to new: String) throws(SystemError)
    /// Removes a name. False where it was gone already.
    @discardableResult func remove(_ path: String) throws(SystemError) -> Bool
    /// Makes one directory. False where it exists already; its parent must exist.
    @discardableResult func makeDirectory(_ path: String) throws(SystemError) -> Bool
    /// Removes a directory if it is there and empty; returns whether it did.
    @discardableResult func removeEmptyDirectory(_ path: String) throws(SystemError) -> Bool
    /// The names in a directory without `.` and `..`, in no order.
    func names(in directory: String) throws(SystemError) -> [String]
    /// Makes the names in a directory durable. After an error nothing may be assumed durable.
    func syncDirectory(_ path: String) throws(SystemError)
    /// What the file system of `path` holds and has left for an unprivileged user, in bytes.
    func space(at path: String) throws(SystemError) -> DiskSpace
}

public enum DiskOpenMode: Sendable {
    case read
    /// Reads and writes a file that exists.
    case update
    /// Reads and writes; made empty when it is missing.
    case create
    /// As `create`, and EEXIST where the file exists.
    case createNew
}

public struct DiskSpace: Sendable, Equatable {
    public var total: UInt64
    public var free: UInt64

    public init(total: UInt64, free: UInt64) {
        self.total = total
        self.free = free
    }
}

/// An open file of a `Disk`, closed when its last reference goes. Safe for concurrent use; offsets and counts in bytes.
/// All calls may block.
public protocol DiskFile: AnyObject, Sendable {
    /// For sendfile(2); nil for a file that the kernel does not know.
    var kernelDescriptor: Int32? { get }
    /// Writes all of `bytes` at `offset`. Where it throws, any part of them may have been written.
    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(SystemError)
    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8]
    /// Fills `buffer` from `offset` on and returns the count of bytes read; fewer than its size only at the end of the file.
    func read(at offset: UInt64, into buffer: inout [UInt8]) throws(SystemError) -> Int
    func size() throws(SystemError) -> UInt64
    func truncate(to size: UInt64) throws(SystemError)
    /// Reserves room on the disk for the range beyond the file's end, whose size stays. A hint where the file system cannot.
    func reserve(at offset: UInt64, count: UInt64) throws(SystemError)
    /// Makes the content and size durable. After an error nothing may be assumed durable, and a second call may falsely
    /// succeed: the caller must not retry.
    func syncData() throws(SystemError)
    /// Begins to write dirty pages of the range, without waiting. The kernel reports a failed write once only, so that an error
    /// here is to be treated as one of `syncData`.
    func beginWriteback(at offset: UInt64, count: UInt64) throws(SystemError)
    /// Waits until the range's pages are written. This bounds dirty memory; it makes nothing durable. Errors as above.
    func finishWriteback(at offset: UInt64, count: UInt64) throws(SystemError)
    /// Lets the page cache forget the clean pages of the range. A hint.
    func dropCache(at offset: UInt64, count: UInt64)
}

extension Disk {
    /// Writes a small file so that after a crash either the former content or the new one is there, whole and durable.
    /// `directory` is the folder of the file.
    public func replace(_ name: String, in directory: String, with bytes: [UInt8]) throws(SystemError) {
        let (path, temporary) = (directory + "/" + name, directory + "/" + name + ".new")
        let file = try open(temporary, .create)
        try file.truncate(to: 0)
        try file.write(bytes.span, at: 0)
        try file.syncData()
        try rename(temporary, to: path)
        try syncDirectory(directory)
    }

    /// All bytes of a small file, at most `sizeMax` of them; nil where there is none.
    public func contents(of path: String, sizeMax: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        do {
            return try open(path, .read).read(at: 0, count: sizeMax)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
