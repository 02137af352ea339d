import Bytes
import Files
import Glibc
import HTTPClient
import JSON
import Threads

/// Why the gateway did not do what it was asked.
enum GatewayError: Error, Sendable {
    /// It cannot be reached, or not now: ask again.
    case away(String)
    /// The job is another's, was cancelled or is gone.
    case lost
    /// It does not take it, whenever it is asked.
    case refused(status: Int, String)
}

/// Speaks the worker API over HTTP.
final class GatewayClient: Sendable {
    private let session: HTTPSession
    private let pool: Pool
    private let base: String
    private let socket: String?
    private let fields: [(name: String, value: String)]
    private static let answerBytesMax = 8 << 20

    init(_ gateway: WorkerConfiguration.Gateway, pool: Pool) throws(HTTPClientError) {
        self.pool = pool
        session = try HTTPSession.start(connectionsMax: 8)
        switch gateway {
        case .socket(let path): (base, socket, fields) = ("http://ogw", path, [])
        case .url(let url, let token): (base, socket, fields) = (url, nil, [("authorization", "Bearer \(token)")])
        }
    }

    // MARK: Calls

    struct Claim: Sendable {
        var jobs: [Assignment]
        var outbound: OutboundRules
    }

    func claim(_ configuration: WorkerConfiguration) async throws(GatewayError) -> Claim {
        let answer = try await call(
            "claim", nil,
            [
                "worker": .string(configuration.name),
                "queues": .array(configuration.queues.map { .string($0) }), "count": .integer(1),
                "wait_ms": .integer(configuration.claimWait.milliseconds),
                "supervised": .bool(configuration.isSupervised),
            ], idleTimeout: configuration.claimWait + .seconds(15))
        do throws(JSONFault) {
            let members = try JSONMembers(anyOf: answer, at: "")
            var jobs: [Assignment] = []
            for (place, value) in try members.list("jobs", countMax: 100) {
                jobs.append(try Assignment(reading: value, at: place))
            }
            let allowed = try members.texts("outbound_allow", countMax: 10_000, wanted: "a list of hosts")
            return Claim(jobs: jobs, outbound: OutboundRules(allowed: allowed.map(\.text)))
        } catch {
            throw .away("the answer to a claim is not understood: \(error)")
        }
    }

    /// Whether the lease is still this worker's.
    func heartbeat(_ job: Assignment, stage: String?, fraction: Double) async throws(GatewayError) -> Bool {
        var body = JSONValue.object([])
        if let stage { body = ["stage": .string(stage), "fraction": .number(fraction)] }
        let answer = try await call("jobs/\(job.id)/heartbeat", job, body, idleTimeout: .seconds(10))
        return answer["held"]?.bool ?? false
    }

    /// Publishes the files and ends the job.
    func complete(_ job: Assignment, files: [MadeFile], result: JSONValue?) async throws(GatewayError) {
        var head: [JSONValue.Member] = [.init("files", .array(files.map(Self.describe)))]
        if let result { head.append(.init("result", result)) }
        var parts: [BodyPart] = []
        for file in files {
            do throws(SystemError) {
                parts.append(.file(try OpenFile.open(file.path, flags: O_RDONLY), size: file.size))
            } catch {
                throw .refused(status: 0, "a file that was made cannot be read: \(error)")
            }
        }
        _ = try await call(
            "jobs/\(job.id)/complete", job, bytes: JSONValue.object(head).text + [Ascii.lineFeed], parts: parts,
            type: "application/octet-stream", idleTimeout: .seconds(120))
    }

    func fail(_ job: Assignment, _ failure: StepFailure) async throws(GatewayError) {
        var body: [JSONValue.Member] = [
            .init("reason", .string(failure.reason)), .init("permanent", .bool(failure.isPermanent)),
            .init("crash", .bool(failure.isCrash)), .init("starts_anew", .bool(failure.startsAnew)),
        ]
        if let wait = failure.retryAfter {
            body.append(.init("retry_after_s", .number(Double(wait.milliseconds) / 1000)))
        }
        _ = try await call("jobs/\(job.id)/fail", job, .object(body), idleTimeout: .seconds(30))
    }

