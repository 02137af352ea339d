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

    /// Chains of hooks, each set off by what the one before made, end here.
    public static let depthMax = 8

    /// What led to an event, where a hook did.
    public struct Origin: Sendable, Equatable {
        /// The bucket of the hook that made the object.
        public var bucket: BucketID
        public var hook: String
        /// How many hooks ran one after another; 1 for the first.
        public var depth: Int

        public init(bucket: BucketID, hook: String, depth: Int) {
            self.bucket = bucket
            self.hook = hook
            self.depth = depth
        }
    }

    public enum Match: Sendable, Equatable {
        case run(hook: String)
        /// It would run, but the chain is too long: its job is made and fails at once, so that it is seen.
        case tooDeep(hook: String)
    }

    /// In the order of the configuration. What a hook made never sets off that hook.
    public func matches(
        _ event: EventName, of object: FilteredObject, in bucket: BucketID, from origin: Origin?
    ) -> [Match] {
        configuration.hooks.compactMap { hook in
            guard hook.isEnabled, hook.events.contains(event), hook.filter.matches(object) else { return nil }
            guard let origin else { return .run(hook: hook.name) }
            if origin.bucket == bucket, origin.hook == hook.name { return nil }
            return origin.depth >= Self.depthMax ? .tooDeep(hook: hook.name) : .run(hook: hook.name)
        }
    }
}
