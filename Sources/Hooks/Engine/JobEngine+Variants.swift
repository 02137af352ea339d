import Bytes
public import Metadata

/// What came of a variant that was to be made.
public enum VariantOutcome: Sendable, Equatable {
    /// Its files are where the built-in hook puts them.
    case made
    /// It cannot be made of this version.
    case failed(reason: String)
    /// It takes longer than the caller waits.
    case underWay
    /// So many are being made already that no other is begun.
    case tooMany
    /// There is nobody who could make it.
    case noWorkers
}

/// A variant as it is asked for.
public struct VariantWish: Sendable {
    public var preset: String
    public var version: ObjectVersion
    public var bucket: Bucket
    /// Of the bucket's hooks, which have the preset.
    public var revision: Int64
    /// The name of the user who asks.
    public var reader: String

    public init(preset: String, version: ObjectVersion, bucket: Bucket, revision: Int64, reader: String) {
        self.preset = preset
        self.version = version
        self.bucket = bucket
        self.revision = revision
        self.reader = reader
    }
}

/// Variants that are made when somebody asks for them.
extension JobEngine {
    /// Runs of a key that are looked through for one of the wish.
    private static let runsMax = 200

    /// Makes the variant by one job, however many ask at once, and waits for its end up to `wait`. What failed for good is not tried
    /// again as long as the run is remembered and the hooks are the same.
    public func makeVariant(_ wish: VariantWish, wait: Duration) async throws(MetadataError) -> VariantOutcome {
        let until = ContinuousClock.now + wait
        let hook = BuiltInHook.variant(wish.preset).name
        let wanted = VariantQueue.Wanted(
            bucket: wish.bucket.id, key: wish.version.key, sequence: wish.version.sequence, hook: hook)
        let former = try await run(of: wish, hook)
        if let former, former.state == .failed, former.event.draft.revision == wish.revision {
            return Self.outcome(of: former)
        }
        guard hasWorkers else { return .noWorkers }
        switch variants.enter(wanted, reader: wish.reader, isUnderWay: former?.state == .running, at: .now) {
        case .tooMany: return .tooMany
        case .joined:
            // A run of another time may have ended since it was looked for.
            if let former, former.state == .running, let group = try await store.jobGroup(former.id) {
                tellReaders(of: group)
            }
        case .first:
            do throws(MetadataError) {
                let made = try await store.noteEvents([try await event(of: wish, hook: hook)])
                guard made > 0 else { throw .noSuchBucket }
            } catch {
                variants.end(wanted, nil)
                throw error
            }
            notice()
        }
        if let group = await variants.wait(for: wanted, until: until) { return Self.outcome(of: group) }
        // It may have ended before this one waited; one of former times says nothing of it.
        guard let group = try await run(of: wish, hook), group.id != former?.id || former?.state == .running else {
            return .underWay
        }
        return Self.outcome(of: group)
    }

    /// The newest that is remembered.
    private func run(of wish: VariantWish, _ hook: String) async throws(MetadataError) -> JobGroup? {
        try await store.jobGroups(of: wish.version.key, in: wish.bucket.id, limit: Self.runsMax)
            .first { $0.hook == hook && $0.event.sequence == wish.version.sequence }
    }

    /// It is about the version as it is; nobody is told of it.
    private func event(of wish: VariantWish, hook: String) async throws(MetadataError) -> ObjectEvent {
        var draft = EventDraft(
            name: .createdPut, bucketName: wish.bucket.name, principal: wish.version.owner,
            customer: try await store.customer(ofUser: wish.version.owner), revision: wish.revision)
        draft.hooks = [EventHook(name: hook)]
        return ObjectEvent(
            position: 0, moment: .now(), bucket: wish.bucket.id, key: wish.version.key,
            versionID: wish.version.versionID, sequence: wish.version.sequence, size: wish.version.size,
            etag: wish.version.etag, draft: draft)
    }

    private static func outcome(of group: JobGroup) -> VariantOutcome {
        switch group.state {
        case .completed: .made
        case .failed: .failed(reason: group.steps.first { !$0.reason.isEmpty }?.reason ?? "no reason was given")
        case .running, .cancelled: .underWay
        }
    }

    /// Those who wait for a variant are told that its run ended.
    func tellReaders(of group: JobGroup) {
        guard group.ended != nil, case .variant? = BuiltInHook(group.hook) else { return }
        variants.end(
            VariantQueue.Wanted(
                bucket: group.event.bucket, key: group.event.key, sequence: group.event.sequence, hook: group.hook),
            group)
    }
}
