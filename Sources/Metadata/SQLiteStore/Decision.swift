import Bytes

/// What a mutation came to: plain values, with every choice made (ids, order, dates, what becomes garbage).
///
/// Applying a decision decides nothing and depends on nothing but the rows that earlier decisions wrote, so that a log of
/// decisions applied in order to an empty database gives the same rows. Applying one twice in a row is the same as once.
struct Decision: Sendable, Equatable {
    /// In the order in which they are applied.
    var changes: [RowChange] = []
    /// The bytes of the one blob that the decision puts into the log.
    var payload: [UInt8]?
    /// The highest number drawn from the store's counter up to and with this decision; none is drawn twice.
    var sequence: Int64

    init(sequence: Int64) { self.sequence = sequence }

    /// CRC-32C of `payload`, where its blob came with one.
    var payloadCRC: UInt32? {
        for case .blobAdded(_, _, let crc32c, isInLog: true) in changes { return crc32c }
        return nil
    }

    /// Blobs in files that no row named before; their names must be durable before this is.
    var adoptedFiles: [BlobID] {
        changes.compactMap { change in
            if case .blobAdded(let id, _, _, isInLog: false) = change { id } else { nil }
        }
    }
}

/// A change of one row, or of the rows that belong to it.
enum RowChange: Sendable, Equatable {
    /// Replaces the row of the same id but for its configuration.
    case bucket(Bucket)
    case bucketConfigured(BucketID, BucketConfiguration)
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
    /// Where the bytes are in the log, they are the payload of the decision's record.
    case blobAdded(BlobID, size: UInt64, crc32c: UInt32?, isInLog: Bool)
    /// The bytes are the payload of the decision's record from now on.
    case blobMoved(BlobID, from: BlobLocation)
    /// Blobs that nothing names any more. Those in files are listed as garbage, at ascending positions from `position` on.
    case garbage([BlobID], position: Int64)
    case garbageForgotten([BlobID])
    /// Replaces the row of the same object, and notes the change for those who follow, under an ascending number.
    case asset(Asset, change: Int64)
    case assetRemoved(AssetID, change: Int64, at: Timestamp)
    /// All who follow have these changes.
    case assetChangesForgotten(through: Int64)
    case event(ObjectEvent)
    /// The jobs of these events are made.
    case eventsPlanned(through: Int64)
    /// Replaces the row of the same id.
    case jobGroup(JobGroup)
    /// Replaces the row of the same id.
    case job(Job)
    /// Groups with their jobs.
    case historyForgotten(eventsThrough: Int64, groups: [JobID])
    /// A new revision of a bucket's hooks; no bytes where it has none any more.
    case hooks(BucketID, revision: Int64, [UInt8], at: Timestamp)
    /// Replaces the row of the same name.
    case target(StoredTarget)
    case targetRemoved(String)
    case targetMoved(String, position: Int64, droppedCount: Int64)
}
