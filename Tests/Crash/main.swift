import Glibc
import LoadClient

// The harnesses behind scripts/crash. Each ends with a line `N passed, N failed`.
do {
    let words = CommandLine.arguments
    let arguments = try Arguments([String](words.dropFirst(2)))
    let name = words.dropFirst().first ?? ""
    let status: Int32
    switch name {
    case "kill", "power":
        let options = try Options(arguments, cycles: 25)
        let tally = Tally(name, options)
        try CrashHarness(crash: name == "kill" ? .kill : .power, options: options).run(tally)
        status = try tally.finish()
    default: throw ClientError("expected kill, power, fault, full, flip or mutants")
    }
    exit(status)
} catch {
    print("ogw-crash: \(error)")
    exit(1)
}
