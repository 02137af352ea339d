import Glibc

/// Names and folders of the file system. All calls may block.
public enum FileSystem {
    /// Makes one directory, for this user only. Returns false where it exists already; its parent must exist.
    /// The name is durable after `OpenFile.syncDirectory` of the parent.
    @discardableResult
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) -> Bool {
        if unsafe mkdir(path, mode) == 0 { return true }
        if errno == EEXIST { return false }
        throw SystemError("mkdir", path: path)
    }

    /// The names in a directory without `.` and `..`, in no order.
    public static func names(in path: String) throws(SystemError) -> [String] {
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
    public static func remove(_ path: String) throws(SystemError) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        if errno == ENOENT { return false }
        throw SystemError("unlink", path: path)
    }

    /// Removes a directory if it is there and empty; returns whether it did.
    @discardableResult
    public static func removeEmptyDirectory(_ path: String) throws(SystemError) -> Bool {
        if unsafe rmdir(path) == 0 { return true }
        if errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST { return false }
        throw SystemError("rmdir", path: path)
    }

    /// Gives an existing file a second name. EMLINK when it has as many as the file system allows.
    public static func link(_ existing: String, as new: String) throws(SystemError) {
        if unsafe Glibc.link(existing, new) != 0 { throw SystemError("link", path: existing) }
    }

    /// Writes a small file so that after a crash either the former content or the new one is there, whole and durable.
    /// `directory` is the folder of the file.
    public static func replace(_ name: String, in directory: String, with bytes: [UInt8]) throws(SystemError) {
        let (path, temporary) = (directory + "/" + name, directory + "/" + name + ".new")
        let file = try OpenFile.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes.span, at: 0)
        try file.syncData()
        if unsafe rename(temporary, path) != 0 { throw SystemError("rename", path: temporary) }
        try OpenFile.syncDirectory(directory)
    }

    /// All bytes of a small file, at most `sizeMax` of them; nil where there is none.
    public static func contents(of path: String, sizeMax: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        do {
            return try OpenFile.open(path, flags: O_RDONLY).read(at: 0, count: sizeMax)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// The bytes that an unprivileged user may still write on the file system of `path`.
    public static func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        if retryingInterrupts({ unsafe statvfs(path, &status) }) != 0 { throw SystemError("statvfs", path: path) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }
}
