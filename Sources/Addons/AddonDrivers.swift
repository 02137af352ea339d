/// Makes drivers, and keeps what several calls share: tokens.
public final class AddonDrivers: Sendable {
    private let tokens = TokenCache()

    public init() {}

    /// `secret` may be empty.
    public func open(_ settings: AddonSettings, secret: [UInt8], line: AddonLine) -> any AddonDriver {
        switch settings.driver {
        case .http: HTTPAddon(settings, secret: secret, line: line)
        case .fal: FalAddon(settings, secret: secret, line: line)
        case .firefly: FireflyAddon(settings, secret: secret, line: line, tokens: tokens)
        }
    }
}
