import Bytes
import Hooks
import JSON
import Metadata

/// The runs of hooks: listed, shown, watched, cancelled and retried. A user with a customer sees those of that customer's objects.
struct JobRoutes: Sendable {
    let jobs: JobEngine
    let metadata: any MetadataStore

    private static let limitMax = 100
    /// Runs that one request looks at where its filters leave most of them out.
    private static let lookedAtMax = 5_000

    var routes: [Route] {
        [
            Route(
                .get, "/api/jobs", "List runs of hooks, the newest first", access: .reader, query: Self.filters,
                response: .json(Self.page)
            ) { input in .json(try await list(input)) },
            Route(
                .get, "/api/jobs/dead", "List the dead letters: steps that failed for good", access: .reader,
                query: Self.paging, response: .json(Self.deadPage)
            ) { input in .json(try await dead(input)) },
            Route(
                .post, "/api/jobs/dead/retry", "Retry the dead letters, up to \(Self.limitMax) at a time",
                access: .editor,
                request: .object([
                    .init("hook", .string, required: false), .init("bucket", .string, required: false),
                    .init("after", .string, required: false),
                ]),
                response: .json(.object([.init("retried", .integer), .init("next", .string, required: false)]))
            ) { input in .json(try await retryDead(input)) },
            Route(
                .get, "/api/jobs/{id}", "A run of a hook with its steps", access: .reader,
                response: .json(JobJSON.schema)
            ) { input in .json(try await show(input)) },
            Route(
                .get, "/api/jobs/{id}/events", "What changes of a run, until it ends", access: .reader,
                response: .events, otherStatuses: [(204, "It ended before the Last-Event-ID.")]
            ) { input in try await JobStreams(routes: self).run(input) },
            Route(
                .post, "/api/jobs/{id}/cancel", "Cancel what has not ended of a run", access: .editor,
                response: .json(JobJSON.schema)
            ) { input in .json(try await cancel(input)) },
            Route(
                .post, "/api/jobs/{id}/retry", "Retry the steps of a run that failed for good", access: .editor,
                response: .json(JobJSON.schema)
            ) { input in .json(try await retry(input)) },
            Route(
                .get, "/api/events", "What changes of all runs", access: .reader, response: .events
            ) { input in try await JobStreams(routes: self).all(input) },
        ]
    }

    private static let paging: [Route.QueryParameter] = [
        .init("limit", .integer, "Of one page, 1 to \(limitMax). 50 where absent."),
        .init("cursor", .string, "next_cursor of the page before."),
    ]
    private static let filters: [Route.QueryParameter] =
        [
            .init("state", .string(choices: JobJSON.states), "Runs in this state only."),
            .init("bucket", .string, "Runs for objects of this bucket only."),
            .init("key", .string, "Runs for this object only; with bucket."),
            .init("hook", .string, "Of this hook only."),
        ] + paging
    private static let page = Schema.object([
        .init("jobs", .array(of: JobJSON.schema)), .init("next_cursor", .string, required: false),
    ])
    private static let deadPage = Schema.object([
        .init(
            "dead",
            .array(
                of: .object([
                    .init("job_id", .string), .init("id", .string), .init("hook", .string), .init("step", .string),
                    .init("bucket", .string), .init("key", .string), .init("attempt", .integer),
                    .init("reason", .string), .init("changed_at", .string),
                ]))), .init("next_cursor", .string, required: false),
    ])

    // MARK: Reading

    private func list(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let asked = try AskedJobs(input, limitMax: Self.limitMax)
        if let key = asked.key { return try await list(of: key, asked, input, engine) }
        var (found, before, looked) = ([JSONValue](), asked.after, 0)
        while true {
            let groups = try await engine.store.jobGroups(before: before, limit: 200)
            for group in groups {
                before = group.id
                looked += 1
                guard asked.wants(group), input.sees(group) else { continue }
                found.append(try await value(of: group, engine))
                if found.count == asked.limit { break }
            }
            let isOver = groups.count < 200 && before == groups.last?.id || groups.isEmpty
            if isOver { return Self.answer("jobs", found, next: nil) }
            if found.count == asked.limit || looked >= Self.lookedAtMax {
                return Self.answer("jobs", found, next: before)
            }
        }
    }

    /// The newest of one object, in one page.
    private func list(
        of key: ObjectKey, _ asked: AskedJobs, _ input: RouteInput, _ engine: JobEngine
    ) async throws -> JSONValue {
        guard let name = asked.bucket, let bucket = try await metadata.bucket(named: name) else {
            return Self.answer("jobs", [], next: nil)
        }
        var found: [JSONValue] = []
        for group in try await engine.store.jobGroups(of: key, in: bucket.id, limit: Self.lookedAtMax)
        where found.count < asked.limit && asked.wants(group) && input.sees(group) {
            found.append(try await value(of: group, engine))
        }
        return Self.answer("jobs", found, next: nil)
    }

    private func dead(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let asked = try AskedJobs(input, limitMax: Self.limitMax)
        var found: [JSONValue] = []
        let last = try await walkDead(engine, after: asked.after, input) { job, group in
            found.append(Self.value(ofDead: job, group))
            return found.count < asked.limit
        }
        return Self.answer("dead", found, next: last)
    }

    /// Hands on those that the caller sees, in the order of their ids, until `body` says no or enough were looked at. Returns the last one
    /// that was looked at; nil at the end.
    private func walkDead(
        _ engine: JobEngine, after: JobID?, _ input: RouteInput, _ body: (Job, JobGroup) async throws -> Bool
    ) async throws -> JobID? {
        var (after, looked) = (after, 0)
        while looked < Self.lookedAtMax {
            let jobs = try await engine.store.deadJobs(after: after, limit: 200)
            for job in jobs {
                after = job.id
                looked += 1
                guard let group = try await engine.store.jobGroup(job.group), input.sees(group) else { continue }
                if try await !body(job, group) { return after }
            }
            if jobs.count < 200 { return nil }
        }
        return after
    }

