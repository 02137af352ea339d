import JSON
public import Metadata

/// What is done with the objects of a bucket when something happens to them.
public struct Hook: Sendable, Equatable {
    public var name: String
    public var isEnabled = true
    /// Empty for one that only bindings set off.
    public var events: Set<EventName>
    public var filter = HookFilter()
    /// Each stands behind the one that it runs after.
    public var steps: [Step]
    /// Targets, as `kind:name`, that are told of the hook's end; of the event itself where it has no steps.
    public var notify: [String] = []
    /// The name of the queue that its jobs wait in.
    public var queue = Self.queueDefault
    /// -100...100; the higher is served first. A job that has waited a minute counts as one higher.
    public var priority = 0
    /// Jobs of this hook that run at once; nil for any.
    public var concurrencyMax: Int?
    /// Jobs of this hook that start within a period; nil for any.
    public var rate: Rate?
    /// Set for a hook that runs by the clock; it has no events then.
    public var schedule: Schedule?
    /// Whether a new event of the same key takes the place of one with whose jobs no worker has begun.
    public var isUnique = false
    /// Where its files go.
    public var output = OutputPlace()

    public static let queueDefault = "default"
    static let stepCountMax = 32

    public struct Rate: Sendable, Equatable {
        /// 1...1000000.
        public var count: Int
        public var period: Duration
    }

    init(reading value: JSONValue, at path: String, presets: Set<String>) throws(JSONFault) {
        let members = try JSONMembers(
            value,
            of: [
                "name", "enabled", "on", "when", "steps", "notify", "queue", "priority", "concurrency", "rate",
                "schedule",
                "unique", "output",
            ], at: path)
        guard let name = try members.name("name") else { throw members.fault("name", wanted: HookName.wanted) }
        self.name = name
        isEnabled = try members.flag("enabled") ?? isEnabled
        events = []
        for (place, text) in try members.texts("on", countMax: 50, wanted: EventSelector.wanted) {
            guard let found = EventSelector.events(of: text) else {
                throw JSONFault(path: place, value: text, wanted: EventSelector.wanted)
            }
            events.formUnion(found)
        }
        if let text = try members.text("schedule", wanted: Schedule.wanted) {
            guard let schedule = Schedule(text) else { throw members.fault("schedule", wanted: Schedule.wanted) }
            guard events.isEmpty else { throw members.fault("schedule", wanted: "either events or a schedule") }
            self.schedule = schedule
            events = [.scheduled]
        }
        // An empty list leaves it to bindings.
        guard !events.isEmpty || members["on"] == .array([]) else {
            throw members.fault("on", wanted: EventSelector.wanted)
        }
        if let value = members["when"] { filter = try HookFilter(reading: value, at: members.path(of: "when")) }
        steps = try Self.steps(members, presets: presets)
        if let value = members["output"] { output = try OutputPlace(reading: value, at: members.path(of: "output")) }
        for (place, text) in try members.texts("notify", countMax: 50, wanted: TargetName.wanted) {
            guard TargetName(text) != nil else { throw JSONFault(path: place, value: text, wanted: TargetName.wanted) }
            notify.append(text)
        }
        guard !steps.isEmpty || !notify.isEmpty else {
            throw members.fault("steps", wanted: "at least one step, or a target to notify")
        }
        queue = try members.name("queue") ?? queue
        if let priority = try members.integer("priority", in: -100...100) { self.priority = Int(priority) }
        concurrencyMax = try members.integer("concurrency", in: 1...10_000).map { Int($0) }
        rate = try Self.rate(members)
        isUnique = try members.flag("unique") ?? isUnique
        try refuseStepsWithoutObject(members)
    }

