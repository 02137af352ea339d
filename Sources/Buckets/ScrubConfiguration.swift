/// The settings of a `Scrubber`.
public struct ScrubConfiguration: Sendable {
    /// Bytes per second that a scrub in the background reads; 0 for none in the background.
    public var rate: UInt64 = 16 << 20
    /// From the beginning of one to that of the next.
    public var interval = Duration.seconds(24 * 3600)
    /// How long after the start of the process the first begins, or goes on.
    public var delay = Duration.seconds(600)
    /// Progress is written to the disk so often.
    public var saveInterval = Duration.seconds(30)

    public init() {}
}
