import Buckets
import Bytes
import HTTPClient
import HTTPServer
import Hooks
import JSON
import Metadata

/// The worker API: `/api/worker/...` on the control socket and on the services listener (docs/HOOKS.md has it for those who
/// write a worker). Its bodies are streams, so it stands beside the tables of routes.
struct WorkerRoutes: Sendable {
    let services: Services
    let engine: JobEngine
    let tokens: WorkerTokens
    let log: Log
    /// Nil where there are no addons.
    var addons: AddonOrders?

    /// The lease that a request is made under.
    static let leaseField: StaticString = "x-ogw-lease"
    /// How long a claim may wait.
    private static let waitMax_ms: Int64 = 60_000
    /// As long as a step may take.
    private static let parkedMax_ms: Int64 = 604_800_000
    /// A worker says at once that it got a job; else its claim was answered to nobody.
    private static let confirmedWithin = Duration.seconds(5)
    private static let prefix = ["api", "worker"].map { Array($0.utf8) }

    enum Call: Equatable {
        case claim
        case heartbeat(JobID), complete(JobID), fail(JobID), release(JobID)
        case input(JobID, Int), logo(JobID), addon(JobID), park(JobID)
    }

    /// Whether the request is for this API.
    func takes(_ head: RequestHead) -> Bool {
        head.path.split(separator: Ascii.slash).prefix(2).elementsEqual(Self.prefix) { Array($0) == $1 }
    }

    func handle(_ request: Request, isLocal: Bool) async -> Response {
        do {
            let caller = try isLocal ? .local : WorkerCaller.bearing(request.head, among: tokens)
            return try await answer(try Self.call(of: request.head), request, by: caller, engine)
        } catch {
            return Self.response(problem(of: error))
        }
    }

    private func answer(
        _ call: Call, _ request: Request, by caller: WorkerCaller, _ engine: JobEngine
    ) async throws -> Response {
        switch call {
        case .claim: return try await claim(try await RouteTable.body(of: request), by: caller, engine)
        case .heartbeat(let id): return try await heartbeat(id, request, engine)
        case .complete(let id):
            return try await CompleteJob(services: services, engine: engine)
                .run(id, token: try Self.lease(request.head), CompletionBody(request.body))
        case .fail(let id): return try await fail(id, request, engine)
        case .release(let id):
            try await engine.giveBack(id, token: try Self.lease(request.head))
            return Response(status: 204)
        case .input(let id, let number):
            return try await file(request, try await order(id, request.head, engine)) { order in
                order.inputs.indices.contains(number) ? order.inputs[number] : nil
            }
        case .logo(let id): return try await file(request, try await order(id, request.head, engine)) { $0.logo }
        case .addon(let id):
            guard let addons else { throw Problem(422, "Cannot be done", "This store has no addons.") }
            return Self.json(try await addons.document(of: try await order(id, request.head, engine), engine))
        case .park(let id): return try await park(id, request, engine)
        }
    }

    /// Throws 404 and 405.
    static func call(of head: RequestHead) throws(Problem) -> Call {
        let parts = head.path.split(separator: Ascii.slash).dropFirst(2).map { String(ascii: $0) }
        let nothing = Problem(404, "Not found", "There is nothing under this path.")
        if parts == ["claim"] { return try method(.post, of: head, .claim) }
        guard parts.count >= 3, parts[0] == "jobs", let id = JobID(parts[1].utf8) else { throw nothing }
        switch (parts[2], parts.count) {
        case ("heartbeat", 3): return try method(.post, of: head, .heartbeat(id))
        case ("complete", 3): return try method(.post, of: head, .complete(id))
        case ("fail", 3): return try method(.post, of: head, .fail(id))
        case ("release", 3): return try method(.post, of: head, .release(id))
        case ("park", 3): return try method(.post, of: head, .park(id))
        case ("addon", 3): return try method(.get, of: head, .addon(id))
        case ("logo", 3): return try method(.get, of: head, .logo(id))
        case ("inputs", 4):
            guard let number = Ascii.decimal(parts[3].utf8).flatMap(Int.init(exactly:)) else { throw nothing }
            return try method(.get, of: head, .input(id, number))
        default: throw nothing
        }
    }

