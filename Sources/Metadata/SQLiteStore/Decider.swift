import Bytes
import SQLite

/// Decides mutations within the committer's transaction: reads rows, checks conditions, draws numbers; writes nothing.
struct Decider {
    let rows: Rows
    let limits: SQLiteStoreConfiguration
    /// The store's clock when the batch began. It dates versions, it never orders them.
    let now: Timestamp
    /// The last number drawn from the store's one counter: versions, buckets and places in the garbage queue share it.
    private(set) var sequence: Int64

    init(rows: Rows, limits: SQLiteStoreConfiguration, now: Timestamp, sequence: Int64) {
        self.rows = rows
        self.limits = limits
        self.now = now
        self.sequence = sequence
    }

    mutating func decide(_ mutation: Mutation) throws(MetadataError) -> (Decision, Answer) {
        var decision = Decision(sequence: sequence)
        let answer: Answer
        switch mutation {
        case .createBucket(let name, let owner, let moment):
            answer = .bucket(try createBucket(name, owner: owner, at: moment, &decision))
        case .deleteBucket(let id): answer = try deleteBucket(id, &decision)
        case .setVersioning(let state, let id): answer = try setVersioning(state, of: id, &decision)
        case .configure(let id, let kind, let document):
            answer = try configure(id, kind, with: document, &decision)
        case .publish(let new): answer = .version(try publish(new, &decision))
        case .delete(let request): answer = .deleted(try delete(request, &decision))
        case .setTags(let tags, let key, let bucket, let version, let event):
            answer = .versionID(try setTags(tags, of: key, in: bucket, version, event, &decision))
        case .createUpload(let upload): answer = try createUpload(upload, &decision)
        case .putPart(let part, let blob, let upload, let key, let bucket):
            answer = try putPart(part, blob, of: upload, key, in: bucket, &decision)
        case .completeUpload(let request): answer = .version(try complete(request, &decision))
        case .abortUpload(let id, let key, let bucket): answer = try abort(id, of: key, in: bucket, &decision)
        case .addUser(let user): answer = try addUser(user, &decision)
        case .updateUser(let user): answer = try updateUser(user, &decision)
        case .forgetGarbage(let blobs):
            decision.changes.append(.garbageForgotten(blobs))
            answer = .done
        case .relocate(let blob, let bytes):
            // Dropped or moved meanwhile, it needs no new place.
            if try rows.blob(blob.id) == blob {
                decision.changes.append(.blobMoved(blob.id, from: blob.location))
                decision.payload = bytes
            }
            answer = .done
        case .setAssets(let hasAssets, let id): answer = try setAssets(hasAssets, of: id, &decision)
        case .makeAssets(let keys, let id): answer = .made(try makeAssets(of: keys, in: id, &decision))
        case .setAssetDetails(let details, let id, let former):
            answer = .asset(try setAssetDetails(details, of: id, former, &decision))
        case .forgetAssetChanges(let last):
            if try rows.hasAssetChanges(through: last) {
                decision.changes.append(.assetChangesForgotten(through: last))
            }
            answer = .done
        case .setHooks(let document, let bucket, let former):
            answer = .revision(try setHooks(document, of: bucket, ifRevision: former, &decision))
        case .noteEvents(let events): answer = .made(try note(events, &decision))
        case .planJobs(let after, let last, let groups):
            answer = .runs(try planJobs(after: after, through: last, groups, &decision))
        case .claimJobs(let claim): answer = .claimed(try claimJobs(claim, &decision))
        case .completeJob(let completion): answer = .jobEnded(try complete(completion, &decision))
        case .endTry(let failure): answer = .jobEnded(try endTry(failure, &decision))
        case .answerJob(let id, let text): answer = .jobAnswered(try self.answer(id, text, &decision))
        case .cancelJobs(let group): answer = .jobEnded(try cancelJobs(of: group, &decision))
        case .retryJob(let job): answer = .jobEnded(try retry(job, &decision))
        case .setTarget(let target): answer = try setTarget(target, &decision)
        case .removeTarget(let name): answer = try removeTarget(name, &decision)
        case .moveTarget(let name, let position, let count):
            answer = try moveTarget(name, to: position, dropping: count, &decision)
        case .forgetHistory(let moment): answer = try forgetHistory(before: moment, &decision)
        case .forgetCompleted(let moment):
            if try rows.hasCompleted(before: moment) { decision.changes.append(.completedForgotten(before: moment)) }
            answer = .done
        }
        decision.sequence = sequence
        return (decision, answer)
    }

