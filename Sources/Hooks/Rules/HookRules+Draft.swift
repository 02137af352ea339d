public import Metadata

/// What led to an event, for its record.
public struct EventCause: Sendable {
    /// The name of the user whose request it was; that of the object's owner where a hook made it.
    public var principal: String
    /// As text; empty where no request led to it.
    public var address: String
    public var requestID: [UInt8]
    /// Set where a hook led to it.
    public var origin: EventOrigin?

    public init(principal: String, address: String = "", requestID: [UInt8] = [], origin: EventOrigin? = nil) {
        self.principal = principal
        self.address = address
        self.requestID = requestID
        self.origin = origin
    }
}

extension HookRules {
    /// What is to be noted of an event before its commit; nil where it sets off no hook.
    public func draft(
        _ name: EventName, of object: FilteredObject, in bucket: Bucket, because cause: EventCause
    ) -> EventDraft? {
        let chosen = matches(name, of: object, in: bucket.id, from: cause.origin)
        guard !chosen.isEmpty else { return nil }
        var draft = EventDraft(
            name: name, bucketName: bucket.name, principal: cause.principal, customer: object.customer,
            sourceAddress: Array(cause.address.utf8), requestID: cause.requestID, origin: cause.origin,
            revision: revision)
        draft.hooks = chosen
        return draft
    }

    /// Whether one of these can set off a hook at all.
    public func waits(for names: Set<EventName>) -> Bool {
        configuration.hooks.contains { $0.isEnabled && !$0.events.isDisjoint(with: names) }
            || configuration.bindings.contains { !$0.events.isDisjoint(with: names) }
    }
}

extension FilteredObject {
    /// `customer` is the one whose object it is.
    public init(_ version: ObjectVersion, customer: String?) {
        self.init(
            key: version.key.utf8, size: version.size, contentType: version.attributes.contentType,
            tags: version.tags, userMetadata: version.attributes.userMetadata, customer: customer)
    }
}
