import Bytes
public import HTTPClient
import JSON
public import Threads

/// The calls of a driver to its addon: bounded, ended where nobody waits any more, and to no private address that is not allowed.
public struct AddonLine: Sendable {
    let session: HTTPSession
    let pool: Pool
    let outbound: OutboundRules
    /// Of one call.
    var timeout: Duration
    /// Of all calls.
    let deadline: ContinuousClock.Instant
    let isCancelled: @Sendable () -> Bool

    /// Of an answer in JSON, in bytes.
    static let answerBytesMax = 1 << 20
    /// Of an answer with files in it, which is held in memory.
    static let formBytesMax = 32 << 20
    private static let pauseMax = Duration.seconds(60)

    public init(
        session: HTTPSession, pool: Pool, outbound: OutboundRules, timeout: Duration,
        deadline: ContinuousClock.Instant, isCancelled: @escaping @Sendable () -> Bool
    ) {
        (self.session, self.pool, self.outbound, self.timeout) = (session, pool, outbound, timeout)
        (self.deadline, self.isCancelled) = (deadline, isCancelled)
    }

    /// Any answer, whatever its status; redirects are not followed. What may pass is tried `retries` times more: after a second at first,
    /// doubled up to a minute, or as long as `Retry-After` says.
    func send(
        _ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8]? = nil,
        retries: Int = 0
    ) async throws(AddonFailure) -> FetchResponse {
        var pause = Duration.seconds(1)
        var left = retries
        while true {
            var asked: Duration?
            do throws(AddonFailure) {
                let response = try await once(method, url, headers: headers, body: body)
                guard left > 0, TransientStatus.contains(response.status) else { return response }
                asked = RetryAfter.wait(response.header("retry-after"), now: .now())
            } catch {
                guard left > 0, !error.isPermanent else { throw error }
            }
            left -= 1
            try await rest(min(max(pause, asked ?? .zero), Self.pauseMax))
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    private func once(
        _ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8]?
    ) async throws(AddonFailure) -> FetchResponse {
        let time = min(timeout, ContinuousClock.now.duration(to: deadline))
        guard time > .zero, !isCancelled() else { throw AddonFailure("the step's time was over") }
        let limits = StreamLimits(connectTimeout: min(time, .seconds(10)), idleTimeout: time, timeout: time)
        var request = StreamRequest(
            method, url: url, headers: headers + [(name: "user-agent", value: "ObjectGateway")], body: body,
            limits: limits)
        request.isPublicOnly = !outbound.mayBePrivate(url)
        do throws(HTTPClientError) {
            return try await session.exchange(
                request, pool: pool,
                bytesMax: { response in
                    (response.header("content-type") ?? "").lowercased().hasPrefix("multipart/")
                        ? Self.formBytesMax : Self.answerBytesMax
                }, isCancelled: isCancelled)
        } catch {
            // Half an answer is none: whether it took effect is unknown, so it is asked again under the same key.
            let isPermanent = error == .privateAddress || error == .responseTooLarge
            throw AddonFailure("\(ResultURL.shown(url)): \(error)", isPermanent: isPermanent)
        }
    }

    /// Sleeps, in short pieces, as long as somebody waits.
    private func rest(_ time: Duration) async throws(AddonFailure) {
        let end = min(ContinuousClock.now + time, deadline)
        while ContinuousClock.now < end {
            if isCancelled() { throw AddonFailure("nobody waits for it any more") }
            await pool.sleep(for: min(.milliseconds(100), ContinuousClock.now.duration(to: end)))
        }
    }

    /// What an answer means that is no success.
    static func failure(_ url: String, _ response: FetchResponse) -> AddonFailure {
        let said = String(decoding: response.body.prefix(300), as: UTF8.self)
        return AddonFailure(
            "\(ResultURL.shown(url)) answered \(response.status)\(said.isEmpty ? "" : ": \(said)")",
            isPermanent: !TransientStatus.contains(response.status),
            retryAfter: RetryAfter.wait(response.header("retry-after"), now: .now()))
    }

    /// The object that an answer is. What is none may be another time.
    static func object(_ url: String, _ response: FetchResponse) throws(AddonFailure) -> JSONValue {
        guard let value = JSONValue(parsing: response.body), case .object = value else {
            throw AddonFailure("\(ResultURL.shown(url)) answered \(response.status) with what is no JSON object")
        }
        return value
    }
}
