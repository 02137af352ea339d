import Threads

/// How long each of some requests took.
struct Timings: Sendable {
    private var times_ns: [UInt64] = []

    /// Times one call.
    mutating func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = Monotonic.nanoseconds
        let result = try body()
        times_ns.append(Monotonic.nanoseconds - start)
        return result
    }

    mutating func add(_ nanoseconds: UInt64) { times_ns.append(nanoseconds) }

    static func joined(_ all: [Timings]) -> Timings {
        var joined = Timings()
        joined.times_ns = all.flatMap(\.times_ns)
        return joined
    }

    var count: Int { times_ns.count }

    /// One line of JSON: the number of requests, the seconds that all of them took, and percentiles in milliseconds.
    func report(seconds: Double, bytesEach: Int) -> String {
        let sorted = times_ns.sorted()
        func percentile(_ percent: Int) -> Double {
            guard !sorted.isEmpty else { return 0 }
            return Double(sorted[min(sorted.count - 1, sorted.count * percent / 100)]) / 1e6
        }
        let total = Double(sorted.count) * Double(bytesEach) / 1_048_576
        return """
            {"requests": \(sorted.count), "seconds": \(seconds), "per_second": \(Double(sorted.count) / seconds), \
            "mib_per_second": \(total / seconds), "p50_ms": \(percentile(50)), "p90_ms": \(percentile(90)), \
            "p99_ms": \(percentile(99)), "max_ms": \(percentile(100))}
            """
    }
}
