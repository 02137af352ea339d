import Bytes

/// A write as it was asked for. `Decider` turns it into a `Decision` within the commit.
enum Mutation: Sendable {
    case createBucket(BucketName, owner: String, at: Timestamp)
    case deleteBucket(BucketID)
    case setVersioning(VersioningState, BucketID)
    case publish(NewVersion)
    case delete(DeleteRequest)
    case setTags([Tag], ObjectKey, BucketID, VersionID?)
    case createUpload(Upload)
    case putPart(UploadedPart, UploadID, ObjectKey, BucketID)
    case completeUpload(CompleteRequest)
    case abortUpload(UploadID, ObjectKey, BucketID)
    case addUser(User)
    case updateUser(User)
    case forgetGarbage([BlobID])
    /// Forgets results of Complete that are older than clients may ask for.
    case forgetCompleted(before: Timestamp)
}

/// What the caller of a `Mutation` is told once it is durable.
enum Answer: Sendable {
    case done
    case bucket(Bucket)
    case version(ObjectVersion)
    case deleted(DeleteResult)
    case versionID(VersionID)
}
