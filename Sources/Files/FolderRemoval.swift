import Glibc

/// Removes folders of temporary files.
public enum FolderRemoval {
    /// Folders below a folder, at most.
    private static let depthMax = 4

    /// Removes the folder with all files in it, as far as that can be done; symbolic links are removed, never followed. Blocks.
    public static func remove(_ path: String) {
        empty(path, depth: 0)
        _ = unsafe rmdir(path)
    }

    /// Removes what is in the folder.
    public static func empty(_ path: String) { empty(path, depth: 0) }

    private static func empty(_ path: String, depth: Int) {
        guard depth < depthMax, let names = try? LinuxDisk().names(in: path) else { return }
        for name in names {
            let inner = "\(path)/\(name)"
            // SAFETY: the path is lent for each call. A folder is not removed by unlink, a link to one is.
            if unsafe unlink(inner) == 0 { continue }
            empty(inner, depth: depth + 1)
            _ = unsafe rmdir(inner)
        }
    }
}
