extension Volume {
    /// Keeps, of what is not durable, what chance wants; that is then durable. Handles die.
    mutating func powerCut() {
        let oldest = files.lazy.compactMap(\.content.oldestTime).min() ?? time
        let moments = min(oldest, changes.first?.time ?? time)...time
        let general = Survival.draw(&random, moments: moments)
        let ofNames = random.chance(128) ? general : Survival.draw(&random, moments: moments)
        undoChanges(ofNames)
        // Files without a name are gone before their content is looked at.
        sweep()
        for number in files.indices where files[number].content.isPending {
            let survival = random.chance(192) ? general : Survival.draw(&random, moments: moments)
            let before = files[number].content.allocated
            files[number].content.cut(survival, &random)
            used += files[number].content.allocated - before
        }
        powerReturns()
        trace.record(CallTrace.Entry(time: time, call: .space, event: "power cut"))
    }

    /// The process ends and the system lives on: files close, nothing else changes.
    mutating func killProcess() {
        for number in files.indices where files[number].opens > 0 {
            adjust(.file(number), opens: -files[number].opens)
        }
        for number in folders.indices where folders[number].opens > 0 {
            adjust(.directory(number), opens: -folders[number].opens)
        }
        powerReturns()
        trace.record(CallTrace.Entry(time: time, call: .space, event: "process killed"))
    }

    private mutating func undoChanges(_ survival: Survival) {
        var broken: Set<NameChange.Place> = []
        var undone: [NameChange] = []
        for change in changes {
            let stands = change.halves.allSatisfy { !broken.contains($0.place) }
            if stands, survival.survives(change.time, &random) { continue }
            broken.formUnion(change.halves.map(\.place))
            undone.append(change)
        }
        for change in undone.reversed() {
            for half in change.halves { folders[half.place.directory].directory[half.place.name] = half.before }
        }
        changes = []
    }

    /// Flips a bit of what is durable, where the running system does not hold another content in memory.
    /// False where the file has no such byte.
    mutating func flipBit(_ bit: Int, of file: Int, at offset: Int) -> Bool {
        let content = files[file].content
        let sector = offset / FileContent.sector
        if offset >= min(content.size, content.durableSize, content.bytes.count) { return false }
        if content.lost[sector] != nil || content.undos.contains(where: { $0.sector == sector }) { return false }
        files[file].content.flip(bit: bit, at: offset)
        return true
    }
}
