/// Why a metadata operation did not happen. `Gateway` maps each case to one S3 error.
public enum MetadataError: Error, Sendable, Equatable {
    case noSuchBucket
    case bucketExists(owner: String)
    case bucketNotEmpty
    case noSuchKey
    /// The named version does not exist.
    case noSuchVersion
    case noSuchUpload
    /// A part named by Complete does not exist, or its ETag or checksum differs.
    case invalidPart(number: Int)
    /// A part but the last is below the smallest size; all in bytes.
    case partTooSmall(number: Int, size: UInt64, sizeMin: UInt64)
    /// A condition of the request does not hold for the current version.
    case preconditionFailed
    case userExists
    case accessKeyExists
    case noSuchUser
    case noSuchJob
    /// The job was given to another, was cancelled, or ended otherwise.
    case leaseLost
    /// The object that a job was for is gone.
    case sourceGone
    /// The key's latest version, or the bucket's hooks, are others than the request took them for.
    case superseded
    /// More users, buckets or the like than the configured limit.
    case limitExceeded(String)
    /// The disk is full. Nothing of the operation was done; what makes room still works.
    case diskFull
    /// The store takes no more work for now: too much waits, or it is closing. Nothing of the operation was begun; try again.
    case overloaded(String)
    /// The store is away or failed for now; whether a write took effect is unknown. Try again.
    case unavailable(String)
    /// The store failed or contradicts itself. The text is for the log, never for a client.
    case broken(String)
    /// What the database holds is not what was written. Nothing of the operation was done, and what needs other pages goes on.
    /// The text is for the log, never for a client.
    case damaged(String)
}
