import Digests
import Files
import Metadata
import Threads

extension LocalBlobs: BlobStore {
    /// A file that is open stays readable, so that nothing waits.
    var garbageLifetime: Duration { .zero }

    func makeSink(label: BlobLabel?, pool: Pool) -> any BlobSink { LocalSink(blobs: self, label: label, pool: pool) }

    /// By a second name of the file.
    func copy(
        _ stored: StoredBlob, digests: DigestValues, pool: Pool
    ) async throws(BucketsError) -> StagedBlob? {
        guard let id = try pool.blocking({ () throws(BucketsError) in try link(existing: stored.id) }) else {
            return nil
        }
        return StagedBlob(
            NewBlob(id: id, size: stored.size, crc32c: stored.crc32c, bytes: nil), pool: pool, .named(self),
            digests: digests)
    }

    func remove(_ blobs: [BlobID], pool: Pool) async -> [BlobID] {
        pool.blocking {
            let gone = blobs.filter { (try? remove($0)) != nil }
            // A name that a crash brings back after its row is forgotten would be an orphan.
            guard !gone.isEmpty, (try? makeRemovalDurable(gone)) != nil else { return [] }
            return gone
        }
    }

    func isThere(_ blob: BlobID, pool: Pool) async -> Bool { pool.blocking { (try? open(blob)) != nil } }

    /// Gives the file a name in `quarantine`. With `moves` it keeps no other.
    func quarantine(_ finding: ScrubFinding, moves: Bool, pool: Pool) async -> Bool {
        pool.blocking {
            do {
                try quarantine.keep(
                    finding.blob, at: path(of: finding.blob), reason: finding.reason, moment: finding.moment)
                if moves {
                    try remove(finding.blob)
                    try makeRemovalDurable([finding.blob])
                }
                return true
            } catch {
                // It stays where it is, and the next scrub finds it again.
                return false
            }
        }
    }

    private var quarantine: Quarantine { Quarantine(disk: disk, directory: root + "/quarantine") }

    func setAside(_ finding: ScrubFinding, pool: Pool) -> Bool {
        pool.blocking {
            (try? quarantine.note(finding.blob, reason: finding.reason, moment: finding.moment)) != nil
        }
    }

    func setAsideReason(_ blob: BlobID, pool: Pool) -> String? { pool.blocking { quarantine.reason(blob) } }

    func forgetProof(of blob: BlobID) { verified.remove(blob) }

    func scrubNote() -> [UInt8]? { (try? disk.contents(of: root + "/meta/scrub")) ?? nil }

    func keepScrubNote(_ text: [UInt8]) { _ = try? disk.replace("scrub", in: root + "/meta", with: text) }
}
