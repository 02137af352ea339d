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
    /// What is to be noted of an event before its commit; nil where it sets off no hook, and nobody is told of it.
    ///
    /// A hook without steps has nothing to run: its targets are told of the event itself. Those of a hook with steps are told when
    /// these have ended.
    public func draft(
        _ name: EventName, of object: FilteredObject, in bucket: Bucket, because cause: EventCause
    ) -> EventDraft? {
        var chosen = matches(name, of: object, in: bucket.id, from: cause.origin)
        var told: [EventBinding] = []
        for hook in configuration.hooks where hook.steps.isEmpty && chosen.contains(where: { $0.name == hook.name }) {
            chosen.removeAll { $0.name == hook.name }
            told += hook.notify.map { EventBinding(id: hook.name, target: $0) }
        }
        for binding in configuration.bindings where binding.matches(name, object.key) {
            if let target = binding.target { told.append(EventBinding(id: binding.id, target: target.description)) }
        }
        if probes(in: bucket), BuiltInHook.probeEvents.contains(name), BuiltInHook.probes(object) {
            chosen.append(EventHook(name: BuiltInHook.probe.name))
        }
        guard !chosen.isEmpty || !told.isEmpty else { return nil }
        var draft = EventDraft(
            name: name, bucketName: bucket.name, principal: cause.principal, customer: object.customer,
            sourceAddress: Array(cause.address.utf8), requestID: cause.requestID, origin: cause.origin,
            revision: revision)
        draft.hooks = chosen
        draft.bindings = told
        return draft
    }

    /// Whether the built-in probe runs there.
    public func probes(in bucket: Bucket) -> Bool { bucket.hasAssets && configuration.probesAssets }

    /// Whether one of these can set off a hook at all.
    public func waits(for names: Set<EventName>, in bucket: Bucket) -> Bool {
        (probes(in: bucket) && !names.isDisjoint(with: BuiltInHook.probeEvents))
            || configuration.hooks.contains { $0.isEnabled && !$0.events.isDisjoint(with: names) }
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
