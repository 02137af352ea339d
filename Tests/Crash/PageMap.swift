import SQLite
import TestSupport

/// Which table or index each page of a database holds, so that a finding says what was damaged.
struct PageMap {
    static let pageSize = 4096
    private var names: [Int: String] = [:]

    /// Reads a copy of the file, which it leaves in `folder`.
    init(of path: String, in folder: String) throws {
        let copy = "\(folder)/pages.db"
        try Shell.run("cp", path, copy)
        let connection = try Connection.open(copy, mode: .queryOnly)
        try connection.with("SELECT pageno, name, pagetype FROM dbstat") { (row) throws(SQLiteError) in
            while try row.step() { names[Int(row.int64(0))] = "\(row.text(1)), \(row.text(2))" }
        }
    }

    /// For a sentence. A page without a name is free.
    func describe(offset: Int) -> String {
        let page = offset / Self.pageSize + 1
        return "page \(page) (\(names[page] ?? "free")) byte \(offset % Self.pageSize)"
    }
}
