import Bytes
import Hooks
import JSON
import Metadata

/// A run of a hook, which is what the routes call a job, in JSON.
enum JobJSON {
    /// What a step can be in: that of its job where it has one that has not ended well, else its own.
    static let stepStates = [
        "blocked", "available", "leased", "waiting", "completed", "failed", "skipped", "cancelled",
    ]
    static let states = ["running", "completed", "failed", "cancelled"]

    private static let file = Schema.object([
        .init("name", .string), .init("bucket", .string), .init("key", .string), .init("version_id", .string),
        .init("size", .integer), .init("content_type", .string),
    ])
    private static let step = Schema.object([
        .init("name", .string), .init("kind", .string), .init("after", .string, required: false),
        .init("state", .string(choices: stepStates)), .init("job_id", .string, required: false),
        .init("attempt", .integer, required: false), .init("worker", .string, required: false),
        .init("due_at", .string, required: false), .init("stage", .string, required: false),
        .init("fraction", .number, required: false), .init("reason", .string, required: false),
        .init("files", .array(of: file)), .init("result", .any(description: "What the step found."), required: false),
    ])
    static let schema = Schema.object([
        .init("id", .string), .init("hook", .string), .init("state", .string(choices: states)),
        .init("event", .string), .init("bucket", .string), .init("key", .string),
        .init("version_id", .string, required: false), .init("customer", .string, required: false),
        .init("queue", .string), .init("progress", .number), .init("created_at", .string),
        .init("ended_at", .string, required: false), .init("steps", .array(of: step)),
    ])

    /// `jobs` are those of the group; `engine` knows how far those are that run.
    static func value(of group: JobGroup, jobs: [Job], engine: JobEngine) async throws(MetadataError) -> JSONValue {
        var names: [BucketID: BucketName] = [:]
        for id in Set(group.steps.flatMap(\.files).map(\.bucket)) {
            names[id] = try await engine.store.bucket(id)?.name
        }
        var byStep: [Int: Job] = [:]
        for job in jobs { byStep[job.step] = job }
        var done = 0.0
        let steps = group.steps.enumerated().map { index, step -> JSONValue in
            let job = byStep[index]
            let progress = job.flatMap { $0.state.isEnded ? nil : engine.progress(of: $0.id) }
            done += step.state == .waiting || step.state == .started ? progress?.fraction ?? 0 : 1
            return value(of: step, in: group, job: job, progress: progress, names)
        }
        let event = group.event
        return [
            "id": .string(String(ascii: group.id.text)), "hook": .string(group.hook),
            "state": .string(name(of: group.state)), "event": .string("s3:" + event.draft.name.text),
            "bucket": .string(event.draft.bucketName.description), "key": .string(event.key.text),
            "version_id": event.versionID.map { .string(String(ascii: $0.utf8)) } ?? .null,
            "customer": event.draft.customer.map { .string($0) } ?? .null, "queue": .string(group.queue),
            "progress": .number(steps.isEmpty ? 1 : done / Double(steps.count)),
            "created_at": .string(String(ascii: DateFormats.iso8601(group.created))),
            "ended_at": group.ended.map { .string(String(ascii: DateFormats.iso8601($0))) } ?? .null,
            "steps": .array(steps),
        ]
    }

    private static func value(
        of step: JobGroup.Step, in group: JobGroup, job: Job?, progress: JobProgress?, _ names: [BucketID: BucketName]
    ) -> JSONValue {
        let reason = step.reason.isEmpty && step.state == .started ? job?.reason ?? "" : step.reason
        return [
            "name": .string(step.name), "kind": .string(step.kind),
            "after": step.after.flatMap { group.steps.indices.contains($0) ? .string(group.steps[$0].name) : nil }
                ?? .null,
            "state": .string(state(of: step, job)),
            "job_id": job.map { .string(String(ascii: $0.id.text)) } ?? .null,
            "attempt": job.map { .integer(Int64($0.attempt)) } ?? .null,
            "worker": job.flatMap { $0.worker.isEmpty ? nil : .string($0.worker) } ?? .null,
            "due_at": job?.due.map { .string(String(ascii: DateFormats.iso8601($0))) } ?? .null,
            "stage": progress.map { .string($0.stage) } ?? .null,
            "fraction": progress.map { .number($0.fraction) } ?? .null,
            "reason": reason.isEmpty ? .null : .string(reason),
            "files": .array(step.files.map { value(of: $0, names) }),
            "result": step.result.isEmpty ? .null : JSONValue(parsing: step.result) ?? .null,
        ]
    }

    private static func value(of file: DerivedFile, _ names: [BucketID: BucketName]) -> JSONValue {
        [
            "name": .string(file.name),
            "bucket": .string(names[file.bucket]?.description ?? ""),
            "key": .string(file.key.text), "version_id": .string(String(ascii: file.versionID.utf8)),
            "size": .integer(Int64(clamping: file.size)),
            "content_type": .string(String(decoding: file.contentType, as: UTF8.self)),
        ]
    }

    private static func state(of step: JobGroup.Step, _ job: Job?) -> String {
        switch step.state {
        case .waiting: "blocked"
        case .started: job?.state.name ?? "available"
        case .completed: "completed"
        case .failed: "failed"
        case .skipped: "skipped"
        case .cancelled: "cancelled"
        }
    }

    static func name(of state: JobGroup.State) -> String {
        switch state {
        case .running: "running"
        case .completed: "completed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }
}
