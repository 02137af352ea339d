import Glibc
import LoadClient

/// What every harness is told.
struct Options: Sendable {
    var cycles: Int
    var seed: UInt64
    /// No new cycle begins after so many seconds.
    var seconds: Int
    /// The load of one cycle ends at a random time below this.
    var load_ms: Int
    /// Where data folders and images are made.
    var folder: String
    var program: String
    var preload: String?
    /// A broken store that `kill` or `power` are to run with.
    var mutant: Mutant?
    /// Where `flip` keeps each store in which it found something.
    var keep: String?
    /// A file for the results, as JUnit has them.
    var xunit: String?

    init(_ arguments: Arguments) throws(ClientError) {
        let known: Set = [
            "cycles", "seed", "seconds", "load-ms", "folder", "ogw", "preload", "mutant", "keep", "xunit",
        ]
        if let name = arguments.names.subtracting(known).first {
            throw ClientError("--\(name): expected one of \(known.sorted().joined(separator: ", "))")
        }
        let seconds = arguments.names.contains("seconds") ? try arguments.number("seconds") : nil
        cycles = try arguments.number("cycles", default: seconds == nil ? 25 : 1 << 30)
        seed = UInt64(try arguments.number("seed", default: Int.random(in: 1...1_000_000)))
        self.seconds = seconds ?? 1 << 30
        load_ms = try arguments.number("load-ms", default: 1000)
        folder = try arguments.text("folder")
        program = try arguments.text("ogw")
        preload = try arguments.text("preload", default: "")
        if preload == "" { preload = nil }
        let name = try arguments.text("mutant", default: "")
        mutant = try name.isEmpty ? nil : Mutant.named(name)
        keep = try arguments.text("keep", default: "")
        if keep == "" { keep = nil }
        xunit = try arguments.text("xunit", default: "")
        if xunit == "" { xunit = nil }
    }
}
