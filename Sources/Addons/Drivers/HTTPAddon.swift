import Bytes
import Digests
import HTTPClient
import JSON

/// The contract of docs/HOOKS.md: a signed POST, answered at once, or by 202 and a place to look at or a call back.
struct HTTPAddon: AddonDriver {
    private let settings: AddonSettings
    private let key: HMACKey?
    private let line: AddonLine

    init(_ settings: AddonSettings, secret: [UInt8], line: AddonLine) {
        (self.settings, self.line) = (settings, line)
        key = secret.isEmpty ? nil : HMACKey(secret)
    }

    func begin(_ call: AddonCall) async throws(AddonFailure) -> AddonOutcome {
        guard case .object(let members) = call.payload else { throw AddonFailure("the job has no payload") }
        var all = members
        if settings.parameters != .object([]) { all.append(.init("parameters", settings.parameters)) }
        let body = JSONValue.object(all).text
        let response = try await line.send(
            "POST", settings.url,
            headers: [
                (name: "content-type", value: "application/json"),
                (name: "idempotency-key", value: call.idempotencyKey),
            ] + signature(of: body), body: body)
        return try outcome(of: response, from: settings.url, poll: nil)
    }

    func look(at ticket: JSONValue) async throws(AddonFailure) -> AddonOutcome {
        guard let url = ticket["poll"]?.string else {
            return .pending(AddonPending(ticket: ticket, canBeLookedAt: false))
        }
        let response = try await line.send("GET", url, headers: signature(of: []))
        if [404, 410].contains(response.status) {
            var failure = AddonLine.failure(url, response)
            (failure.isPermanent, failure.startsAnew) = (false, true)
            throw failure
        }
        return try outcome(of: response, from: url, poll: url)
    }

    func cancel(_ ticket: JSONValue) async {}

    func test() async throws(AddonFailure) {
        let body = JSONValue.object([.init("test", .bool(true))]).text
        let response = try await line.send(
            "POST", settings.url,
            headers: [(name: "content-type", value: "application/json"), (name: "idempotency-key", value: "test")]
                + signature(of: body), body: body)
        guard (200...299).contains(response.status) else { throw AddonLine.failure(settings.url, response) }
    }

    private func signature(of body: [UInt8]) -> [(name: String, value: String)] {
        MessageSignature.fields(of: body, by: key, at: .now())
    }

    private func outcome(
        of response: FetchResponse, from url: String, poll former: String?
    ) throws(AddonFailure) -> AddonOutcome {
        guard (200...299).contains(response.status) else { throw AddonLine.failure(url, response) }
        if response.status == 204 { return .done(AddonAnswer()) }
        var poll = former
        if response.status == 202, let location = response.header("location") {
            guard let resolved = ResultURL.resolve(location, against: url) else {
                throw AddonFailure("\(ResultURL.shown(url)) names a place to look at that is no URL", isPermanent: true)
            }
            poll = resolved
        }
        let word = try word(of: response, from: url)
        switch word {
        case .done(let answer): return .done(answer)
        case .failed(let reason, let isPermanent):
            throw AddonFailure(
                "\(ResultURL.shown(url)) says: \(reason)", isPermanent: isPermanent, startsAnew: true)
        case .progress(let stage, let fraction):
            return .pending(
                AddonPending(
                    ticket: .object(poll.map { [.init("poll", .string($0))] } ?? []), canBeLookedAt: poll != nil,
                    wait: RetryAfter.wait(response.header("retry-after"), now: .now()), stage: stage,
                    fraction: fraction))
        }
    }

    private func word(of response: FetchResponse, from url: String) throws(AddonFailure) -> AddonWord {
        let isAccepted = response.status == 202
        if isAccepted, response.body.isEmpty { return .progress(stage: nil, fraction: 0) }
        let type = response.header("content-type") ?? ""
        if let boundary = MultipartBody.boundary(of: Array(type.utf8)) {
            do throws(MultipartBody.Malformed) {
                return .done(try AddonAnswer(form: try MultipartBody(response.body, boundary: boundary)))
            } catch {
                throw AddonFailure("\(ResultURL.shown(url)) answered a form that cannot be read: \(error.reason)")
            }
        }
        let value = try AddonLine.object(url, response)
        do throws(JSONFault) {
            return try AddonWord(reading: value)
        } catch {
            // A body of its own beside 202 says nothing of how far it is.
            if isAccepted { return .progress(stage: nil, fraction: 0) }
            throw AddonFailure(
                "\(ResultURL.shown(url)): \(error.path.isEmpty ? "the answer" : error.path): wanted \(error.wanted)")
        }
    }
}
