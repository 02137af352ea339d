import Files

/// The kinds of calls of a `Disk` and its files, for counting and failing them.
public enum DiskCall: Int, Sendable, CaseIterable {
    case open, unnamed, linkUnnamed, link, rename, remove, makeDirectory, removeDirectory, names, syncDirectory, space
    case write, read, size, truncate, reserve, syncData, beginWriteback, finishWriteback

    /// The system call that `LinuxDisk` names in its errors.
    func error(_ errno: Int32, path: String? = nil) -> SystemError {
        switch self {
        case .open: SystemError("open", errno: errno, path: path)
        case .unnamed: SystemError("open O_TMPFILE", errno: errno, path: path)
        case .linkUnnamed: SystemError("linkat", errno: errno, path: path)
        case .link: SystemError("link", errno: errno, path: path)
        case .rename: SystemError("rename", errno: errno, path: path)
        case .remove: SystemError("unlink", errno: errno, path: path)
        case .makeDirectory: SystemError("mkdir", errno: errno, path: path)
        case .removeDirectory: SystemError("rmdir", errno: errno, path: path)
        case .names: SystemError("opendir", errno: errno, path: path)
        case .syncDirectory: SystemError("fsync", errno: errno, path: path)
        case .space: SystemError("statvfs", errno: errno, path: path)
        case .write: SystemError("pwrite", errno: errno)
        case .read: SystemError("pread", errno: errno)
        case .size: SystemError("fstat", errno: errno)
        case .truncate: SystemError("ftruncate", errno: errno)
        case .reserve: SystemError("fallocate", errno: errno)
        case .syncData: SystemError("fdatasync", errno: errno)
        case .beginWriteback, .finishWriteback: SystemError("sync_file_range", errno: errno)
        }
    }
}