    private static func value(ofDead job: Job, _ group: JobGroup) -> JSONValue {
        [
            "job_id": .string(String(ascii: job.id.text)), "id": .string(String(ascii: group.id.text)),
            "hook": .string(group.hook),
            "step": .string(group.steps.indices.contains(job.step) ? group.steps[job.step].name : ""),
            "bucket": .string(group.event.draft.bucketName.description), "key": .string(group.event.key.text),
            "attempt": .integer(Int64(job.attempt)), "reason": .string(job.reason),
            "changed_at": .string(String(ascii: DateFormats.iso8601(job.changed))),
        ]
    }

    private static func answer(_ name: String, _ values: [JSONValue], next: JobID?) -> JSONValue {
        .object([
            .init(name, .array(values)),
            .init("next_cursor", next.map { .string(String(ascii: $0.text)) } ?? .null),
        ])
    }

    private func show(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        return try await value(of: try await group(input, engine), engine)
    }

    func value(of group: JobGroup, _ engine: JobEngine) async throws -> JSONValue {
        try await JobJSON.value(of: group, jobs: try await engine.store.jobs(of: group.id), engine: engine)
    }

    /// By its id, or by that of one of its steps' jobs. That of another customer is none.
    func group(_ input: RouteInput, _ engine: JobEngine) async throws -> JobGroup {
        guard let id = JobID([UInt8](input.parameter("id").utf8)) else { throw Self.unknown }
        var found = try await engine.store.jobGroup(id)
        if found == nil, let job = try await engine.store.job(id) {
            found = try await engine.store.jobGroup(job.group)
        }
        guard let found, input.sees(found) else { throw Self.unknown }
        return found
    }

    private static let unknown = Problem(404, "Not found", "There is no such job.")

    // MARK: Changing

    private func cancel(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let group = try await group(input, engine)
        return try await value(of: try await engine.cancel(group: group.id).group, engine)
    }

    private func retry(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let group = try await group(input, engine)
        let dead = try await engine.store.jobs(of: group.id).filter { $0.state == .dead }
        guard !dead.isEmpty else {
            throw Problem(409, "Conflict", "No step of this job has failed for good.")
        }
        for job in dead { _ = try await engine.retry(job.id) }
        return try await value(of: try await self.group(input, engine), engine)
    }

    private func retryDead(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        var after: JobID?
        if let text = input.body["after"]?.string {
            after = JobID([UInt8](text.utf8))
            if after == nil { throw Problem.invalid([.init(field: "after", wanted: "next of the answer before")]) }
        }
        let (hook, bucket) = (input.body["hook"]?.string, input.body["bucket"]?.string)
        var retried = 0
        let last = try await walkDead(engine, after: after, input) { job, group in
            guard hook == nil || hook == group.hook,
                bucket == nil || bucket == group.event.draft.bucketName.description
            else { return true }
            _ = try await engine.retry(job.id)
            retried += 1
            return retried < Self.limitMax
        }
        return [
            "retried": .integer(Int64(retried)), "next": last.map { .string(String(ascii: $0.text)) } ?? .null,
        ]
    }
}

/// A list of jobs as it was asked for.
private struct AskedJobs {
    var state: String?
    var bucket: BucketName?
    var key: ObjectKey?
    var hook: String?
    var limit = 50
    var after: JobID?

    /// Throws 422 with all parameters that are wrong.
    init(_ input: RouteInput, limitMax: Int) throws(Problem) {
        var errors: [Problem.Field] = []
        func text(_ name: StaticString) -> String? {
            input.query[name].map { String(decoding: $0, as: UTF8.self) }
        }
        state = text("state")
        if let state, !JobJSON.states.contains(state) {
            let wanted = JobJSON.states.joined(separator: ", ").namingChoices()
            errors.append(.init(field: "state", wanted: wanted, value: state))
        }
        hook = text("hook")
        if let given = text("bucket") {
            bucket = BucketName(given.utf8)
            if bucket == nil {
                errors.append(.init(field: "bucket", wanted: Administration.bucketNameRule, value: given))
            }
        }
        if let given = input.query["key"] {
            key = ObjectKey(given)
            if key == nil { errors.append(.init(field: "key", wanted: "1 to 1024 bytes")) }
            if input.query["bucket"] == nil {
                errors.append(.init(field: "bucket", wanted: "the bucket of the object"))
            }
        }
        if let given = input.query["limit"] {
            limit = Ascii.decimal(given).flatMap { Int(exactly: $0) } ?? 0
            if !(1...limitMax).contains(limit) {
                errors.append(.init(field: "limit", wanted: "a whole number from 1 to \(limitMax)"))
            }
        }
        if let given = input.query["cursor"] {
            after = JobID(given)
            if after == nil { errors.append(.init(field: "cursor", wanted: "next_cursor of the page before")) }
        }
        if !errors.isEmpty { throw .invalid(errors) }
    }

    func wants(_ group: JobGroup) -> Bool {
        (state == nil || state == JobJSON.name(of: group.state)) && (hook == nil || hook == group.hook)
            && (bucket == nil || bucket == group.event.draft.bucketName)
    }
}

extension RouteInput {
    /// Whether the caller may know of a run.
    func sees(_ group: JobGroup) -> Bool { sees(customer: group.event.draft.customer) }

    /// Whether the caller may know of what belongs to a customer.
    func sees(customer: String?) -> Bool {
        guard let own = caller?.customer else { return true }
        return own == customer
    }
}
