import Bytes
import Digests
import HTTPClient
import JSON

/// Adobe's Firefly (developer.adobe.com, Firefly API, generate image v3): a picture of words, with a token of the credentials of a server.
struct FireflyAddon: AddonDriver {
    private let settings: AddonSettings
    private let secret: [UInt8]
    private let line: AddonLine
    private let tokens: TokenCache
    private static let retries = 3

    init(_ settings: AddonSettings, secret: [UInt8], line: AddonLine, tokens: TokenCache) {
        (self.settings, self.secret, self.line, self.tokens) = (settings, secret, line, tokens)
    }

    func begin(_ call: AddonCall) async throws(AddonFailure) -> AddonOutcome {
        let url = "\(settings.url)/v3/images/generate"
        let body = try body(of: call).text
        let token = try await token()
        var response = try await generate(url, body, token)
        if response.status == 401 {
            // It may have been taken back before its time.
            tokens.forget(token, under: cacheKey)
            let second = try await self.token()
            response = try await generate(url, body, second)
        }
        guard (200...299).contains(response.status) else { throw AddonLine.failure(url, response) }
        return .done(try answer(of: try AddonLine.object(url, response)))
    }

    /// Its answer is whole at once.
    func look(at ticket: JSONValue) async throws(AddonFailure) -> AddonOutcome {
        throw AddonFailure("nothing was left to look at", startsAnew: true)
    }

    func cancel(_ ticket: JSONValue) async {}

    func test() async throws(AddonFailure) { _ = try await freshToken() }

    private func generate(
        _ url: String, _ body: [UInt8], _ token: String
    ) async throws(AddonFailure) -> FetchResponse {
        var fields = [
            (name: "authorization", value: "Bearer \(token)"), (name: "x-api-key", value: settings.clientID),
            (name: "content-type", value: "application/json"), (name: "accept", value: "application/json"),
        ]
        if !settings.model.isEmpty { fields.append((name: "x-model-version", value: settings.model)) }
        return try await line.send("POST", url, headers: fields, body: body, retries: Self.retries)
    }

    /// The prompt is that of the parameters, else what the asset says of itself.
    private func body(of call: AddonCall) throws(AddonFailure) -> JSONValue {
        guard case .object(var members) = settings.parameters else { throw AddonFailure("no parameters") }
        if !members.contains(where: { $0.name == "prompt" }) {
            let metadata = call.payload["asset"]?["metadata"]
            guard let prompt = metadata?["description"]?.string ?? metadata?["title"]?.string, !prompt.isEmpty else {
                throw AddonFailure(
                    "there is no prompt: neither in the addon's parameters nor as description or title of the asset",
                    isPermanent: true)
            }
            members.append(.init("prompt", .string(String(prompt.prefix(1024)))))
        }
        if !members.contains(where: { $0.name == "size" }) {
            members.append(.init("size", ["width": .integer(2048), "height": .integer(2048)]))
        }
        return .object(members)
    }

    private func answer(of said: JSONValue) throws(AddonFailure) -> AddonAnswer {
        var answer = AddonAnswer(metadata: ["outputs": .array([])])
        var seeds: [JSONValue] = []
        for (place, output) in (said["outputs"]?.array ?? []).prefix(AddonAnswer.filesMax).enumerated() {
            guard let url = output["image"]?["url"]?.string, ResultURL.isUsable(url) else { continue }
            answer.files.append(AddonAnswer.File(name: "generated-\(place + 1)", contentType: nil, content: .url(url)))
            seeds.append(output["seed"] ?? .null)
        }
        guard !answer.files.isEmpty else { throw AddonFailure("the answer names no picture") }
        answer.metadata = ["size": said["size"] ?? .null, "seeds": .array(seeds)]
        return answer
    }

    // MARK: Tokens

    /// Of another secret it is another token.
    private var cacheKey: [UInt8] {
        Digest.sha256(Array("\(settings.tokenURL) \(settings.clientID) \(settings.scope) ".utf8) + secret)
    }

    private func token() async throws(AddonFailure) -> String {
        if let known = tokens.token(cacheKey) { return known }
        return try await freshToken()
    }

    /// By the credentials of the client (RFC 6749 section 4.4).
    private func freshToken() async throws(AddonFailure) -> String {
        let fields: [(String, [UInt8])] = [
            ("grant_type", Array("client_credentials".utf8)), ("client_id", Array(settings.clientID.utf8)),
            ("client_secret", secret), ("scope", Array(settings.scope.utf8)),
        ]
        var body: [UInt8] = []
        for (name, value) in fields {
            if !body.isEmpty { body.append(Ascii.ampersand) }
            body += Array("\(name)=".utf8) + PercentEncoding.encode(value)
        }
        let url = settings.tokenURL
        let response = try await line.send(
            "POST", url, headers: [(name: "content-type", value: "application/x-www-form-urlencoded")], body: body,
            retries: Self.retries)
        guard (200...299).contains(response.status) else {
            // What it says may repeat what it was sent.
            var failure = AddonLine.failure(url, response)
            failure.reason = "\(ResultURL.shown(url)) answered \(response.status) to the client's credentials"
            throw failure
        }
        let said = try AddonLine.object(url, response)
        guard let token = said["access_token"]?.string, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw AddonFailure("\(ResultURL.shown(url)) answered without a token") }
        let seconds = min(max(said["expires_in"]?.number ?? 0, 0), 86_400)
        tokens.keep(token, for: .seconds(seconds), under: cacheKey)
        return token
    }
}
