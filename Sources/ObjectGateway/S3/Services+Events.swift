import Buckets
import Hooks
import Metadata

/// Writes with the events that they make. A bucket without hooks costs one look into memory.
extension Services {
    /// As `ObjectStore.publish`.
    func publish(
        _ staged: StagedBlob, as new: NewVersion, in bucket: Bucket, noting name: EventName, by caller: Caller
    ) async throws -> ObjectVersion {
        // A call that may wait costs a frame even where it does not.
        var (rules, isAnswered) = knownRules(of: bucket)
        if !isAnswered { rules = try await self.rules(of: bucket) }
        guard let rules, rules.waits(for: [name], in: bucket) else { return try await objects.publish(staged, as: new) }
        let object = FilteredObject(
            key: new.key.utf8, size: staged.size, contentType: new.attributes.contentType, tags: new.tags,
            userMetadata: new.attributes.userMetadata, customer: caller.customer)
        var new = new
        new.event = rules.draft(name, of: object, in: bucket, because: EventCause(caller))
        let version = try await objects.publish(staged, as: new)
        if new.event != nil { jobs?.notice() }
        return version
    }

    /// As `ObjectStore.completeUpload`. `upload` is nil where it is gone: then nothing happens that was not told of before.
    func complete(
        _ request: CompleteRequest, of upload: Upload?, in bucket: Bucket, by caller: Caller
    ) async throws -> ObjectVersion {
        var request = request
        if let upload, let rules = try await rules(of: bucket), rules.waits(for: [.createdComplete], in: bucket) {
            let parts = try await metadata.parts(of: upload.id, after: 0, limit: PartReference.numberMax)
            let numbers = Set(request.parts.map(\.number))
            let size = parts.reduce(UInt64(0)) { numbers.contains($1.number) ? $0 &+ $1.size : $0 }
            let object = FilteredObject(
                key: request.key.utf8, size: size, contentType: upload.attributes.contentType, tags: upload.tags,
                userMetadata: upload.attributes.userMetadata, customer: try await customer(of: upload.owner, by: caller)
            )
            request.event = rules.draft(.createdComplete, of: object, in: bucket, because: EventCause(caller))
        }
        let version = try await objects.completeUpload(request)
        if request.event != nil { jobs?.notice() }
        return version
    }

    /// What is to be noted of `name` in the commit that makes it happen; nil where no hook waits for it. `object` is asked where
    /// the bucket has hooks.
    func event(
        _ name: EventName, in bucket: Bucket, by caller: Caller, of object: () async throws -> FilteredObject
    ) async throws -> EventDraft? {
        guard let rules = try await rules(of: bucket), rules.waits(for: [name], in: bucket) else { return nil }
        return rules.draft(name, of: try await object(), in: bucket, because: EventCause(caller))
    }

    /// Nil where the bucket has no hooks.
    func rules(of bucket: Bucket) async throws -> HookRules? {
        let (known, isAnswered) = knownRules(of: bucket)
        return isAnswered ? known : try await jobs?.hooks.rules(of: bucket)
    }

    /// What memory alone says.
    private func knownRules(of bucket: Bucket) -> (rules: HookRules?, isAnswered: Bool) {
        jobs?.hooks.known(of: bucket) ?? (nil, true)
    }

    func filtered(_ version: ObjectVersion) async throws -> FilteredObject {
        FilteredObject(version, customer: try await jobs?.store.customer(ofUser: version.owner))
    }

    private func customer(of owner: String, by caller: Caller) async throws -> String? {
        owner == caller.name ? caller.customer : try await jobs?.store.customer(ofUser: owner)
    }
}

extension EventCause {
    init(_ caller: Caller) {
        self.init(principal: caller.name, address: caller.address, requestID: caller.requestID)
    }
}
