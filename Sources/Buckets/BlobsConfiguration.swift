public import Files
import Glibc

/// The settings of `LocalBlobs` and of what reads and writes through them.
public struct BlobsConfiguration: Sendable {
    /// Below this many free bytes nothing new is staged (`BucketsError.diskFull`); reads and deletes go on. Nil for 256 MiB, or
    /// 5 % of a smaller file system.
    public var freeBytesMin: UInt64?
    /// Files found to be what was written, which are then sent without being checked again for `verifiedFor`.
    public var verifiedBlobsMax = 1 << 16
    public var verifiedFor = Duration.seconds(24 * 3600)
    /// Of a file that is not among them, so many bytes at a time are checked and then sent.
    public var verifyWindowBytes: UInt64 = 2 << 20
    /// Content up to this many bytes travels in the log, within the record that commits it, and has no file: at most
    /// `inlineBytesLimit`.
    public var inlineBytesMax = 128 << 10
    /// Content up to this many bytes is collected in memory even where it is to have a file, and written by one call.
    public var collectedBytesMax = 128 << 10
    /// What all uploads together have collected, until each is published. An upload that would take more gets a file at once.
    /// Arrays that grow may hold twice as much.
    public var collectedBytesTotalMax = 64 << 20
    /// While larger content comes in, the writeback of each so many bytes begins as soon as they are there, and the one
    /// before is waited for. Dirty memory per upload stays below twice this, and the last sync has little left to do:
    /// 64 MiB with MD5 (104 ms of hashing, 23 ms of writing) took 140 ms with 4 or 8 MiB, 181 ms without.
    public var writebackWindowBytes: UInt64 = 4 << 20
    /// What lies beyond so many bytes of one blob is dropped from the page cache once written, so that a few huge uploads
    /// do not push out everything that is being read. The pages come back for the bytes that follow: 1 GiB took 3.4 s
    /// instead of 4.7 s, and a third of the system time.
    public var cachedBytesMax: UInt64 = 256 << 20
    /// Parts of objects that all readers together have yet to open, 32 bytes of memory each; a read that would take more
    /// is refused (`BucketsError.overloaded`). 200 readers of 10,000 parts each fit.
    public var pinnedBlobsMax = 1 << 21
    /// Called when the kernel could not make bytes or names durable. A second sync may falsely succeed, so the default
    /// ends the process: on the next start everything acknowledged is read from the disk.
    public var onFatal: @Sendable (SystemError) -> Void = { error in
        let line = "ogw: a write did not reach the disk, ending: \(error)\n"
        // SAFETY: the string outlives the call.
        _ = unsafe write(STDERR_FILENO, line, line.utf8.count)
        _exit(74)
    }

    /// No setting may raise `inlineBytesMax` above this: what is larger has a file, whoever wrote it.
    public static let inlineBytesLimit = 1 << 20

    public init() {}
}
