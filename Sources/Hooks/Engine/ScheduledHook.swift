import Bytes
import Metadata
import Threads

/// A hook that runs by the clock, and when it does next. What comes while no gateway runs is left out.
struct ScheduledHook {
    var name: String
    var schedule: Schedule
    var revision: Int64
    var next: Timestamp
    /// Targets that are told of the moment, by a hook without steps.
    var told: [String]

    /// Nil for none.
    static func all(in rules: HookRules, after moment: Timestamp) -> [ScheduledHook]? {
        let found = rules.configuration.hooks.compactMap { hook -> ScheduledHook? in
            guard hook.isEnabled, let schedule = hook.schedule, let next = schedule.next(after: moment) else {
                return nil
            }
            return ScheduledHook(
                name: hook.name, schedule: schedule, revision: rules.revision, next: next,
                told: hook.steps.isEmpty ? hook.notify : [])
        }
        return found.isEmpty ? nil : found
    }

    /// The event of its moment, whose key is its name: nothing of the bucket is meant.
    func event(in bucket: Bucket) -> ObjectEvent? {
        guard let key = ObjectKey(name.utf8) else { return nil }
        var draft = EventDraft(
            name: .scheduled, bucketName: bucket.name, principal: bucket.owner, customer: nil, revision: revision)
        if told.isEmpty { draft.hooks = [EventHook(name: name)] }
        draft.bindings = told.map { EventBinding(id: name, target: $0) }
        return ObjectEvent(
            position: 0, moment: next, bucket: bucket.id, key: key, versionID: nil, sequence: 0, size: 0, etag: nil,
            draft: draft)
    }
}

extension JobEngine {
    /// Notes the events of those whose moment came. Of several gateways one does it for all.
    func runSchedules(at now: Timestamp) async {
        let due = state.withLock { state -> [(BucketID, ScheduledHook)] in
            var due: [(BucketID, ScheduledHook)] = []
            for (bucket, hooks) in state.schedules {
                var left: [ScheduledHook] = []
                for var hook in hooks {
                    if hook.next <= now {
                        due.append((bucket, hook))
                        guard let next = hook.schedule.next(after: now) else { continue }
                        hook.next = next
                    }
                    left.append(hook)
                }
                if hooks.contains(where: { $0.next <= now }) { state.schedules[bucket] = left.isEmpty ? nil : left }
            }
            return due
        }
        if due.isEmpty { return }
        do throws(MetadataError) {
            guard try await store.takeDuty("schedules", for: .seconds(90)) else { return }
            var events: [ObjectEvent] = []
            for (id, hook) in due {
                if let bucket = try await store.bucket(id), let event = hook.event(in: bucket) { events.append(event) }
            }
            guard !events.isEmpty else { return }
            _ = try await store.noteEvents(events)
            notice()
        } catch {
            report(.scheduling(error))
        }
    }
}
