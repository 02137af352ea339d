import HTTPClient
import JSON

/// The queue of fal.ai: the request is handed over, looked after, and its result fetched, all by URLs that the queue names.
struct FalAddon: AddonDriver {
    private let settings: AddonSettings
    private let line: AddonLine
    private let fields: [(name: String, value: String)]
    /// After a second, doubled up to a minute.
    private static let retries = 3
    /// Members that a result is searched for files in.
    private static let valuesMax = 10_000

    init(_ settings: AddonSettings, secret: [UInt8], line: AddonLine) {
        (self.settings, self.line) = (settings, line)
        fields = [
            (name: "authorization", value: "Key \(String(decoding: secret, as: UTF8.self))"),
            (name: "accept", value: "application/json"),
        ]
    }

    func begin(_ call: AddonCall) async throws(AddonFailure) -> AddonOutcome {
        guard case .object(var members) = settings.parameters else { throw AddonFailure("no parameters") }
        let file = call.payload["files"]?.array?.first?["url"]
        if let file, !members.contains(where: { $0.name == settings.fileParameter }) {
            members.append(.init(settings.fileParameter, file))
        }
        let url = "\(settings.url)/\(settings.model)"
        let response = try await line.send(
            "POST", url, headers: fields + [(name: "content-type", value: "application/json")],
            body: JSONValue.object(members).text, retries: Self.retries)
        let said = try accepted(url, response)
        var ticket: [JSONValue.Member] = []
        for name in ["status_url", "response_url", "cancel_url"] {
            guard let place = said[name]?.string else {
                throw AddonFailure("\(url) answered without \(name)")
            }
            // The key goes with each request, so it goes to that host only.
            guard ResultURL.origin(of: place) == ResultURL.origin(of: settings.url) else {
                throw AddonFailure("\(url) names \(name) of another host", isPermanent: true)
            }
            ticket.append(.init(name, .string(place)))
        }
        return pending(.object(ticket), said)
    }

    func look(at ticket: JSONValue) async throws(AddonFailure) -> AddonOutcome {
        let (status, result) = (try place("status_url", of: ticket), try place("response_url", of: ticket))
        let said = try await lookUp(status)
        switch said["status"]?.string {
        case "COMPLETED": return .done(try answer(await lookUp(result)))
        case "IN_QUEUE", "IN_PROGRESS": return pending(ticket, said)
        default:
            throw AddonFailure(
                "\(status) says \(said["status"]?.string ?? "no status"): \(said["error"]?.string ?? "")",
                startsAnew: true)
        }
    }

    func cancel(_ ticket: JSONValue) async {
        guard let url = try? place("cancel_url", of: ticket) else { return }
        _ = try? await line.send("PUT", url, headers: fields)
    }

    /// Asks for a request that nobody made: whoever has no key is refused before that is found.
    func test() async throws(AddonFailure) {
        let app = settings.model.split(separator: "/").prefix(2).joined(separator: "/")
        let url = "\(settings.url)/\(app)/requests/00000000-0000-0000-0000-000000000000/status"
        let response = try await line.send("GET", url, headers: fields)
        if [401, 403].contains(response.status) || response.status >= 500 { throw AddonLine.failure(url, response) }
    }

    private func place(_ name: String, of ticket: JSONValue) throws(AddonFailure) -> String {
        guard let url = ticket[name]?.string, ResultURL.origin(of: url) == ResultURL.origin(of: settings.url) else {
            throw AddonFailure("the request is of another host than the addon's present one", startsAnew: true)
        }
        return url
    }

    private func lookUp(_ url: String) async throws(AddonFailure) -> JSONValue {
        let response = try await line.send("GET", url, headers: fields, retries: Self.retries)
        if response.status == 404 {
            throw AddonFailure("\(url) is not known any more", startsAnew: true)
        }
        return try accepted(url, response)
    }

    private func accepted(_ url: String, _ response: FetchResponse) throws(AddonFailure) -> JSONValue {
        guard (200...299).contains(response.status) else { throw AddonLine.failure(url, response) }
        return try AddonLine.object(url, response)
    }

    private func pending(_ ticket: JSONValue, _ said: JSONValue) -> AddonOutcome {
        let isQueued = said["status"]?.string != "IN_PROGRESS"
        return .pending(
            AddonPending(ticket: ticket, canBeLookedAt: true, stage: isQueued ? "queue" : "generate", fraction: 0))
    }

    /// The files are the objects with a `url` anywhere in the result: models differ in what they call them.
    private func answer(_ result: JSONValue) throws(AddonFailure) -> AddonAnswer {
        guard result.text.count <= AddonAnswer.metadataMax else {
            throw AddonFailure("the result is too long to be kept", isPermanent: true)
        }
        var answer = AddonAnswer(metadata: result)
        var waiting: [(name: String, value: JSONValue)] = [("result", result)]
        var count = 0
        while let (name, value) = waiting.popLast(), count < Self.valuesMax {
            count += 1
            switch value {
            case .array(let values): waiting += values.reversed().map { (name, $0) }
            case .object(let members):
                guard let url = value["url"]?.string, ResultURL.isUsable(url) else {
                    waiting += members.reversed().map { ($0.name, $0.value) }
                    continue
                }
                guard answer.files.count < AddonAnswer.filesMax else { continue }
                answer.files.append(
                    AddonAnswer.File(
                        name: value["file_name"]?.string, contentType: value["content_type"]?.string,
                        content: .url(url)))
            default: break
            }
        }
        return answer
    }
}
