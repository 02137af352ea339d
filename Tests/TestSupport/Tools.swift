import Glibc

/// The path of a program that tests run: looked up in `OGW_TEST_TOOLS` (a folder), then in .tools/venv/bin, then on PATH.
public func tool(_ name: String) throws -> String {
    let folders =
        [variable("OGW_TEST_TOOLS"), ".tools/venv/bin"].compactMap { $0 }
        + (variable("PATH") ?? "").split(separator: ":").map(String.init)
    for folder in folders where unsafe access("\(folder)/\(name)", X_OK) == 0 {
        // What runs it may be in another folder.
        return folder.hasPrefix("/") ? "\(folder)/\(name)" : "\(try currentFolder())/\(folder)/\(name)"
    }
    throw TestSupportError("the program `\(name)` is missing: `make tools` installs all of them")
}

private func currentFolder() throws -> String {
    // SAFETY: with null, getcwd allocates the text, which is copied and freed here.
    guard let path = unsafe getcwd(nil, 0) else { throw TestSupportError("no current folder: errno \(errno)") }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
}
