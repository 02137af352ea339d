/// When bases are made and segments are compacted.
public struct MaintenanceConfiguration: Sendable {
    /// A base is made when the log has grown by so many bytes since the last one, and by as much as the database is large.
    public var baseEveryBytes: UInt64 = 256 << 20
    /// Bases kept, at least 1. The log is kept from the oldest one on.
    public var basesKept = 2
    /// A sealed segment of which blobs name less than this share is compacted, in hundredths.
    public var liveShareMin = 50
    /// Bytes that compaction moves a second.
    public var compactionBytesPerSecond: UInt64 = 32 << 20
    /// How often `maintain` is called by whoever runs the store.
    public var interval: Duration = .seconds(10)

    public init() {}
}
