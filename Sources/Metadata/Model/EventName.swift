/// What happened to an object. The raw values stand in the store and never change meaning.
public enum EventName: UInt8, Sendable, CaseIterable {
    case createdPut = 1, createdPost, createdCopy, createdComplete
    case removedDelete, removedMarker
    case taggingPut, taggingDelete
    /// A delete marker was taken away.
    case restored
    /// What is known of the asset beside its object changed.
    case metadataUpdated
    /// All steps of a hook have ended.
    case jobFinished
    /// The moment of a schedule came.
    case scheduled

    /// As in AWS's event records (userguide/notification-how-to-event-types-and-destinations), which know the first eight.
    public var text: String {
        switch self {
        case .createdPut: "ObjectCreated:Put"
        case .createdPost: "ObjectCreated:Post"
        case .createdCopy: "ObjectCreated:Copy"
        case .createdComplete: "ObjectCreated:CompleteMultipartUpload"
        case .removedDelete: "ObjectRemoved:Delete"
        case .removedMarker: "ObjectRemoved:DeleteMarkerCreated"
        case .taggingPut: "ObjectTagging:Put"
        case .taggingDelete: "ObjectTagging:Delete"
        case .restored: "ObjectRestored:DeleteMarkerRemoved"
        case .metadataUpdated: "MetadataUpdated"
        case .jobFinished: "JobFinished"
        case .scheduled: "Scheduled"
        }
    }

    /// Whether the object is there after it.
    public var leavesObject: Bool {
        switch self {
        case .createdPut, .createdPost, .createdCopy, .createdComplete, .taggingPut, .taggingDelete, .restored,
            .metadataUpdated, .jobFinished:
            true
        case .removedDelete, .removedMarker, .scheduled: false
        }
    }
}
