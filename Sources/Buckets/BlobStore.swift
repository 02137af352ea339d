import Digests
import Metadata
import Threads

/// Where blobs lie that have no place in the log: in files of the data folder (`LocalBlobs`), or on an engine that speaks S3
/// (`RemoteBlobs`). Blobs are immutable, and each id is given once.
///
/// A request costs one or two calls through this protocol, never one for each piece of its bytes. Safe for concurrent use
/// from the pool's threads.
protocol BlobStore: Sendable {
    var configuration: BlobsConfiguration { get }
    /// What uploads hold in memory before it is known where they go.
    var memory: MemoryBudget { get }
    var pins: PinTable { get }
    var damage: DamageReports { get }
    /// How long blobs that nothing names any more are kept, beside what readers of this process have pinned.
    var garbageLifetime: Duration { get }
    /// Syncs of directories since the opening, for metrics.
    var directorySyncCount: UInt64 { get }

    /// Whether content may be written. May block.
    func hasRoom() throws(BucketsError) -> Bool
    /// The next id. `needsDirectory`: the blob will lie here, and not in the log.
    func newID(needsDirectory: Bool) async throws(BucketsError) -> BlobID
    /// Takes the content of a new blob. Nothing is done before its first bytes.
    func makeSink(label: BlobLabel?, pool: Pool) -> any BlobSink
    /// Stages the bytes of a blob under a second id, with the digests that they are known to have, without passing them
    /// through this process. Nil where they have to be passed. Throws `gone`.
    func copy(
        _ stored: StoredBlob, digests: DigestValues, pool: Pool
    ) async throws(BucketsError) -> StagedBlob?

    /// Gives bytes that lay in the log a place here, under the ids that they have; durable when it returns. Those that have theirs
    /// already are compared. What is known of them here comes back, in their order.
    func keep(_ blobs: [KeptBlob], pool: Pool) async throws(BucketsError) -> [StoredBlob]

    /// Whether another process may remove the blob while it is being read, so that who reads has to pin it before a row is read that
    /// still names it.
    func mustProve(_ extent: BlobExtent) -> Bool
    /// Opens one extent, which lies here. Throws `gone` where the blob is not there any more, and `damaged`. `pin` is one that holds it
    /// already.
    func open(
        _ extent: BlobExtent, _ stored: StoredBlob, pin: PinTable.Pin?, opener: BlobOpener
    ) async throws -> OpenedBytes
    /// Opens several extents that are pinned; `payloads` has those, by place, that lie in the log.
    func open(
        _ extents: [BlobExtent], payloads: [Int: SegmentPayload], pin: PinTable.Pin, opener: BlobOpener
    ) async throws -> OpenedBytes

    /// Removes blobs that nothing names. Returns those that will not come back, one that was gone already among them.
    func remove(_ blobs: [BlobID], pool: Pool) async -> [BlobID]

    // What a scrub asks.
    /// Reads all of a blob and compares it with what was written; `pace` is called with the bytes read, and returns false
    /// where the check is to end. Throws what says nothing about the blob.
    func check(
        _ stored: StoredBlob, pool: Pool, pace: @Sendable (Int) async -> Bool
    ) async throws -> BlobChecker.Outcome
    /// Blobs that no row names and that nobody is about to publish.
    func orphans(isKnown: (BlobID) async throws -> Bool) async throws -> [BlobID]
    func isThere(_ blob: BlobID, pool: Pool) async -> Bool
    /// Sets a damaged blob or an orphan aside, with `moves` for good. False where it could not.
    func quarantine(_ finding: ScrubFinding, moves: Bool, pool: Pool) async -> Bool
    /// Says of a blob in the log for good that nothing has its bytes any more. False where it could not.
    func setAside(_ finding: ScrubFinding, pool: Pool) -> Bool
    /// Why a blob was set aside; nil where it was not.
    func setAsideReason(_ blob: BlobID, pool: Pool) -> String?
    /// What of a blob is remembered as proven is forgotten.
    func forgetProof(of blob: BlobID)
    /// A note of the scrub's for the next process; nil where there is none. Blocks for the disk.
    func scrubNote() -> [UInt8]?
    func keepScrubNote(_ text: [UInt8])
}

extension BlobStore {
    /// Throws `diskFull` when less is free than the configured minimum.
    func checkSpace() throws(BucketsError) {
        if try !hasRoom() { throw .diskFull }
    }

    /// Content up to so many bytes has no place here: the commit takes it into the log.
    var inlineBytesMax: Int { max(0, min(configuration.inlineBytesMax, BlobsConfiguration.inlineBytesLimit)) }
    /// Content up to so many bytes is in memory until it is all there.
    var collectedBytesMax: UInt64 { UInt64(max(0, inlineBytesMax, configuration.collectedBytesMax)) }
}
