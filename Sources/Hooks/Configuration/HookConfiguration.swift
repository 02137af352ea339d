public import JSON
public import Metadata

/// The hooks of a bucket, as they are written in JSON: `{"presets": {...}, "on_demand": [...], "probe": true, "hooks": [...]}`.
public struct HookConfiguration: Sendable, Equatable {
    public var presets: [String: Preset] = [:]
    /// Presets that `GET key?variant=NAME` makes where they are not there yet.
    public var onDemand: Set<String> = []
    /// Whether what the versions of assets are is looked at as they come, by the built-in hook.
    public var probesAssets = true
    /// In the order of the document.
    public var hooks: [Hook] = []
    /// What the notification configuration of the bucket adds.
    public var bindings: [HookBinding] = []

    static let presetCountMax = 100
    static let hookCountMax = 100
    /// Of a document, in bytes.
    public static let sizeMax = 256 << 10

    public init() {}

    public init(parsing text: [UInt8]) throws(JSONFault) {
        guard text.count <= Self.sizeMax else {
            throw JSONFault(path: "", wanted: "at most \(Self.sizeMax >> 10) KiB")
        }
        guard let value = JSONValue(parsing: text) else { throw JSONFault(path: "", wanted: "JSON") }
        try self.init(reading: value)
    }

    public init(reading value: JSONValue) throws(JSONFault) {
        let members = try JSONMembers(value, of: ["presets", "on_demand", "probe", "hooks", "bindings"], at: "")
        if let value = members["presets"] {
            let object = try JSONMembers(anyOf: value, at: "presets")
            guard object.names.count <= Self.presetCountMax else {
                throw JSONFault(path: "presets", wanted: "at most \(Self.presetCountMax) presets")
            }
            for name in object.names {
                guard HookName.isName(name) else { throw JSONFault(path: "presets.\(name)", wanted: HookName.wanted) }
                presets[name] = try Preset(
                    reading: try object.required(name, wanted: "a preset"), at: object.path(of: name))
            }
        }
        let names = Set(presets.keys)
        let wanted = "the name of one of the presets"
        for (place, text) in try members.texts("on_demand", countMax: Self.presetCountMax, wanted: wanted) {
            guard names.contains(text) else { throw JSONFault(path: place, value: text, wanted: wanted) }
            onDemand.insert(text)
        }
        probesAssets = try members.flag("probe") ?? probesAssets
        for (place, value) in try members.list("hooks", countMax: Self.hookCountMax) {
            let hook = try Hook(reading: value, at: place, presets: names)
            guard !hooks.contains(where: { $0.name == hook.name }) else {
                throw JSONFault(path: "\(place).name", value: hook.name, wanted: "a name that no other hook has")
            }
            hooks.append(hook)
        }
        for (place, value) in try members.list("bindings", countMax: HookBinding.countMax) {
            let binding = try HookBinding(reading: value, at: place)
            guard !bindings.contains(where: { $0.id == binding.id }) else {
                throw JSONFault(path: "\(place).id", value: binding.id, wanted: "an id that no other binding has")
            }
            let hook = hooks.first { $0.name == binding.hook }
            if let name = binding.hook, hook == nil {
                throw JSONFault(path: "\(place).hook", value: name, wanted: "the name of one of the hooks")
            }
            if let hook, let (step, event) = hook.stepWithoutObject(at: binding.events) {
                throw JSONFault(
                    path: "\(place).on", value: event.text,
                    wanted: "no removal, as the step \(step.name) of \(hook.name) reads the object")
            }
            bindings.append(binding)
        }
    }

    /// A built-in one too.
    func hook(named name: String) -> Hook? { BuiltInHook(name)?.hook ?? hooks.first { $0.name == name } }

    /// What the store must have for the hooks to run.
    public struct Surroundings: Sendable {
        /// The bucket that the hooks are of.
        public var bucket: BucketName
        public var addons: Set<String>
        /// As `kind:name`.
        public var targets: Set<String>

        public init(bucket: BucketName, addons: Set<String>, targets: Set<String>) {
            self.bucket = bucket
            self.addons = addons
            self.targets = targets
        }
    }

    /// The targets that hooks and bindings name, as `kind:name`.
    public var targets: Set<String> {
        Set(hooks.flatMap(\.notify) + bindings.compactMap { $0.target?.description })
    }

    /// The addons that steps name.
    public var addons: Set<String> {
        Set(
            hooks.flatMap(\.steps).compactMap { step in
                if case .addon(let name, _) = step.action { name } else { nil }
            })
    }

    /// Throws where a hook names an addon or a target that is not registered, or writes its files where it finds them again.
    public func check(within store: Surroundings) throws(JSONFault) {
        for (index, binding) in bindings.enumerated() {
            if let name = binding.target?.description, !store.targets.contains(name) {
                throw JSONFault(
                    path: "bindings[\(index)].target", value: name, wanted: "the name of a registered target")
            }
        }
        for (index, hook) in hooks.enumerated() {
            let path = "hooks[\(index)]"
            for step in hook.steps {
                if case .addon(let name, _) = step.action, !store.addons.contains(name) {
                    throw JSONFault(
                        path: "\(path).steps.\(step.name).addon", value: name, wanted: "the name of a registered addon")
                }
            }
            for (place, name) in hook.notify.enumerated() where !store.targets.contains(name) {
                throw JSONFault(
                    path: "\(path).notify[\(place)]", value: name, wanted: "the name of a registered target")
            }
            let output = hook.output.bucket?.description ?? OutputPlace.bucketDefault
            let isFed =
                !hook.events.isDisjoint(with: EventSelector.created) && hook.steps.contains { $0.action.makesFiles }
            if isFed, output == store.bucket.description, hook.filter.prefix.isEmpty {
                throw JSONFault(
                    path: "\(path).output.bucket", value: output,
                    wanted: "another bucket than its own, or a prefix in when that keeps its files out")
            }
        }
    }
}
