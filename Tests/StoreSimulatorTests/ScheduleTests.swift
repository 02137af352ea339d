import StoreSimulator
import Testing

/// A slice of what `scripts/simulate` runs for long.
@Suite struct ScheduleTests {
    @Test(arguments: 0..<8) func `lives that end at any call leave what was acknowledged`(slice: UInt64) throws {
        for seed in slice * 100..<slice * 100 + 100 { try Schedule.run(seed: seed) }
    }

    @Test(arguments: Mutant.allCases) func `a store that is broken on purpose is noticed`(mutant: Mutant) {
        let noticed = (UInt64(0)..<2_000).contains { seed in
            do {
                try Schedule.run(seed: seed, mutant: mutant)
                return false
            } catch {
                return true
            }
        }
        #expect(noticed, "\(mutant.rawValue)")
    }
}
