import Bytes

/// A write as it was asked for. `Decider` turns it into a `Decision` within the commit.
enum Mutation: Sendable {
    case createBucket(BucketName, owner: String, at: Timestamp)
    case deleteBucket(BucketID)
    case setVersioning(VersioningState, BucketID)
    /// Replaces the bucket's document of a kind; nil removes it.
    case configure(BucketID, BucketConfiguration.Kind, [UInt8]?)
    case publish(NewVersion)
    case delete(DeleteRequest)
    case setTags([Tag], ObjectKey, BucketID, VersionID?, EventDraft?)
    case createUpload(Upload)
    case putPart(UploadedPart, NewBlob?, UploadID, ObjectKey, BucketID)
    case completeUpload(CompleteRequest)
    case abortUpload(UploadID, ObjectKey, BucketID)
    case addUser(User)
    case updateUser(User)
    case forgetGarbage([BlobID])
    /// Writes the bytes of a blob anew into the log, if the blob still lies where they were read from.
    case relocate(StoredBlob, bytes: [UInt8])
    /// Whether the bucket's objects are assets.
    case setAssets(Bool, BucketID)
    case setAssetDetails(AssetDetails, AssetID, ifNow: AssetDetails?)
    /// Objects that were there before their bucket had assets become some.
    case makeAssets([ObjectKey], BucketID)
    /// Forgets changes of assets that all who follow have.
    case forgetAssetChanges(through: Int64)
    /// Replaces a bucket's hooks by a new revision of them, where that of `ifRevision` is the present one; no bytes for none.
    case setHooks([UInt8], BucketID, ifRevision: Int64?)
    /// Notes events that no change of their objects brings; each gets its position and moment anew.
    case noteEvents([ObjectEvent])
    /// Makes the jobs of events. Nothing happens where others made those of `after` meanwhile.
    case planJobs(after: Int64, through: Int64, [JobGroup])
    case claimJobs(JobClaim)
    case completeJob(JobCompletion)
    case endTry(JobFailure)
    /// Keeps what came from outside for a job that waits for it.
    case answerJob(JobID, [UInt8])
    case cancelJobs(group: JobID)
    case retryJob(JobID)
    /// Registers a receiver of events, or replaces what was said of it.
    case setTarget(StoredTarget)
    case removeTarget(String)
    /// Notes how far a target is.
    case moveTarget(String, to: Int64, dropping: Int64)
    /// Forgets what ended long ago.
    case forgetHistory(before: Timestamp)
    /// Forgets results of Complete that are older than clients may ask for.
    case forgetCompleted(before: Timestamp)
}

extension Mutation {
    /// Bytes that it brings into the log beside its own record.
    var payloadLength: Int {
        switch self {
        case .publish(let new): new.blob?.bytes?.count ?? 0
        case .putPart(_, let blob, _, _, _): blob?.bytes?.count ?? 0
        case .relocate(_, let bytes): bytes.count
        default: 0
        }
    }

    /// Whether it follows from writes, and no client waits for it.
    var isBehindWrites: Bool {
        switch self {
        case .planJobs, .claimJobs, .completeJob, .endTry, .moveTarget, .forgetHistory, .forgetGarbage,
            .forgetCompleted, .forgetAssetChanges, .relocate, .makeAssets:
            true
        case .createBucket, .deleteBucket, .setVersioning, .configure, .publish, .delete, .setTags, .createUpload,
            .putPart,
            .completeUpload, .abortUpload, .addUser, .updateUser, .setAssets, .setAssetDetails, .setHooks, .noteEvents,
            .cancelJobs, .retryJob, .setTarget, .removeTarget, .answerJob:
            false
        }
    }

    /// Whether it is tried on a disk that is full: it makes room, or lets others make room.
    var makesRoom: Bool {
        switch self {
        case .delete, .deleteBucket, .abortUpload, .forgetGarbage, .forgetCompleted, .forgetAssetChanges,
            .forgetHistory, .removeTarget, .moveTarget:
            true
        case .createBucket, .setVersioning, .configure, .publish, .setTags, .createUpload, .putPart, .completeUpload,
            .addUser,
            .updateUser, .relocate, .setAssets, .setAssetDetails, .makeAssets, .setHooks, .noteEvents, .planJobs,
            .claimJobs, .completeJob, .endTry, .answerJob, .cancelJobs, .retryJob, .setTarget:
            false
        }
    }
}

/// What the caller of a `Mutation` is told once it is durable.
enum Answer: Sendable {
    case done
    case bucket(Bucket)
    case version(ObjectVersion)
    case deleted(DeleteResult)
    case versionID(VersionID)
    case asset(Asset)
    case revision(Int64)
    case planned(Bool)
    case runs(PlannedRuns?)
    case claimed([LeasedJob])
    case jobEnded(JobEnding)
    case jobAnswered(JobAnswering)
    /// So many things were made.
    case made(Int)
}
