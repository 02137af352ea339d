import Glibc

/// Runs a command line and returns its exit status and standard output.
func shell(_ command: String) -> (status: Int32, output: [UInt8]) {
    guard let pipe = unsafe popen(command, "re") else { return (-1, []) }
    var output: [UInt8] = []
    var space = [UInt8](repeating: 0, count: 65536)
    while true {
        let got = unsafe fread(&space, 1, space.count, pipe)
        if got == 0 { break }
        output += space[..<got]
    }
    return (unsafe pclose(pipe) >> 8 & 0xFF, output)
}

/// Calls `body` with a new folder and removes it afterwards.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = [CChar](("\(base)/ogw-engine-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw NoHead() }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { _ = shell("rm -rf '\(path)'") }
    try await body(path)
}
