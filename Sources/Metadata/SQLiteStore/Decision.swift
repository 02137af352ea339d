import Bytes

/// What a mutation came to: plain values, with every choice made (ids, order, dates, what becomes garbage).
///
/// Applying a decision decides nothing and depends on nothing but the rows that earlier decisions wrote, so that a log of
/// decisions applied in order to an empty database gives the same rows. Applying one twice in a row is the same as once.
struct Decision: Sendable, Equatable {
    /// In the order in which they are applied.
    var changes: [RowChange] = []
    /// Blobs that no row named before; their bytes and names must be durable before this is.
    var adopted: [BlobID] = []
    /// The highest number drawn from the store's counter up to and with this decision; none is drawn twice.
    var sequence: Int64
}

/// A change of one row, or of the rows that belong to it.
enum RowChange: Sendable, Equatable {
    /// Replaces the row of the same id.
    case bucket(Bucket)
    case bucketRemoved(BucketID)
    /// With its manifest, where it has parts.
    case version(BucketID, ObjectVersion)
    /// With its manifest.
    case versionRemoved(BucketID, ObjectKey, sequence: Int64)
    case latest(BucketID, ObjectKey, sequence: Int64, Bool)
    case tags(BucketID, ObjectKey, sequence: Int64, [Tag])
    case upload(Upload)
    /// With its parts.
    case uploadRemoved(UploadID)
    /// Replaces the part of the same number.
    case part(UploadID, UploadedPart)
    /// The version is kept without its content.
    case completed(UploadID, BucketID, ObjectVersion, at: Timestamp)
    case completedForgotten(before: Timestamp)
    /// Replaces the row of the same name.
    case user(User)
    /// Blobs that nothing names any more, at ascending positions from `position` on.
    case garbage([BlobID], position: Int64)
    case garbageForgotten([BlobID])
}
