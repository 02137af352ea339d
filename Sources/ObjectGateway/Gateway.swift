public import Buckets
import Bytes
public import HTTPServer
public import Hooks
import Metadata
import Policies
import SigV4
public import Targets

/// The S3 endpoint: one request in, one response out.
public final class Gateway: Sendable {
    private let services: Services
    private let authenticator: Authenticator
    private let table = OperationTable.shared
    private let domains: [[UInt8]]
    private let cors: CORSResponder
    private let log: Log
    private let metrics: Metrics

    /// `jobs` is nil where nothing can have hooks.
    public init(
        store: ObjectStore, users: UserDirectory, jobs: JobEngine? = nil, targets: TargetEngine? = nil, log: Log,
        metrics: Metrics, configuration: GatewayConfiguration
    ) {
        services = Services(objects: store, jobs: jobs, targets: targets, configuration: configuration)
        authenticator = Authenticator(users: users, configuration: configuration)
        domains = configuration.domains.map { [UInt8]($0.utf8) }
        cors = CORSResponder(services: services, domains: domains)
        self.log = log
        self.metrics = metrics
    }

    /// The names that `Metrics` counts requests under, by place in the operation table.
    public static var operationNames: [StaticString] { OperationTable.shared.entries.map(\.route.name) }

    /// Everything that happens to a request, in order. Nothing runs without the right that `check` saw.
    public func handle(_ request: Request) async -> Response {
        let id = RequestID.next()
        var progress = Progress()
        var response: Response
        do {
            response = try await answer(request, id, &progress)
        } catch {
            let refusal = S3Error(mapping: error)
            progress.error = refusal
            response = self.response(to: request, refusing: refusal, id)
        }
        if request.head.method != .options { await cors.mark(&response, to: request.head) }
        response.headers.add("x-amz-request-id", id.text)
        response.headers.add("x-amz-id-2", Self.hostID)
        response.headers.add("server", text: "ObjectGateway")
        response.note = RequestNote(
            id: id, user: progress.caller?.name, operation: progress.entry?.index,
            error: progress.error?.code ?? (response.note as? S3ErrorCode))
        return response
    }

    private func answer(_ request: Request, _ id: RequestID, _ progress: inout Progress) async throws -> Response {
        if request.head.method == .options { return try await cors.preflight(request.head) }
        var (caller, authentication) = try await authenticator.authenticate(request.head, now: .now())
        caller.requestID = id.text
        caller.address = request.connection.peerAddress
        progress.caller = caller
        let target = try RequestTarget(request.head, domains: domains)
        caller.origin = RequestOrigin(
            head: request.head, query: target.query, isTLS: request.connection.isTLS, received: request.received)
        let entry = try table.find(request.head, target)
        progress.entry = entry
        try await check(caller, entry.route, target)
        if let owner = request.head.first("x-amz-expected-bucket-owner") { try await refuseOther(owner, target) }
        let s3Request = S3Request(
            id: id, request: request, target: target, caller: caller, authentication: authentication)
        guard entry.route.mayTakeLong else {
            do { return try await entry.run(s3Request, services) } catch let error as S3Error {
                throw try await services.masked(error, from: caller, in: target.bucket)
            }
        }
        return await LongAnswer.response(pool: services.objects.pool) { [self] in
            do {
                return try await entry.run(s3Request, services)
            } catch {
                let refusal = S3Error(mapping: error)
                var response = self.response(to: request, refusing: refusal, id)
                response.note = refusal.code
                return response
            }
        }
    }

    /// What the route asks for is looked at before anything of the bucket is told, or the body is read.
    private func check(_ caller: Caller, _ route: OperationRoute, _ target: RequestTarget) async throws {
        let bucket: Bucket? =
            if let name = target.bucket { try await services.metadata.bucket(named: name) } else { nil }
        if route.checksItself, let bucket, services.access.hasPolicy(bucket) { return }
        let version = target.query["versionId"]
        let action = version == nil ? route.action : route.action.ofVersion
        let named = version.flatMap { VersionID($0) }
        try await services.access.check(caller, may: action, in: bucket, target.key, version: named)
        guard route.action == .putObject, caller.origin?.head.first("x-amz-tagging") != nil else { return }
        try await services.access.check(caller, may: .putObjectTagging, in: bucket, target.key)
    }

    /// A client may say whose bucket it expects (userguide/bucket-owner-condition).
    private func refuseOther(_ expected: ArraySlice<UInt8>, _ target: RequestTarget) async throws {
        guard let name = target.bucket else { return }
        let bucket = try await services.bucket(name)
        if !bucket.owner.utf8.elementsEqual(expected) { throw S3Error(.accessDenied, cause: "another bucket owner") }
    }

    /// How far a request came, for the log.
    private struct Progress {
        var caller: Caller?
        var entry: OperationTable.Entry?
        var error: S3Error?
    }

    private func response(to request: Request, refusing error: S3Error, _ id: RequestID) -> Response {
        if error.code.status >= 500 {
            log.event(
                "request_failed", level: .error,
                [
                    "request_id": .bytes(id.text[...]), "error": .text(error.code.rawValue),
                    "cause": .text(error.cause ?? error.message),
                ])
        }
        var response = Response(status: error.code.status, headers: error.headers)
        if error.code.status == 304 { return response }
        if request.head.method == .head {
            response.headers.add("content-type", "application/xml")
            response.body = .headOnly(length: 0)
            return response
        }
        response.headers.add("content-type", "application/xml")
        response.body = .bytes(error.document(resource: request.head.path, requestID: id.text, hostID: Self.hostID))
        if error.code == .slowDown { response.headers.add("retry-after", "1") }
        return response
    }

    /// What `handle` tells `account` of a request.
    private struct RequestNote: Sendable {
        var id: RequestID
        var user: String?
        /// The place in the operation table.
        var operation: Int?
        var error: S3ErrorCode?
    }

    /// Counts and logs a request once its response has been sent; also one that the engine refused itself.
    public func account(for record: AccessRecord) {
        let note = record.note as? RequestNote
        metrics.recordRequest(
            operation: note?.operation ?? -1, status: record.status, duration: record.duration,
            bytesIn: record.bytesReceived, bytesOut: record.bytesSent)
        guard log.writesAccess else { return }
        log.access(
            AccessEvent(
                requestID: note?.id.text ?? [], peer: record.connection.peerAddress, user: note?.user,
                operation: note?.operation.map { table.entries[$0].route.name } ?? "Unknown",
                method: record.head?.methodBytes ?? [], path: record.head?.path ?? [], status: record.status,
                errorCode: note?.error?.rawValue, bytesIn: record.bytesReceived, bytesOut: record.bytesSent,
                duration: record.duration))
    }

    /// What AWS calls the host id; says nothing about the host here.
    private static let hostID = [UInt8]("b2d3".utf8)
}
