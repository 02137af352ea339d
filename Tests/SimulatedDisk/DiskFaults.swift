/// What goes wrong on a simulated disk, besides power cuts. Calls are counted from 1, from the moment these faults were set.
public struct DiskFaults: Sendable {
    /// One call, or all from one on, that fails without an effect, apart from these:
    /// - a write has written some of its first sectors;
    /// - a sync or a writeback of a file has made some sectors durable, and lost track of the others: the page cache holds
    ///   them as clean, or dropped them, so that a later sync succeeds without writing them;
    /// - after a sync of a directory some of its changes are likewise forgotten by later syncs.
    public struct Fault: Sendable {
        /// Nil for a call of any kind.
        public var call: DiskCall?
        /// Among the calls of that kind, from 1.
        public var number: Int
        public var errno: Int32
        /// Whether all later calls of the kind fail too.
        public var isLasting: Bool
        /// How many sectors a failed write has written; nil for a number drawn from the seed.
        public var sectorsWritten: Int?

        public init(
            _ call: DiskCall? = nil, number: Int, errno: Int32, isLasting: Bool = false, sectorsWritten: Int? = nil
        ) {
            (self.call, self.number, self.errno) = (call, number, errno)
            (self.isLasting, self.sectorsWritten) = (isLasting, sectorsWritten)
        }
    }

    public var scheduled: [Fault] = []
    /// The power goes during this call: it may have had its effect or a part of it, and it and all calls after it fail with
    /// EIO until `powerCut`.
    public var powerFailsAtCall: Int?
    /// Bytes for file content, reserved room and directories (4096 each); nil for a disk that is never full.
    public var capacity: UInt64?
    /// The names that one file may have; ext4's by default.
    public var linksMax = 65_000
    /// The lie of a disk, or of a program that forgot to sync: `syncData` returns at once and makes nothing durable.
    public var ignoresSyncData = false
    /// The same for `syncDirectory`.
    public var ignoresSyncDirectory = false

    public init(scheduled: [Fault] = [], powerFailsAtCall: Int? = nil, capacity: UInt64? = nil) {
        (self.scheduled, self.powerFailsAtCall, self.capacity) = (scheduled, powerFailsAtCall, capacity)
    }
}