    // MARK: Buckets

    private mutating func createBucket(
        _ name: BucketName, owner: String, at moment: Timestamp, _ decision: inout Decision
    ) throws(MetadataError) -> Bucket {
        if let existing = try rows.bucket(named: name) { throw .bucketExists(owner: existing.owner) }
        if try rows.bucketCount() >= Int64(limits.bucketCountMax) {
            throw .limitExceeded("\(limits.bucketCountMax) buckets")
        }
        let bucket = Bucket(
            id: BucketID(draw()), name: name, owner: owner, created: moment, versioning: .unversioned)
        decision.changes.append(.bucket(bucket))
        return bucket
    }

    /// Uploads in progress do not hold a bucket; they are aborted with it, as on AWS.
    private mutating func deleteBucket(_ id: BucketID, _ decision: inout Decision) throws(MetadataError) -> Answer {
        _ = try bucket(id)
        if try !rows.isEmpty(id) { throw .bucketNotEmpty }
        var blobs: [BlobID] = []
        for upload in try rows.uploads(in: id) {
            decision.changes.append(.uploadRemoved(upload))
            blobs += try rows.parts(of: upload, after: Int.min, limit: Int.max).compactMap(\.blob)
        }
        drop(blobs, &decision)
        // Left over where the bucket's objects ceased to be assets.
        for asset in try rows.assets(in: id) { removeAsset(asset, &decision) }
        decision.changes.append(.bucketRemoved(id))
        return .done
    }

    private func setVersioning(
        _ state: VersioningState, of id: BucketID, _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        let old = try bucket(id)
        // Versioning is never undone, only suspended: former versions may be there.
        let state = state == .unversioned && old.versioning != .unversioned ? .suspended : state
        decision.changes.append(
            .bucket(
                Bucket(
                    id: id, name: old.name, owner: old.owner, created: old.created, versioning: state,
                    assets: old.assets)))
        return .done
    }

    private func configure(
        _ id: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?, _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        guard var configuration = try rows.configuration(of: id) else { throw .noSuchBucket }
        if configuration[kind] == document { return .done }
        configuration[kind] = document
        decision.changes.append(.bucketConfigured(id, configuration))
        return .done
    }

    func bucket(_ id: BucketID) throws(MetadataError) -> Bucket {
        guard let bucket = try rows.bucket(id) else { throw .noSuchBucket }
        return bucket
    }

    // MARK: Users

    private func addUser(_ user: User, _ decision: inout Decision) throws(MetadataError) -> Answer {
        if try rows.user(named: user.name) != nil { throw .userExists }
        if try rows.user(accessKey: user.accessKey) != nil { throw .accessKeyExists }
        if try rows.userCount() >= Int64(limits.userCountMax) { throw .limitExceeded("\(limits.userCountMax) users") }
        decision.changes.append(.user(user))
        return .done
    }

    private func updateUser(_ user: User, _ decision: inout Decision) throws(MetadataError) -> Answer {
        guard try rows.user(named: user.name) != nil else { throw .noSuchUser }
        if let holder = try rows.user(accessKey: user.accessKey), holder.name != user.name { throw .accessKeyExists }
        decision.changes.append(.user(user))
        return .done
    }

    // MARK: Shared

    mutating func draw() -> Int64 {
        sequence += 1
        return sequence
    }

    func adopt(_ blob: NewBlob, _ decision: inout Decision) {
        decision.changes.append(
            .blobAdded(blob.id, size: blob.size, crc32c: blob.crc32c, isInLog: blob.bytes != nil))
        decision.payload = blob.bytes
    }

    mutating func drop(_ blobs: [BlobID], _ decision: inout Decision) {
        guard !blobs.isEmpty else { return }
        decision.changes.append(.garbage(blobs, position: sequence + 1))
        sequence += Int64(blobs.count)
    }

    /// 32 random lower-case hexadecimal digits.
    static func newVersionID() -> VersionID {
        var random = SystemRandomNumberGenerator()
        return .id(Hex.encode(random.next(), width: 16) + Hex.encode(random.next(), width: 16))
    }
}
