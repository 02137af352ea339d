/// How many jobs of each hook run, and how many more may start: its limits of concurrency and rate, and the breaker of a hook
/// whose jobs keep killing their workers.
struct LaneTable {
    struct Lane {
        var concurrencyMax: Int?
        var rate: Hook.Rate?
        var running = 0
        /// Starts that the rate allows now, and since when that is so.
        var credit = 0.0
        var credited: ContinuousClock.Instant?
        /// Crashes without a success between.
        var crashCount = 0
        var closedUntil: ContinuousClock.Instant?
    }

    private var lanes: [[UInt8]: Lane] = [:]
    /// Crashes in a row after which a lane is closed, and for how long.
    static let breakerCount = 10
    static let breakerTime = Duration.seconds(60)

    mutating func limit(_ lane: [UInt8], concurrencyMax: Int?, rate: Hook.Rate?) {
        guard lanes[lane] != nil || concurrencyMax != nil || rate != nil else { return }
        var known = lanes[lane] ?? Lane()
        known.concurrencyMax = concurrencyMax
        if known.rate != rate {
            known.rate = rate
            known.credit = rate.map { Double($0.count) } ?? 0
            known.credited = nil
        }
        lanes[lane] = known
    }

    /// For those lanes that are limited.
    mutating func room(at now: ContinuousClock.Instant) -> [[UInt8]: Int] {
        var room: [[UInt8]: Int] = [:]
        for (name, lane) in lanes {
            var lane = lane
            if let until = lane.closedUntil {
                if until > now {
                    room[name] = 0
                    continue
                }
                lane.closedUntil = nil
            }
            var left: Int?
            if let max = lane.concurrencyMax { left = Swift.max(0, max - lane.running) }
            if let rate = lane.rate {
                if let since = lane.credited {
                    let earned = (now - since) / rate.period * Double(rate.count)
                    lane.credit = Swift.min(Double(rate.count), lane.credit + earned)
                }
                lane.credited = now
                left = Swift.min(left ?? .max, Int(lane.credit))
            }
            lanes[name] = lane
            if let left { room[name] = left }
        }
        return room
    }

    /// How many may run at once, of those lanes where that is limited.
    var limits: [[UInt8]: Int] { lanes.compactMapValues(\.concurrencyMax) }

    mutating func begin(_ name: [UInt8]) {
        var lane = lanes[name] ?? Lane()
        lane.running += 1
        if lane.rate != nil { lane.credit -= 1 }
        lanes[name] = lane
    }

    mutating func end(_ name: [UInt8], isCrash: Bool, at now: ContinuousClock.Instant) {
        guard var lane = lanes[name] else { return }
        lane.running = Swift.max(0, lane.running - 1)
        lane.crashCount = isCrash ? lane.crashCount + 1 : 0
        if lane.crashCount >= Self.breakerCount {
            lane.closedUntil = now + Self.breakerTime
            lane.crashCount = 0
        }
        let isPlain = lane.concurrencyMax == nil && lane.rate == nil && lane.closedUntil == nil && lane.crashCount == 0
        lanes[name] = isPlain && lane.running == 0 ? nil : lane
    }

    /// When room may have come by time alone: one of the lanes is limited by rate, or closed.
    var waitsForTime: Bool { lanes.values.contains { $0.rate != nil || $0.closedUntil != nil } }
}
