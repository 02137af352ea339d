import Glibc
import LoadClient

// The harnesses behind scripts/crash. Each ends with a line `N passed, N failed`.
do {
    let words = CommandLine.arguments
    let arguments = try Arguments([String](words.dropFirst(2)))
    let name = words.dropFirst().first ?? ""
    let options = try Options(arguments)
    let tally = Tally(name, options)
    switch name {
    case "kill": try CrashHarness(crash: .kill, options: options).run(tally)
    case "power": try CrashHarness(crash: .power, options: options).run(tally)
    case "fault": try FaultHarness(options).run(tally)
    case "full": try FullHarness(options).run(tally)
    case "flip": try FlipHarness(options).run(tally)
    case "mutants": try MutantsHarness(options).run(tally)
    default: throw ClientError("expected kill, power, fault, full, flip or mutants")
    }
    exit(try tally.finish())
} catch {
    print("ogw-crash: \(error)")
    exit(1)
}
