import Glibc

/// Ends the measurement with one sentence.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A system call that failed just now.
    static func system(_ call: String) -> BenchError { BenchError("\(call) failed with errno \(errno)") }
}