    private static func method(
        _ wanted: RequestHead.Method, of head: RequestHead, _ call: Call
    ) throws(Problem) -> Call {
        guard head.method == wanted else {
            let name = wanted == .get ? "GET" : "POST"
            throw Problem(405, "Method not allowed", "This path takes \(name).", allow: [name])
        }
        return call
    }

    static func lease(_ head: RequestHead) throws(Problem) -> [UInt8] {
        guard let token = head.first(leaseField).flatMap({ Hex.decode($0) }), token.count == 16 else {
            throw Problem(400, "No lease", "The field x-ogw-lease is missing: wanted the lease of the job.")
        }
        return token
    }

    // MARK: Claims

    private func claim(_ body: JSONValue, by caller: WorkerCaller, _ engine: JobEngine) async throws -> Response {
        let asked = try WorkerClaim(body, waitMax_ms: Self.waitMax_ms)
        let worker = caller.worker(asked.worker, isSupervised: asked.isSupervised)
        let until = ContinuousClock.now + asked.wait
        while true {
            let now = ContinuousClock.now
            let leased = try await engine.claim(
                worker: worker, queues: asked.queues, countMax: asked.countMax,
                wait: until > now ? now.duration(to: until) : .zero, confirmedWithin: Self.confirmedWithin)
            var orders: [JSONValue] = []
            for job in leased {
                if let order = try await order(of: job, engine) { orders.append(order) }
            }
            guard orders.isEmpty, !leased.isEmpty else { return Self.json(answer(orders)) }
        }
    }

    private func answer(_ orders: [JSONValue]) -> JSONValue {
        [
            "jobs": .array(orders),
            "outbound_allow": .array(services.configuration.outbound.allowed.sorted().map { .string($0) }),
        ]
    }

    /// Nil for a job that cannot be begun, which is noted.
    private func order(of leased: LeasedJob, _ engine: JobEngine) async throws -> JSONValue? {
        let (id, token) = (leased.job.id, leased.job.token)
        do {
            guard let work = try await engine.work(of: leased) else {
                throw WorkOrder.Fault.impossible("the hook \(leased.group.hook) of that time is forgotten")
            }
            let order = try await WorkOrder(work, metadata: services.metadata)
            engine.note(NotedFocus(point: order.focus), of: id)
            return order.document(lease: engine.leasePeriod)
        } catch WorkOrder.Fault.gone {
            try await engine.abandon(id, token: token)
        } catch WorkOrder.Fault.impossible(let reason) {
            _ = try await engine.fail(id, token: token, reason: reason, isPermanent: true)
        } catch WorkOrder.Fault.notNow(let reason) {
            _ = try await engine.fail(id, token: token, reason: reason, isPermanent: false)
        } catch {
            try await engine.giveBack(id, token: token)
            throw error
        }
        return nil
    }

    private func order(_ id: JobID, _ head: RequestHead, _ engine: JobEngine) async throws -> WorkOrder {
        let token = try Self.lease(head)
        guard let leased = try await engine.leased(id, token: token), let work = try await engine.work(of: leased)
        else {
            throw MetadataError.leaseLost
        }
        return try await WorkOrder(work, metadata: services.metadata)
    }

    // MARK: Under way

    private func heartbeat(_ id: JobID, _ request: Request, _ engine: JobEngine) async throws -> Response {
        let token = try Self.lease(request.head)
        let body = try await RouteTable.body(of: request)
        let progress = body["stage"]?.string.map {
            JobProgress(stage: $0, fraction: body["fraction"]?.number ?? 0)
        }
        return Self.json(["held": .bool(try await engine.renew(id, token: token, progress: progress))])
    }