    private static func rate(_ members: JSONMembers) throws(JSONFault) -> Rate? {
        let wanted = "a rate such as 10/s, 100/m or 5000/h"
        guard let text = try members.text("rate", wanted: wanted) else { return nil }
        let parts = text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).map {
            String(decoding: Array($0), as: UTF8.self)
        }
        let periods: [String: Duration] = ["s": .seconds(1), "m": .seconds(60), "h": .seconds(3600)]
        guard parts.count == 2, parts[0].utf8.count <= 7, let count = Int(parts[0]), (1...1_000_000).contains(count),
            let period = periods[parts[1]]
        else { throw members.fault("rate", wanted: wanted) }
        return Rate(count: count, period: period)
    }

    /// In an order in which each stands behind the one that it runs after.
    private static func steps(_ members: JSONMembers, presets: Set<String>) throws(JSONFault) -> [Step] {
        guard let value = members["steps"] else { return [] }
        let object = try JSONMembers(anyOf: value, at: members.path(of: "steps"))
        guard object.names.count <= stepCountMax else {
            throw members.fault("steps", wanted: "at most \(stepCountMax) steps")
        }
        var waiting: [Step] = []
        for name in object.names {
            guard HookName.isName(name) else { throw JSONFault(path: object.path(of: name), wanted: HookName.wanted) }
            let value = try object.required(name, wanted: "a step")
            waiting.append(try Step(name, reading: value, at: object.path(of: name), presets: presets))
        }
        for step in waiting {
            guard let after = step.after else { continue }
            guard let former = waiting.first(where: { $0.name == after }) else {
                throw JSONFault(
                    path: "\(object.path(of: step.name)).after", value: after, wanted: "the name of a step of this hook"
                )
            }
            if step.action.isMedia, !former.action.makesFiles {
                throw JSONFault(
                    path: "\(object.path(of: step.name)).after", value: after, wanted: "a step that makes files")
            }
        }
        var ordered: [Step] = []
        while !waiting.isEmpty {
            let ready = waiting.filter { step in
                step.after.map { after in ordered.contains { $0.name == after } } ?? true
            }
            guard !ready.isEmpty else {
                let step = waiting[0]
                throw JSONFault(
                    path: "\(object.path(of: step.name)).after", value: step.after,
                    wanted: "no cycle: \(Self.cycle(from: step, in: waiting))")
            }
            ordered += ready
            waiting.removeAll { step in ready.contains { $0.name == step.name } }
        }
        return ordered
    }

    private static func cycle(from step: Step, in steps: [Step]) -> String {
        var names = [step.name]
        var next = step.after
        while let name = next, !names.contains(name) {
            names.append(name)
            next = steps.first { $0.name == name }?.after
        }
        return (names + [next ?? ""]).joined(separator: " after ")
    }

    /// Where no object is there, nothing can be read.
    private func refuseStepsWithoutObject(_ members: JSONMembers) throws(JSONFault) {
        guard let (step, event) = stepWithoutObject(at: events) else { return }
        throw JSONFault(
            path: "\(members.path(of: "steps")).\(step.name)", value: step.action.name,
            wanted: "only addon and deliver steps, as no object is there at \(event.text)")
    }

    /// A step that could not run at one of these events, as it reads the object.
    func stepWithoutObject(at events: Set<EventName>) -> (step: Step, event: EventName)? {
        guard let event = events.first(where: { !$0.leavesObject }) else { return nil }
        for step in steps {
            switch step.action {
            case .addon, .deliver: continue
            case .watermark, .variants, .preview, .probe, .transcode, .tag: return (step, event)
            }
        }
        return nil
    }
}

/// Where a hook's files go: a bucket, and a pattern of keys.
public struct OutputPlace: Sendable, Equatable {
    public var bucket: BucketName?
    /// With the placeholders of `placeholders`.
    public var pattern = "{bucket}/{key}/{version}/{step}/{name}"

    /// The bucket of a place that names none.
    public static let bucketDefault = "derived-assets"
    static let placeholders = ["bucket", "key", "version", "step", "name", "stem"]

    public init() {}

    init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(value, of: ["bucket", "key"], at: path)
        if let text = try members.text("bucket", wanted: "a bucket's name") {
            guard let bucket = BucketName(Array(text.utf8)) else {
                throw members.fault("bucket", wanted: "a bucket's name")
            }
            self.bucket = bucket
        }
        let wanted =
            "a key with placeholders among \(Self.placeholders.map { "{\($0)}" }.joined(separator: ", ")), "
            + "with {name} or {stem} in it"
        guard let text = try members.text("key", wanted: wanted) else { return }
        let names = Pattern(text)?.names
        guard let names, text.utf8.count <= 512, names.allSatisfy(Self.placeholders.contains),
            names.contains("name") || names.contains("stem")
        else { throw members.fault("key", wanted: wanted) }
        pattern = text
    }

    /// The key of a file. The parts of `values` that are no placeholder stay as they are.
    public func key(_ values: [String: [UInt8]]) -> [UInt8] { Pattern(pattern)?.filled(values) ?? [] }
}
