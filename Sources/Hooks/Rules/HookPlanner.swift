import Bytes
public import Metadata

/// From an event to the run of a hook. Pure: the same arguments give the same group, but for its id.
public enum HookPlanner {
    /// What a job's wait counts for: a minute is worth one step of priority.
    private static let ageing_ms: Int64 = 60_000

    /// Nil where the hook is not among the configuration any more. What has a reason already fails at once.
    public static func group(
        of event: ObjectEvent, setOff chosen: EventHook, in configuration: HookConfiguration, id: JobID
    ) -> JobGroup? {
        configuration.hook(named: chosen.name).map { group(of: event, setOff: chosen, by: $0, id: id) }
    }

    /// A built-in hook needs no configuration for that.
    static func group(of event: ObjectEvent, setOff chosen: EventHook, by hook: Hook, id: JobID) -> JobGroup {
        var steps = hook.steps.map { step in
            JobGroup.Step(
                name: step.name, kind: step.action.name,
                after: step.after.flatMap { after in hook.steps.firstIndex { $0.name == after } },
                proceeds: step.onError == .proceed)
        }
        if chosen.isTooDeep {
            let reason =
                "a chain of hooks ends at depth \(HookRules.depthMax): \(hook.name) was set off by what other hooks made"
            for place in steps.indices { steps[place].reason = reason }
        }
        var group = JobGroup(
            id: id, event: event, hook: hook.name, queue: hook.queue, lane: lane(of: hook.name, in: event.bucket),
            rank: event.moment.milliseconds &- Int64(hook.priority) &* ageing_ms, steps: steps, notify: hook.notify,
            created: event.moment)
        group.isUnique = hook.isUnique && !chosen.isTooDeep
        return group
    }

    /// What the jobs of one hook share.
    public static func lane(of hook: String, in bucket: BucketID) -> [UInt8] {
        Ascii.decimal(of: UInt64(bitPattern: bucket.value)) + [Ascii.slash] + Array(hook.utf8)
    }
}
