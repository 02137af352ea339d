import Bytes
import Digests
public import HTTPClient

/// Sends each event by a POST of its own. An answer of 2xx accepts it; redirects are not followed.
public final class Webhook: EventTarget {
    public let isOrdered = false
    public let concurrency: Int
    public let batchMax = 1
    private let settings: WebhookSettings
    private let key: HMACKey?
    private let session: HTTPSession
    private let outbound: OutboundRules

    /// What is read of an answer, so that its connection can be used again.
    private static let answerBytesMax = 64 << 10

    /// `secret` may be empty: then nothing is signed.
    public init(
        _ settings: WebhookSettings, secret: [UInt8], outbound: OutboundRules
    ) throws(HTTPClientError) {
        self.settings = settings
        self.outbound = outbound
        concurrency = settings.concurrency
        key = secret.isEmpty ? nil : HMACKey(secret)
        session = try HTTPSession.start(connectionsMax: settings.concurrency)
    }

    public func send(_ messages: [TargetMessage]) async -> Delivery {
        for (index, message) in messages.enumerated() {
            if let failure = await send(message) { return Delivery(acceptedCount: index, failure: failure) }
        }
        return Delivery(acceptedCount: messages.count)
    }

    private func send(_ message: TargetMessage) async -> TargetFailure? {
        var headers = [
            (name: "content-type", value: "application/json"), (name: "user-agent", value: "ObjectGateway"),
            (name: "x-ogw-event", value: message.event), (name: "x-ogw-event-id", value: message.id),
        ]
        headers += MessageSignature.fields(of: message.body, by: key, at: .now())
        let limits = StreamLimits(connectTimeout: settings.timeout, timeout: settings.timeout)
        var request = StreamRequest("POST", url: settings.url, headers: headers, body: message.body, limits: limits)
        request.isPublicOnly = !outbound.mayBePrivate(settings.url)
        do throws(HTTPClientError) {
            let answer = try await session.send(request)
            let status = answer.status
            let retryAfter = answer.header("retry-after").flatMap { Ascii.decimal(Array($0.utf8)) }
            // A body that is too long costs the connection only.
            do throws(HTTPClientError) { _ = try await answer.rest(bytesMax: Self.answerBytesMax) } catch {}
            if (200..<300).contains(status) { return nil }
            return TargetFailure(
                "it answered \(status)", isOfReceiver: status == 429 || status == 503,
                retryAfter: retryAfter.map { .seconds(Int64(min($0, 3600))) })
        } catch {
            return TargetFailure(error.description)
        }
    }

    public func close() { session.close() }
}
