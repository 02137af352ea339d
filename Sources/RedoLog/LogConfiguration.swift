/// The settings of the redo log.
public struct LogConfiguration: Sendable {
    /// A group that would begin beyond so many bytes begins the next segment.
    public var segmentSizeMax: UInt64 = 1 << 30
    /// Room on the disk is reserved so many bytes ahead, so that a sync seldom has to make a new size of the file durable.
    public var reserveBytes: UInt64 = 8 << 20

    public init() {}
}
