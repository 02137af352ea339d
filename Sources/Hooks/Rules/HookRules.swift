public import Metadata

/// Which hooks of a bucket an event sets off. Pure: the same arguments give the same answer.
public struct HookRules: Sendable {
    public let configuration: HookConfiguration
    /// Counts the changes of the bucket's configuration.
    public let revision: Int64

    public init(_ configuration: HookConfiguration, revision: Int64) {
        self.configuration = configuration
        self.revision = revision
    }

    /// Those of a bucket without a document.
    public static let none = HookRules(HookConfiguration(), revision: 0)

    /// Chains of hooks, each set off by what the one before made, end here.
    public static let depthMax = 8

    /// In the order of the configuration. What a hook made never sets off that hook.
    public func matches(
        _ event: EventName, of object: FilteredObject, in bucket: BucketID, from origin: EventOrigin?
    ) -> [EventHook] {
        configuration.hooks.compactMap { hook in
            guard hook.isEnabled, hears(hook, of: event, key: object.key), hook.filter.matches(object) else {
                return nil
            }
            guard let origin else { return EventHook(name: hook.name) }
            if origin.bucket == bucket, origin.hook == hook.name { return nil }
            return EventHook(name: hook.name, isTooDeep: origin.depth >= Self.depthMax)
        }
    }

    /// Whether the event is one of the hook's own, or of a binding for such keys.
    public func hears(_ hook: Hook, of event: EventName, key: [UInt8]) -> Bool {
        hook.events.contains(event)
            || configuration.bindings.contains { $0.hook == hook.name && $0.matches(event, key) }
    }
}
