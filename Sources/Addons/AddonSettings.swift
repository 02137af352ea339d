import Bytes
import Hooks
public import JSON

/// What is said of an addon: where it is, and how it is asked. Its secret is kept apart.
public struct AddonSettings: Sendable, Equatable {
    public enum Driver: String, Sendable, CaseIterable {
        /// The contract of docs/HOOKS.md, Addons.
        case http
        /// The queue of fal.ai (docs.fal.ai, Queue API).
        case fal
        /// Adobe's Firefly: pictures of words.
        case firefly
    }

    public var driver: Driver
    /// Of `http` the whole address, of the others the part before the paths of their API.
    public var url: String
    /// Of `fal` the model's path, of `firefly` the version of the model.
    public var model: String
    /// Of one call; how long an answer may take on the whole says the step.
    public var timeout = Duration.seconds(60)
    /// What is sent beside what a job brings, for the other side to make sense of: an object.
    public var parameters = JSONValue.object([])
    /// `fal`: the parameter that names the file.
    public var fileParameter = "image_url"
    /// `firefly`: who asks.
    public var clientID = ""
    /// `firefly`: where tokens are given, and for what.
    public var tokenURL = "https://ims-na1.adobelogin.com/ims/token/v3"
    public var scope = "openid,AdobeID,session,additional_info,read_organizations,firefly_api,ff_apis"

    public static let falModel = "tripo3d/tripo/v2.5/image-to-3d"
    private static let parametersMax = 16 << 10

    /// `value` is an object that may hold the secret too, which is not among these settings.
    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let common = ["driver", "url", "secret", "timeout", "parameters"]
        let all = common + ["model", "file_parameter", "client_id", "token_url", "scope"]
        let members = try JSONMembers(value, of: all, at: path, secrets: ["secret"])
        guard let driver = try members.choice("driver", Driver.self) else {
            throw members.fault(
                "driver", wanted: Driver.allCases.map(\.rawValue).joined(separator: ", ").namingChoices())
        }
        self.driver = driver
        try SealedRegister.check(members)
        let own: [String] =
            switch driver {
            case .http: []
            case .fal: ["model", "file_parameter"]
            case .firefly: ["model", "client_id", "token_url", "scope"]
            }
        for name in members.names where !(common + own).contains(name) {
            throw members.fault(name, wanted: "no such member of an addon of driver \(driver.rawValue)")
        }
        let wanted = "an http or https URL of at most 2048 characters, without user and password"
        switch driver {
        case .http: url = try members.requiredText("url", wanted: wanted)
        case .fal: url = try members.text("url", wanted: wanted) ?? "https://queue.fal.run"
        case .firefly: url = try members.text("url", wanted: wanted) ?? "https://firefly-api.adobe.io"
        }
        guard ResourceAddress.isURL(url) else { throw members.secretFault("url", wanted: wanted) }
        if driver != .http {
            guard !url.utf8.contains(Ascii.question) else {
                throw members.fault("url", wanted: "a URL without a query")
            }
            while url.hasSuffix("/") { url.removeLast() }
        }
        model = driver == .fal ? Self.falModel : ""
        let modelWanted = "a model such as \(Self.falModel)"
        if let text = try members.text("model", wanted: modelWanted) {
            guard Self.isModel(text) else { throw members.fault("model", wanted: modelWanted) }
            model = text
        }
        timeout = try members.duration("timeout", in: .seconds(1)...(.seconds(1800))) ?? timeout
        if let value = members["parameters"] {
            guard case .object = value, value.text.count <= Self.parametersMax else {
                throw members.fault("parameters", wanted: "an object of at most \(Self.parametersMax >> 10) KiB")
            }
            parameters = value
        }
        if let text = try members.text("file_parameter", wanted: HookName.wanted) {
            guard HookName.isName(text) else { throw members.fault("file_parameter", wanted: HookName.wanted) }
            fileParameter = text
        }
        if driver == .firefly { try readCredentials(members, urlWanted: wanted) }
    }

    private mutating func readCredentials(_ members: JSONMembers, urlWanted: String) throws(JSONFault) {
        let wanted = "1 to 255 printable characters without spaces"
        clientID = try members.requiredText("client_id", wanted: wanted)
        guard Self.isToken(clientID) else { throw members.fault("client_id", wanted: wanted) }
        tokenURL = try members.text("token_url", wanted: urlWanted) ?? tokenURL
        guard ResourceAddress.isURL(tokenURL) else { throw members.secretFault("token_url", wanted: urlWanted) }
        scope = try members.text("scope", wanted: wanted) ?? scope
        guard Self.isToken(scope) else { throw members.fault("scope", wanted: wanted) }
    }

    private static func isToken(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// A path of names, none of which leads upwards.
    private static func isModel(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy {
                        Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.dash || $0 == Ascii.dot
                            || $0 == Ascii.underscore
                    }
            }
    }
}
