/// The settings of the redo log.
public struct LogConfiguration: Sendable {
    /// A group that would begin beyond so many bytes begins the next segment.
    public var segmentSizeMax: UInt64 = 1 << 30
    /// Room on the disk is reserved so many bytes ahead, so that a sync seldom has to make a new size of the file durable.
    public var reserveBytes: UInt64 = 8 << 20
    /// While groups are small, so many bytes ahead are written with zeros instead: a sync of an overwrite has nothing but data
    /// to write, and a disk that serves few writers has time for it. 0 never.
    public var zeroedBytes: UInt64 = 1 << 20
    /// Groups are small when they have at most so many bytes on average.
    public var smallGroupBytes: UInt64 = 16 << 10

    public init() {}
}
