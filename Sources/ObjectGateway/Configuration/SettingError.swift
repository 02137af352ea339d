/// A setting whose value cannot be used. Its text names the setting, where the value came from, the value and what was
/// wanted; the value of a secret setting is never shown.
public struct SettingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting as the person wrote it: `OGW_REGION`, `--region` or `OGW_REGION in settings.env line 3`.
    public let place: String
    /// Nil for a secret.
    public let value: String?
    public let wanted: String

    public init(place: String, value: String?, wanted: String) {
        self.place = place
        self.value = value
        self.wanted = wanted
    }

    public var description: String {
        value.map { "\(place) is \"\($0)\": wanted \(wanted)." } ?? "\(place): wanted \(wanted)."
    }
}
