import RedoLog

/// Up to where the database has applied the log, and the highest numbers given so far.
struct ViewState: Sendable, Equatable {
    /// The end of the last group applied.
    var applied: LogPosition
    /// The last number drawn by a decision.
    var sequence: Int64
    /// The highest id of a blob that a decision ever named.
    var lastBlob: BlobID

    /// Notes that `decision` is applied; `applied` moves with the group.
    mutating func note(_ decision: Decision) {
        sequence = max(sequence, decision.sequence)
        for change in decision.changes {
            if case .blobAdded(let id, _, _, _) = change { lastBlob = max(lastBlob, id) }
        }
    }
}
