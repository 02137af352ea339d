import Files
import Glibc

/// From paths to nodes. A relative path begins at the root; `..` is not served.
extension Volume {
    static let nameLengthMax = 255

    /// The directory and the name that a path ends with; the name is nil for the root.
    /// `concerned` is the path that errors name.
    func place(
        of path: String, _ call: DiskCall, concerned: String? = nil
    ) throws(SystemError) -> (directory: Int, name: FileName?) {
        let bytes = path.utf8.span
        let concerned = concerned ?? path
        if bytes.isEmpty { throw call.error(ENOENT, path: concerned) }
        var directory = Self.root
        var last: FileName?
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != slash { end += 1 }
            let isNothing = end == start || end == start + 1 && bytes[start] == dot
            if !isNothing {
                if let last { directory = try folder(last, in: directory, concerned, call) }
                if end == start + 2, bytes[start] == dot, bytes[start + 1] == dot {
                    throw call.error(EINVAL, path: concerned)
                }
                last = FileName(bytes.extracting(start..<end))
            }
            start = end + 1
        }
        return (directory, last)
    }

    /// As `place`, and nil where the directory is not there.
    func placeIfAny(
        of path: String, _ call: DiskCall
    ) throws(SystemError) -> (directory: Int, name: FileName?)? {
        do { return try place(of: path, call) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// What a name leads to, nil where there is none; of no name, the root.
    func find(
        _ name: FileName?, in directory: Int, _ path: String, _ call: DiskCall
    ) throws(SystemError) -> Node? {
        guard let name else { return .directory(Self.root) }
        if name.text.utf8.count > Self.nameLengthMax { throw call.error(ENAMETOOLONG, path: path) }
        return folders[directory].directory[name]
    }

    private func folder(
        _ name: FileName, in directory: Int, _ path: String, _ call: DiskCall
    ) throws(SystemError) -> Int {
        switch try find(name, in: directory, path, call) {
        case .directory(let number)?: return number
        case .file?: throw call.error(ENOTDIR, path: path)
        case nil: throw call.error(ENOENT, path: path)
        }
    }

    /// Nil where nothing has that name.
    func node(at path: String, _ call: DiskCall) throws(SystemError) -> Node? {
        let (directory, name) = try place(of: path, call)
        return try find(name, in: directory, path, call)
    }

    func folder(at path: String, _ call: DiskCall) throws(SystemError) -> Int {
        switch try node(at: path, call) {
        case .directory(let number)?: return number
        case .file?: throw call.error(ENOTDIR, path: path)
        case nil: throw call.error(ENOENT, path: path)
        }
    }

    /// The paths of all files, in an order that follows from the calls.
    func filePaths(below folder: Int = root, path: String = "") -> [(path: String, file: Int)] {
        folders[folder].directory.entries.flatMap { name, node in
            switch node {
            case .file(let number): [("\(path)/\(name.text)", number)]
            case .directory(let number): filePaths(below: number, path: "\(path)/\(name.text)")
            }
        }
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
