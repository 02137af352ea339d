public import Bytes
import Glibc
public import RedoLog

/// The settings of a `SQLiteStore`; every default is visible here.
public struct SQLiteStoreConfiguration: Sendable {
    /// The most requests that one commit takes.
    public var batchLengthMax = 256
    /// The most bytes of objects that one commit takes into the log, unless a single request brings more.
    public var batchBytesMax = 4 << 20
    /// The most requests that wait for a commit; more are `overloaded`.
    public var queueLengthMax = 16_384
    public var bucketCountMax = 10_000
    public var userCountMax = 10_000
    /// Read connections kept open when idle: as many as a pool has threads, since each new one reads the schema again.
    public var idleReaderCountMax = 64
    /// The page cache of each read connection, in KiB.
    public var readerCacheSize_kib = 512
    /// Pages (of 4 KiB) in the write-ahead log above which it is copied into the database as far as readers allow.
    public var checkpointPageCount = 8_000
    /// Bytes of the write-ahead log above which a commit waits for readers (`readerWait`) to cut it.
    public var walSizeMax: Int64 = 64 << 20
    public var readerWait: Duration = .seconds(1)
    /// The committer's page cache, in KiB.
    public var writerCacheSize_kib = 16_384
    /// Latest versions kept in memory for reads; 0 keeps none. About 1 KiB each.
    public var cachedVersionCountMax = 16_384
    public var log = LogConfiguration()
    public var maintenance = MaintenanceConfiguration()
    /// A file of so many bytes is kept to be given up when the disk is full, so that deletes go on. 0 keeps none.
    public var ballastBytes: UInt64 = 16 << 20
    /// Dates versions.
    public var clock: @Sendable () -> Timestamp = { .now() }
    /// Called when a sync failed: what is durable is unknown, and trying again can falsely succeed, so the process must
    /// end. Where it returns, the store refuses everything that follows.
    public var onFatal: @Sendable (String) -> Void = { SQLiteStoreConfiguration.exit(reason: $0) }

    public init() {}

    private static func exit(reason: String) {
        let line = [UInt8]("fatal: metadata: \(reason)\n".utf8)
        // SAFETY: the pointer is used within the call. Whether the line arrives changes nothing.
        unsafe line.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        // No exit handlers: they could write to files whose state is unknown.
        _exit(EX_IOERR)
    }
}
