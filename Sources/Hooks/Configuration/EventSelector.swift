public import Metadata

/// A word that stands for one or several events: `object.created`, `s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete`, `file-saved`.
public enum EventSelector {
    /// All words that `events(of:)` knows, but for those of single S3 events.
    static let words: [(String, Set<EventName>)] = [
        ("object.created", created), ("object.removed", removed), ("object.restored", [.restored]),
        ("object.tagged", tagged), ("metadata.updated", [.metadataUpdated]), ("job.finished", [.jobFinished]),
        ("file-saved", created), ("file-deleted", removed), ("s3:ObjectCreated:*", created),
        ("s3:ObjectRemoved:*", removed), ("s3:ObjectTagging:*", tagged),
    ]

    public static let wanted =
        "an event: object.created, object.removed, object.restored, object.tagged, metadata.updated, job.finished, "
        + "file-saved, file-deleted, or an S3 event such as s3:ObjectCreated:*"

    static let created: Set<EventName> = [.createdPut, .createdPost, .createdCopy, .createdComplete]
    static let removed: Set<EventName> = [.removedDelete, .removedMarker]
    static let tagged: Set<EventName> = [.taggingPut, .taggingDelete]

    /// Nil for a word that is not known.
    public static func events(of word: String) -> Set<EventName>? {
        if let found = words.first(where: { $0.0 == word }) { return found.1 }
        let ofS3 = created.union(removed).union(tagged)
        return ofS3.first { word == "s3:" + $0.text }.map { [$0] }
    }
}
