/// Sync, power cut, and what lies between them.
extension FileContent {
    mutating func sync() {
        if !lost.isEmpty {
            for undo in undos { lost[undo.sector] = nil }
        }
        if !resizes.isEmpty { durableSize = size }
        forgetChanges()
    }

    /// Leaves the content that a power cut left: durable, and nothing pending.
    mutating func cut(_ survival: Survival, _ random: inout SplitMix64) {
        settle(survival, resizesMin: 0, &random)
    }

    /// The sync that failed: some of what was pending became durable. The rest the page cache keeps as clean, or drops.
    mutating func failSync(_ survival: Survival, _ random: inout SplitMix64) {
        if undos.isEmpty && resizes.isEmpty { return }
        let view = self
        // The journal is not what failed: a truncation, which frees what it cuts off, stays.
        let shrinks = (resizes.lastIndex { $0.isShrink } ?? -1) + 1
        settle(survival, resizesMin: shrinks, &random)
        // The inode in memory keeps its size.
        resize(to: view.size)
        var seen: Set<Int> = []
        for sector in view.undos.map(\.sector) + view.lost.keys.sorted() where seen.insert(sector).inserted {
            let (seen, durable) = (view.content(of: sector), content(of: sector))
            if seen == durable || random.chance(128) { continue }
            lost[sector] = durable
            set(sector, to: seen[...])
        }
        resize(to: view.size)
    }

    /// The page cache forgets the clean sectors that a failed sync left in it.
    mutating func dropCache(at offset: Int, count: Int) {
        if lost.isEmpty { return }
        let dirty = Set(undos.map(\.sector))
        for (sector, durable) in lost
        where sector * Self.sector < offset + count && (sector + 1) * Self.sector > offset && !dirty.contains(sector) {
            lost[sector] = nil
            set(sector, to: durable[...])
        }
        resize(to: size)
    }

    /// Undoes what does not survive, newest first. At least the first `resizesMin` changes of the size do.
    private mutating func settle(_ survival: Survival, resizesMin: Int, _ random: inout SplitMix64) {
        var kept = resizes.count
        while kept > resizesMin, !survival.survives(resizes[kept - 1].time, &random) { kept -= 1 }
        let hasShrinks = resizes.contains { $0.isShrink }

        let sectors = (undos.lazy.map(\.sector).max() ?? -1) + 1
        var isSettled = [Bool](repeating: false, count: sectors)
        for undo in undos.reversed() where !isSettled[undo.sector] {
            switch hasShrinks ? fate(of: undo, resizesKept: kept) : nil {
            case true?: isSettled[undo.sector] = true
            case false?: self.undo(undo)
            case nil:
                if survival.survives(undo.time, &random) {
                    isSettled[undo.sector] = true
                } else {
                    self.undo(undo)
                }
            }
        }
        for sector in lost.keys.sorted() where sector >= sectors || !isSettled[sector] {
            set(sector, to: (lost[sector] ?? [])[...])
        }
        lost = [:]
        resize(to: kept > 0 ? resizes[kept - 1].size : durableSize)
        durableSize = size
        forgetChanges()
    }

    /// What truncations decide of a write, given how many changes of the size survive: a sector that one freed holds nothing
    /// from before it, and nothing from after it where it did not survive itself.
    private func fate(of undo: Undo, resizesKept kept: Int) -> Bool? {
        let (start, end) = (undo.sector * Self.sector, (undo.sector + 1) * Self.sector)
        for (place, resize) in resizes.enumerated() where resize.isShrink {
            let isLater = Int(undo.resizes) > place
            if place >= kept, resize.size <= start, isLater { return false }
            let isOwn = undo.isShrink && Int(undo.resizes) == place + 1
            if place < kept, resize.size < end, !isLater || isOwn { return true }
        }
        return nil
    }
}
