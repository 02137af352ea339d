import RedoLog
import Threads

/// What one round of `SQLiteStore.maintain` did.
public struct MaintenanceReport: Sendable, Equatable {
    /// The number of the last record in the base that was made; nil where none was due.
    public var base: UInt64?
    public var segmentsRemoved = 0
    public var blobsMoved = 0
    /// In bytes.
    public var bytesMoved: UInt64 = 0
    /// Segments that cannot be compacted because they cannot be read; for the log.
    public var damaged: [String] = []
}

/// Gives back the room of segments that are mostly dead: what blobs still name of them goes to the end of the log, as commits
/// like any other, and the segment is removed as soon as nothing needs it.
///
/// A segment is needed by blobs that lie in it; by a database that would have to apply it again after a crash; and by the oldest
/// base that is kept.
struct Compactor {
    let segments: SegmentFiles
    let committer: Committer
    let pool: Pool
    let configuration: MaintenanceConfiguration

    /// A segment that is not written any more.
    struct Sealed {
        var number: UInt64
        /// Of its last record.
        var lastLSN: UInt64
        /// Where its first group begins.
        var start: LogPosition
        /// In bytes, without what lies behind its end.
        var size: UInt64
    }

    /// Ascending, all but the last two that were begun, or fewer where headers cannot be read.
    func sealed() throws(LogError) -> [Sealed] {
        var found: [Sealed] = []
        let numbers = try segments.numbers()
        for (number, next) in zip(numbers, numbers.dropFirst()) {
            guard let start = try segments.start(of: number), let end = try segments.start(of: next) else { break }
            found.append(Sealed(number: number, lastLSN: end.lsn, start: start.inside(number), size: end.offset))
        }
        return found
    }

    /// Moves the blobs that lie in a segment. Throws what the committer throws, or `damaged`.
    func moveBlobs(
        of segment: Sealed, place: (BlobID) throws(MetadataError) -> StoredBlob?, _ report: inout MaintenanceReport
    ) async throws {
        var reader = try LogReader(files: segments, from: segment.start)
        var batch: [(blob: StoredBlob, bytes: [UInt8])] = []
        var batchBytes: UInt64 = 0
        var moved: UInt64 = 0
        let started = ContinuousClock.now
        func moveBatch() async throws {
            try await move(batch)
            report.blobsMoved += batch.count
            report.bytesMoved += batchBytes
            moved += batchBytes
            (batch, batchBytes) = ([], 0)
            // Others write and read meanwhile: no faster than the setting.
            let due = Double(moved) / Double(max(1, configuration.compactionBytesPerSecond))
            let ahead = Duration.seconds(due) - started.duration(to: .now)
            if ahead > .milliseconds(2) { await pool.sleep(for: ahead) }
        }
        while reader.position.segment == segment.number, reader.position.offset < segment.size,
            let changes = try pool.blocking({ try reader.next() })
        {
            for change in changes {
                guard let payload = change.payload, let id = try Self.blob(of: change),
                    let blob = try place(id),
                    blob.location == .segment(payload.segment, offset: payload.offset)
                else { continue }
                batch.append((blob, try pool.blocking { try segments.payload(at: payload) }))
                batchBytes += UInt64(payload.length)
                if batch.count >= Self.batchLengthMax || batchBytes >= Self.batchBytesMax { try await moveBatch() }
            }
        }
        if !batch.isEmpty { try await moveBatch() }
    }

    private static let batchLengthMax = 64
    private static let batchBytesMax: UInt64 = 1 << 20

    /// All at once, so that they share commits.
    private func move(_ batch: [(blob: StoredBlob, bytes: [UInt8])]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (blob, bytes) in batch {
                group.addTask { [committer] in _ = try await committer.submit(.relocate(blob, bytes: bytes)) }
            }
            try await group.waitForAll()
        }
    }

    private static func blob(of change: LoggedChange) throws(MetadataError) -> BlobID? {
        for change in try Records.decision(change.body).0.changes {
            switch change {
            case .blobAdded(let id, _, _, isInLog: true), .blobMoved(let id, _): return id
            default: continue
            }
        }
        return nil
    }
}
