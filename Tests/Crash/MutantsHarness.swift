/// Runs a harness over each store that is broken on purpose. One that is not caught fails: then the harness proves nothing.
struct MutantsHarness {
    let options: Options

    init(_ options: Options) { self.options = options }

    func run(_ tally: Tally) throws {
        for mutant in Mutant.all where tally.hasTime {
            var options = options
            options.mutant = mutant
            options.cycles = mutant.cyclesMax
            options.xunit = nil
            let inner = Tally("\(mutant.harness) with \(mutant.name)", options)
            let crash: CrashHarness.Crash = mutant.harness == "kill" ? .kill : .power
            try CrashHarness(crash: crash, options: options, stopsAtFailure: true).run(inner)
            if inner.isSkipped { return tally.skip("\(mutant.harness) cannot run here") }
            let cycles = inner.passed + inner.failed
            tally.count(
                mutant.name, inner.failed > 0 ? [] : ["not caught in \(cycles) cycles"],
                note: inner.failed > 0 ? "caught in cycle \(cycles)" : "")
        }
    }
}
