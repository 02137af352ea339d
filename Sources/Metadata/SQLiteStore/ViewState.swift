import RedoLog

/// Up to where the database has applied the log, and the highest numbers given so far.
struct ViewState: Sendable, Equatable {
    /// The end of the last group applied.
    var applied: LogPosition
    /// The last number drawn by a decision.
    var sequence: Int64
    /// The highest id of a blob that a decision ever named.
    var lastBlob: BlobID
    /// What the table of segments does not count yet of the segment that is being written.
    var uncounted = UncountedBytes()

    /// Notes that `decision` is applied; `applied` moves with the group.
    mutating func note(_ decision: Decision) {
        sequence = max(sequence, decision.sequence)
        for change in decision.changes {
            if case .blobAdded(let id, _, _, _) = change { lastBlob = max(lastBlob, id) }
        }
    }
}

/// How the bytes in one segment that blobs still name have changed since its row in the table was written. Most changes are about
/// the segment that is being written, and kept here they cost a commit no page of their own.
struct UncountedBytes: Sendable, Equatable {
    var segment: UInt64 = 0
    var change: Int64 = 0
}