    /// What is asked of the job's addon.
    func addon(of job: Assignment) async throws(GatewayError) -> AddonOrder {
        let response = try await send(
            StreamRequest(
                url: "\(base)/api/worker/jobs/\(job.id)/addon", headers: fields + Self.lease(job),
                limits: StreamLimits(idleTimeout: .seconds(30))))
        do throws(HTTPClientError) {
            let text = try await response.rest(bytesMax: Self.answerBytesMax)
            return AddonOrder(JSONValue(parsing: text) ?? .null)
        } catch {
            throw .away("\(error)")
        }
    }

    /// The job goes on later.
    func park(_ job: Assignment, ticket: JSONValue, wait: Duration) async throws(GatewayError) {
        let body: JSONValue = ["ticket": ticket, "wait_ms": .integer(wait.milliseconds)]
        _ = try await call("jobs/\(job.id)/park", job, body, idleTimeout: .seconds(30))
    }

    func giveBack(_ job: Assignment) async throws(GatewayError) {
        _ = try await call("jobs/\(job.id)/release", job, .object([]), idleTimeout: .seconds(10))
    }

    /// Writes one of the job's files to `path`, which must not exist: `inputs/0`, `logo`. Returns its size.
    func download(_ name: String, of job: Assignment, to path: String) async throws(GatewayError) -> UInt64 {
        let request = StreamRequest(
            url: "\(base)/api/worker/jobs/\(job.id)/\(name)", headers: fields + Self.lease(job),
            limits: StreamLimits(idleTimeout: .seconds(60)))
        let response = try await send(request)
        do {
            return try await response.save(to: path, bytesMax: .max, pool: pool)
        } catch {
            throw .away("\(name) did not come whole: \(error)")
        }
    }

    // MARK: Requests

    private func call(
        _ path: String, _ job: Assignment?, _ body: JSONValue, idleTimeout: Duration
    ) async throws(GatewayError) -> JSONValue {
        try await call(
            path, job, bytes: body.text, parts: [], type: "application/json", idleTimeout: idleTimeout)
    }

    private func call(
        _ path: String, _ job: Assignment?, bytes: [UInt8], parts: [BodyPart], type: String, idleTimeout: Duration
    ) async throws(GatewayError) -> JSONValue {
        var request = StreamRequest(
            "POST", url: "\(base)/api/worker/\(path)",
            headers: fields + [("content-type", type)] + (job.map(Self.lease) ?? []), body: bytes,
            limits: StreamLimits(idleTimeout: idleTimeout))
        request.parts = parts
        let response = try await send(request)
        do throws(HTTPClientError) {
            let text = try await response.rest(bytesMax: Self.answerBytesMax)
            return JSONValue(parsing: text) ?? .null
        } catch {
            throw .away("\(error)")
        }
    }

    /// Returns the response of a request that succeeded.
    private func send(_ asked: StreamRequest) async throws(GatewayError) -> StreamResponse {
        var request = asked
        request.unixSocket = socket
        let response: StreamResponse
        do throws(HTTPClientError) { response = try await session.send(request) } catch { throw .away("\(error)") }
        if (200...299).contains(response.status) { return response }
        let text = (try? await response.rest(bytesMax: 64 << 10)) ?? []
        let detail = JSONValue(parsing: text)?["detail"]?.string ?? "the gateway answered \(response.status)"
        switch response.status {
        case 409, 410: throw .lost
        case 408, 429, 502...504, 507: throw .away(detail)
        default: throw .refused(status: response.status, detail)
        }
    }

    private static func lease(_ job: Assignment) -> [(name: String, value: String)] { [("x-ogw-lease", job.lease)] }

    private static func describe(_ file: MadeFile) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(file.name)), .init("size", .integer(Int64(clamping: file.size))),
            .init("content_type", .string(file.contentType)),
        ]
        if let variant = file.variant { members.append(.init("variant", .string(variant))) }
        return .object(members)
    }
}
