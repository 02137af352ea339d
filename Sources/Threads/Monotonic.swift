internal import CLinux

/// Time that never steps back, counted from an arbitrary start.
public enum Monotonic {
    public static var nanoseconds: UInt64 { clinux_monotonic_ns() }
    public static var milliseconds: UInt64 { clinux_monotonic_ns() / 1_000_000 }
}

extension Duration {
    /// Whole nanoseconds, 0 for negative durations, at most about 146 years.
    public var nanosecondsClamped: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow || whole > UInt64.max / 4 { return UInt64.max / 4 }
        return whole + UInt64(attoseconds) / 1_000_000_000
    }

    /// Whole milliseconds, rounded down, 0 for negative durations.
    public var millisecondsClamped: UInt64 { nanosecondsClamped / 1_000_000 }
}
