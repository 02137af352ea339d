/// Why a store could not be opened or a gateway not be started, in one sentence for the person who started it.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// What the person wrote cannot be used, rather than what the machine has.
    public let isWrongSetting: Bool

    public init(_ description: String) {
        self.description = description
        isWrongSetting = false
    }

    init(_ error: SettingError) {
        description = error.description
        isWrongSetting = true
    }
}
