/// One setting: its name in every form, its default, what it means, how it is read.
public struct Setting: Sendable {
    /// As in the environment: `OGW_S3_LISTEN`.
    public let name: String
    /// What stands for the value in the help: `HOST:PORT,...`.
    public let placeholder: String
    /// As the person would write it; empty for none.
    public let defaultText: String
    public let summary: String
    /// Its value is not repeated in any message.
    public let isSecret: Bool
    let read: @Sendable (inout GatewayConfiguration, SettingValue) throws(SettingError) -> Void

    init(
        _ name: String, _ placeholder: String, default defaultText: String, isSecret: Bool = false, _ summary: String,
        read: @escaping @Sendable (inout GatewayConfiguration, SettingValue) throws(SettingError) -> Void
    ) {
        self.name = name
        self.placeholder = placeholder
        self.defaultText = defaultText
        self.summary = summary
        self.isSecret = isSecret
        self.read = read
    }

    /// `OGW_S3_LISTEN` is `--s3-listen` on the command line.
    public var flag: String {
        "--" + String(name.dropFirst("OGW_".count).map { $0 == "_" ? "-" : Character($0.lowercased()) })
    }

    public static func named(_ name: String) -> Setting? { all.first { $0.name == name } }
    public static func flagged(_ flag: String) -> Setting? { all.first { $0.flag == flag } }
}
