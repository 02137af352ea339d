import Glibc

/// The kernel's file systems.
public struct LinuxDisk: Disk {
    public init() {}

    public func open(_ path: String, _ mode: DiskOpenMode) throws(SystemError) -> any DiskFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        return try OpenFile.open(path, flags: flags)
    }

    public func unnamed(in directory: String) throws(SystemError) -> any DiskFile {
        try OpenFile.unnamed(in: directory)
    }

    public func link(_ file: any DiskFile, as path: String) throws(SystemError) {
        guard let file = file as? OpenFile else { throw SystemError("linkat", errno: EXDEV, path: path) }
        try file.link(as: path)
    }

    public func syncDirectory(_ path: String) throws(SystemError) { try OpenFile.syncDirectory(path) }

    /// Makes one directory, for this user only. Returns false where it exists already; its parent must exist.
    /// The name is durable after `syncDirectory` of the parent.
    @discardableResult
    public func makeDirectory(_ path: String) throws(SystemError) -> Bool {
        if unsafe mkdir(path, 0o700) == 0 { return true }
        if errno == EEXIST { return false }
        throw SystemError("mkdir", path: path)
    }

    /// The names in a directory without `.` and `..`, in no order.
    public func names(in path: String) throws(SystemError) -> [String] {
        // SAFETY: the stream is closed on every way out, and an entry is read before the next call replaces it.
        guard let stream = unsafe opendir(path) else { throw SystemError("opendir", path: path) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw SystemError("readdir", path: path) }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Removes a name. The bytes go when no other name and no open file holds them. Returns false where it was gone already.
    @discardableResult
    public func remove(_ path: String) throws(SystemError) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        if errno == ENOENT { return false }
        throw SystemError("unlink", path: path)
    }

    /// Removes a directory if it is there and empty; returns whether it did.
    @discardableResult
    public func removeEmptyDirectory(_ path: String) throws(SystemError) -> Bool {
        if unsafe rmdir(path) == 0 { return true }
        if errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST { return false }
        throw SystemError("rmdir", path: path)
    }

    /// Gives an existing file a second name. EMLINK when it has as many as the file system allows.
    public func link(existing: String, as new: String) throws(SystemError) {
        if unsafe Glibc.link(existing, new) != 0 { throw SystemError("link", path: existing) }
    }

    /// Replaces what `new` named, at once.
    public func rename(_ old: String, to new: String) throws(SystemError) {
        if unsafe Glibc.rename(old, new) != 0 { throw SystemError("rename", path: old) }
    }

    /// What the file system of `path` holds, and what an unprivileged user may still write on it, in bytes.
    public func space(at path: String) throws(SystemError) -> DiskSpace {
        var status = statvfs()
        if retryingInterrupts({ unsafe statvfs(path, &status) }) != 0 { throw SystemError("statvfs", path: path) }
        func bytes(_ blocks: UInt) -> UInt64 {
            let (bytes, overflow) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
            return overflow ? .max : bytes
        }
        return DiskSpace(total: bytes(status.f_blocks), free: bytes(status.f_bavail))
    }
}
