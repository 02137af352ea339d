import Glibc
import StoreSimulator

/// Runs seeded schedules one after another, and says which seed failed.
///
/// `ogw-sim FIRST COUNT [MUTANT]`: with a mutant it succeeds when one of the schedules notices it.
@main
enum SimulatorProgramme {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        let numbers = words.prefix(2).compactMap { UInt64($0) }
        let mutantName = words.dropFirst(2).first
        let mutant = mutantName.flatMap { Mutant(rawValue: $0) }
        guard numbers.count == 2, words.count <= 3, (mutantName == nil) == (mutant == nil) else {
            let names = Mutant.allCases.map(\.rawValue).joined(separator: ", ")
            print("usage: ogw-sim FIRST-SEED COUNT [MUTANT], a mutant being one of \(names)")
            exit(2)
        }
        let (first, count) = (numbers[0], numbers[1])
        for offset in 0..<count {
            do {
                try Schedule.run(seed: first &+ offset, mutant: mutant)
            } catch {
                if let mutant {
                    print("\(mutant.rawValue) is caught by schedule \(offset + 1)")
                    exit(0)
                }
                print("\(error)")
                print("\(offset) passed, 1 failed")
                exit(1)
            }
            if (offset + 1) % 10_000 == 0 { print("\(offset + 1) schedules") }
        }
        if let mutant {
            print("\(mutant.rawValue) is not noticed by \(count) schedules")
            exit(1)
        }
        print("\(count) passed, 0 failed")
    }
}