    private func park(_ id: JobID, _ request: Request, _ engine: JobEngine) async throws -> Response {
        let token = try Self.lease(request.head)
        let body = try await RouteTable.body(of: request)
        guard let ticket = body["ticket"]?.text, ticket.count <= Job.ticketMax, let wait = body["wait_ms"]?.integer,
            (0...Self.parkedMax_ms).contains(wait)
        else { throw Problem(422, "Cannot be done", "Wanted a ticket of at most \(Job.ticketMax) bytes, and wait_ms.") }
        let until = Timestamp(milliseconds: Timestamp.now().milliseconds &+ wait)
        try await engine.park(id, token: token, until: until, ticket: ticket)
        return Response(status: 204)
    }

    private func file(
        _ request: Request, _ order: WorkOrder, _ choose: (WorkOrder) -> WorkOrder.Input?
    ) async throws -> Response {
        guard let input = choose(order) else {
            throw Problem(404, "Not found", "The job reads no such file.")
        }
        let size = input.version.size
        var range: Range<UInt64>?
        if let asked = request.head.first("range").flatMap({ ByteRange.parse($0) }) {
            guard let found = asked.resolve(size: size) else {
                throw Problem(416, "Range not satisfiable", "The file has \(size) bytes.")
            }
            range = found
        }
        let bytes = try await services.objects.open(input.version, in: input.bucket, range: range)
        var response = Response(status: range == nil ? 200 : 206, body: Response.Body(bytes))
        response.headers.add("content-type", text: "application/octet-stream")
        response.headers.add("cache-control", text: "no-store")
        response.headers.add("etag", input.version.etag.quoted)
        if let range {
            response.headers.add("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
        }
        return response
    }

    private func fail(_ id: JobID, _ request: Request, _ engine: JobEngine) async throws -> Response {
        let token = try Self.lease(request.head)
        let body = try await RouteTable.body(of: request)
        guard let leased = try await engine.leased(id, token: token) else { throw MetadataError.leaseLost }
        let event = leased.group.event
        if event.draft.name.leavesObject, try await WorkOrder.source(of: event, services.metadata) == nil {
            try await engine.abandon(id, token: token)
            return Self.json(["state": .string(JobState.cancelled.name)])
        }
        if let answer = try await endProbe(leased, body, engine) { return answer }
        let after = body["retry_after_s"]?.number.flatMap { $0.isFinite && $0 > 0 ? Duration.seconds($0) : nil }
        let ending = try await engine.fail(
            id, token: token, reason: body["reason"]?.string ?? "no reason was given",
            isPermanent: body["permanent"]?.bool ?? false, isCrash: body["crash"]?.bool ?? false, retryAfter: after,
            startsAnew: body["starts_anew"]?.bool ?? false)
        let isDead =
            ending.group.steps.indices.contains(leased.job.step)
            && ending.group.steps[leased.job.step].state == .failed
        log.event(
            "job_try_failed", level: isDead ? .warning : .info,
            [
                "job": .bytes(id.text), "hook": .text(leased.group.hook), "bucket": .bytes(event.draft.bucketName.utf8),
                "key": .bytes(event.key.utf8), "attempt": .integer(leased.job.attempt),
                "reason": .text(body["reason"]?.string ?? ""), "dead": .flag(isDead),
            ])
        return Self.json(["state": .string((isDead ? JobState.dead : .waiting).name)])
    }

    /// Nobody asked for the built-in probe: where there is nothing to tell of a file, that is its end. Nil where it is tried again,
    /// or the file killed its decoder.
    private func endProbe(
        _ leased: LeasedJob, _ body: JSONValue, _ engine: JobEngine
    ) async throws -> Response? {
        guard BuiltInHook(leased.group.hook) == .probe, body["crash"]?.bool != true,
            let work = try await engine.work(of: leased),
            body["permanent"]?.bool == true || leased.job.attempt >= work.step.retry.attempts
        else { return nil }
        let result: JSONValue = ["nothing": .string(String((body["reason"]?.string ?? "").prefix(Job.reasonMax)))]
        _ = try await engine.complete(
            JobCompletion(
                job: leased.job.id, token: leased.job.token, result: result.text, found: AssetFindings()))
        return Self.json(["state": .string(JobState.completed.name)])
    }

    // MARK: Answers

    static func json(_ value: JSONValue) -> Response {
        var response = Response(status: 200, body: .bytes(value.text))
        response.headers.add("content-type", text: "application/json")
        response.headers.add("cache-control", text: "no-store")
        return response
    }

    private static func response(_ problem: Problem) -> Response {
        var response = Response(status: problem.status, body: .bytes(problem.document.text))
        response.headers.add("content-type", text: "application/problem+json")
        response.headers.add("cache-control", text: "no-store")
        if problem.status == 401 { response.headers.add("www-authenticate", text: "Bearer") }
        if problem.status == 503 { response.headers.add("retry-after", text: "1") }
        if !problem.allow.isEmpty { response.headers.add("allow", problem.allow.joined(separator: ", ")) }
        return response
    }

    /// What a worker makes of each is in docs/HOOKS.md: 409 and 410 end its work, 422 fails the job, 5xx is tried again.
    private func problem(of error: any Error) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case MetadataError.leaseLost, MetadataError.noSuchJob:
            return Problem(409, "Lease lost", "This worker does not have the job any more.")
        case MetadataError.sourceGone, WorkOrder.Fault.gone, BucketsError.gone:
            return Problem(410, "Gone", "The object that the job is for is gone.")
        case WorkOrder.Fault.impossible(let reason): return Problem(422, "Cannot be done", reason)
        case WorkOrder.Fault.notNow(let reason): return Problem(503, "Unavailable", reason)
        case MetadataError.limitExceeded(let reason): return Problem(422, "Too many", "It cannot be done: \(reason).")
        case MetadataError.diskFull, BucketsError.diskFull:
            return Problem(507, "Insufficient storage", "The disk is full.")
        case MetadataError.overloaded, MetadataError.unavailable, MetadataError.superseded, BucketsError.overloaded,
            BucketsError.unavailable:
            return Problem(503, "Unavailable", "The store is busy or away; try again.")
        case BucketsError.tooLarge(let sizeMax):
            return Problem(422, "Too large", "A file has at most \(sizeMax) bytes.")
        case is BodyError: return Problem(400, "Bad body", "The body did not come whole.")
        default:
            log.event("worker_request_failed", level: .error, ["error": .failure(error)])
            return Problem(500, "Internal error", "The request failed; the log tells more.")
        }
    }
}

/// What a worker asks for.
struct WorkerClaim: Sendable {
    var worker: String
    /// Empty for all.
    var queues: [String]
    var countMax: Int
    var wait: Duration
    var isSupervised: Bool

    static let workerRule = UserRules.nameRule

    init(_ body: JSONValue, waitMax_ms: Int64) throws(Problem) {
        do throws(JSONFault) {
            let members = try JSONMembers(body, of: ["worker", "queues", "count", "wait_ms", "supervised"], at: "")
            worker = try members.requiredText("worker", wanted: Self.workerRule)
            guard UserRules.isName(worker) else { throw members.fault("worker", wanted: Self.workerRule) }
            queues = try members.texts("queues", countMax: 100, wanted: HookName.wanted).map(\.text)
            countMax = Int(try members.integer("count", in: 1...100) ?? 1)
            wait = .milliseconds(try members.integer("wait_ms", in: 0...waitMax_ms) ?? 0)
            isSupervised = try members.flag("supervised") ?? false
        } catch {
            throw Problem.invalid([.init(field: error.path, wanted: error.wanted)])
        }
    }
}
