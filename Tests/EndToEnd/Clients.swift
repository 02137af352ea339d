/// The scripts beside this file.
enum Clients {
    static func path(_ name: String, beside file: String = #filePath) -> String {
        file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/Clients/\(name)"
    }
}
