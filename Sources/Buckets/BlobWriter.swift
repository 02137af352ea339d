import Bytes
import Digests
import Metadata
import Threads

/// Takes one stream of bytes, into memory while they are few and then into the blob store, and computes its digests on the
/// way: each byte is passed once. Owned by one task.
final class BlobWriter {
    private let blobs: any BlobStore
    private let pool: Pool
    private let digests: DigestStream
    private let sizeMax: UInt64
    private let collectedBytesMax: UInt64
    private let label: BlobLabel?
    private let mayBeInline: Bool
    /// Bytes taken so far.
    private(set) var size: UInt64 = 0
    /// The content while it has no sink. It grows as bytes come, whatever length was announced.
    private var collected: [UInt8] = []
    private var share: MemoryBudget.Share?
    private var sink: (any BlobSink)?

    /// `label` is kept beside content that does not lie in the log, where it may lie only if `mayBeInline`.
    init(
        blobs: any BlobStore, pool: Pool, digests: DigestSet, sizeMax: UInt64, label: BlobLabel? = nil,
        mayBeInline: Bool = true
    ) throws(BucketsError) {
        self.blobs = blobs
        self.pool = pool
        self.digests = DigestStream(digests.union(.md5))
        self.sizeMax = sizeMax
        self.label = label
        self.mayBeInline = mayBeInline
        collectedBytesMax = blobs.collectedBytesMax
        share = MemoryBudget.Share(of: blobs.memory)
        try blobs.checkSpace()
    }

    func append(_ bytes: Span<UInt8>) throws(BucketsError) {
        let (total, overflow) = size.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, total <= sizeMax else { throw .tooLarge(sizeMax: sizeMax) }
        digests.update(bytes)
        if sink == nil, total <= collectedBytesMax, share?.grow(by: bytes.count) == true {
            // SAFETY: the buffer is used within the closure only.
            unsafe bytes.withUnsafeBufferPointer { unsafe collected.append(contentsOf: $0) }
        } else {
            try openedSink().append(bytes)
        }
        size = total
    }

    /// Between two pieces: waits where what takes the bytes is behind.
    func relieve() async throws(BucketsError) {
        if let sink { try await sink.relieve() }
    }

    /// Ends the stream. What is in memory becomes durable with its commit; all else is durable now, and not to be found yet.
    func finish() async throws(BucketsError) -> StagedBlob {
        let values = digests.finish()
        if size == 0 { return StagedBlob(empty: values) }
        if mayBeInline, sink == nil, collected.count <= blobs.inlineBytesMax {
            let bytes = collected
            collected = []
            defer { share = nil }
            return StagedBlob(
                inline: bytes, as: try await blobs.newID(needsDirectory: false), share: share, digests: values)
        }
        let sink = try openedSink()
        let staged = try await sink.finish(digests: values)
        self.sink = nil
        return staged
    }

    /// Lets go of everything.
    func discard() {
        collected = []
        share = nil
        sink?.discard()
        sink = nil
    }

    /// The sink, made on first use and given what was collected.
    private func openedSink() throws(BucketsError) -> any BlobSink {
        if let sink { return sink }
        let sink = blobs.makeSink(label: label, pool: pool)
        self.sink = sink
        let head = collected
        collected = []
        share = nil
        if !head.isEmpty { try sink.append(head.span) }
        return sink
    }
}
