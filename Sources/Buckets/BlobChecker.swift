import Files
import Metadata
import RedoLog
import Threads

/// Reads one blob from where it lies and compares it with what was written.
struct BlobChecker: Sendable {
    let opener: BlobOpener
    /// Called with the bytes read since the last call; suspends to keep the rate. Returns false where the check is to end.
    let pace: @Sendable (Int) async -> Bool

    enum Outcome: Sendable, Equatable {
        /// Also where the blob was dropped meanwhile.
        case whole
        case wrong(ScrubFinding.Kind, String)
        case cut
    }

    /// Throws what hinders the check without saying anything about the blob.
    func check(_ blob: StoredBlob) async throws -> Outcome {
        var stored = blob
        for _ in 0..<3 {
            do {
                return try await attempt(stored)
            } catch BucketsError.gone {
                guard let now = try await opener.metadata.blob(blob.id) else { return .whole }
                if now == stored { return .wrong(.missing, Self.reason(now)) }
                stored = now
            }
        }
        // Moved as often as it was looked up: it is in good hands.
        return .whole
    }

    private static func reason(_ blob: StoredBlob) -> String {
        switch blob.location {
        case .file: "a row names it, and it is not there"
        case .segment(let number, _): "a row names it, and segment \(number) of the log is not there"
        case .metadata: "a row names it, and its bytes are not in the metadata store"
        }
    }

    private func attempt(_ stored: StoredBlob) async throws -> Outcome {
        do {
            switch stored.location {
            case .file: return try await opener.blobs.check(stored, pool: opener.pool, pace: pace)
            case .segment: return try await checkPayload(stored)
            case .metadata:
                let bytes = try await opener.check(stored, damage: BucketsError.damaged)
                return await pace(bytes.count) ? .whole : .cut
            }
        } catch BucketsError.damaged(let reason) {
            return .wrong(.damaged, reason)
        }
    }

    private func checkPayload(_ stored: StoredBlob) async throws -> Outcome {
        try opener.pool.blocking { () throws(BucketsError) in
            guard let payload = try opener.payload(stored) else { return }
            // What is in memory says nothing about the disk.
            payload.file.dropCache(at: payload.offset, count: UInt64(payload.size))
            _ = try payload.read(damage: BucketsError.damaged)
        }
        return await pace(Int(clamping: stored.size)) ? .whole : .cut
    }
}
