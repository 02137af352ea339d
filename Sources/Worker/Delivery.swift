import Bytes
import Files
import Glibc
import HTTPClient
import Hooks
import JSON
import Threads

/// The step `deliver`: a POST of `multipart/form-data` (RFC 7578) for each file, to a host that the hook names.
struct Delivery {
    let job: Assignment
    let worker: String
    let gateway: GatewayClient
    let session: HTTPSession
    let outbound: OutboundRules
    let folder: String
    let pool: Pool
    private static let answerBytesMax = 64 << 10
    /// Of an answer, that are kept.
    private static let keptBytesMax = 4 << 10

    init(
        job: Assignment, worker: String, gateway: GatewayClient, session: HTTPSession, outbound: OutboundRules,
        folder: String, pool: Pool
    ) {
        (self.job, self.worker, self.gateway, self.session) = (job, worker, gateway, session)
        (self.outbound, self.folder, self.pool) = (outbound, folder, pool)
    }

    /// Returns what the other side answered last.
    func run(
        deadline: ContinuousClock.Instant, _ tell: @Sendable (String, Double) -> Void,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws -> JSONValue {
        guard let url = job.options["url"]?.string else {
            throw StepFailure(reason: "the hook names no URL", isPermanent: true)
        }
        var last: JSONValue = .object([])
        let names = job.inputs.map(\.name)
        for place in job.inputs.isEmpty ? [nil] : job.inputs.indices.map({ Int?($0) }) {
            if isCancelled() { throw MediaHelper.Failure.stopped }
            tell("deliver", Double(place ?? 0) / Double(max(1, names.count)))
            last = try await deliver(place, to: url, deadline: deadline, isCancelled)
        }
        return last
    }

    /// Nil stands for an event that leaves no object: its fields are sent alone.
    private func deliver(
        _ place: Int?, to url: String, deadline: ContinuousClock.Instant, _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws -> JSONValue {
        let boundary = "ogw-\(job.id)-\(place ?? 0)"
        let name = place.map { job.inputs[$0].name } ?? ""
        var head: [UInt8] = []
        for field in fields(name) {
            head += "--\(boundary)\r\ncontent-disposition: form-data; name=\"".utf8
            head += Self.quoted(field.name) + "\"\r\n\r\n".utf8
            head += field.value + "\r\n".utf8
        }
        var request = StreamRequest(
            "POST", url: url,
            headers: [
                ("content-type", "multipart/form-data; boundary=\(boundary)"),
                ("idempotency-key", "\(job.id)/\(place ?? 0)"), ("user-agent", "ObjectGateway"),
            ])
        let tail = Array("--\(boundary)--\r\n".utf8)
        if let place {
            let path = "\(folder)/delivery"
            _ = try? LinuxDisk().remove(path)
            let size = try await gateway.download("inputs/\(place)", of: job, to: path)
            head += "--\(boundary)\r\ncontent-disposition: form-data; name=\"".utf8
            head += Self.quoted(job.options["field"]?.string ?? "file") + "\"; filename=\"".utf8
            head += Self.quoted(name) + "\"\r\ncontent-type: ".utf8
            head += job.inputs[place].contentType.utf8.filter { $0 >= 0x20 && $0 < 0x7F } + "\r\n\r\n".utf8
            request.parts = [
                .file(try OpenFile.open(path, flags: O_RDONLY), size: size), .bytes(Array("\r\n".utf8) + tail),
            ]
        } else {
            head += tail
        }
        request.body = head
        request.isPublicOnly = !outbound.mayBePrivate(url)
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { throw StepFailure(reason: "the step's time was over before all was delivered") }
        request.limits = StreamLimits(idleTimeout: left, timeout: left)
        return try await send(request, to: url, isCancelled)
    }

    private func send(
        _ request: StreamRequest, to url: String, _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws(StepFailure) -> JSONValue {
        let response: FetchResponse
        do throws(HTTPClientError) {
            response = try await session.exchange(
                request, pool: pool, bytesMax: { _ in Self.answerBytesMax }, isCancelled: isCancelled)
        } catch {
            // Half an answer is none: whether it took effect is unknown, so it is sent again under the same key.
            throw StepFailure(reason: "\(url): \(error)", isPermanent: error == .privateAddress)
        }
        let (status, text) = (response.status, response.body)
        guard (200...299).contains(status) else {
            let said = String(decoding: text.prefix(200), as: UTF8.self)
            throw StepFailure(
                reason: "\(url) answered \(status)\(said.isEmpty ? "" : ": \(said)")",
                isPermanent: !TransientStatus.contains(status),
                retryAfter: RetryAfter.wait(response.header("retry-after"), now: .now()))
        }
        var result: [JSONValue.Member] = [.init("status", .integer(Int64(status)))]
        if text.count <= Self.keptBytesMax, let body = JSONValue(parsing: text) { result.append(.init("body", body)) }
        return .object(result)
    }

    /// The hook's own, with their placeholders filled.
    private func fields(_ name: String) -> [(name: String, value: [UInt8])] {
        guard case .object(let members)? = job.options["fields"] else { return [] }
        let values: [String: [UInt8]] = [
            "bucket": Array(job.bucket.utf8), "key": Array(job.key.utf8), "version": Array(job.version.utf8),
            "name": Array(name.utf8), "worker": Array(worker.utf8),
        ]
        return members.map { member in
            let text = member.value.string ?? ""
            return (member.name, Pattern(text)?.filled(values) ?? Array(text.utf8))
        }
    }

    /// As browsers escape names (WHATWG HTML, multipart/form-data).
    private static func quoted(_ text: String) -> [UInt8] {
        text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case Ascii.quote: Array("%22".utf8)
            case Ascii.carriageReturn: Array("%0D".utf8)
            case Ascii.lineFeed: Array("%0A".utf8)
            default: [byte]
            }
        }
    }
}
