import Digests
import Metadata

/// Takes the content of one blob that is too large for memory, piece after piece. Owned by one task.
protocol BlobSink: AnyObject {
    /// Takes the bytes that follow. They are lent for the call.
    func append(_ bytes: Span<UInt8>) throws(BucketsError)
    /// Between two pieces: waits where the disk or the engine is behind.
    func relieve() async throws(BucketsError)
    /// After the last piece: the content is durable when it returns. `digests` are those of the content.
    func finish(digests: DigestValues) async throws(BucketsError) -> StagedBlob
    /// Lets go of everything; nothing of the blob is left in the end.
    func discard()
}
