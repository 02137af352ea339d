/// Where values of settings come from. A flag wins over the environment, that over the file of `--env-file`, that over the
/// default. An empty value counts as not set, as in compose files that pass variables through.
public struct SettingSources: Sendable {
    /// By flag: `--s3-listen`.
    public var flags: [String: String]
    /// By name: `OGW_S3_LISTEN`.
    public var environment: [String: String]
    public var file: EnvironmentFile?

    public init(flags: [String: String] = [:], environment: [String: String] = [:], file: EnvironmentFile? = nil) {
        self.flags = flags
        self.environment = environment
        self.file = file
    }

    /// The value of one setting and where it stands; nil where it is not set.
    func value(of setting: Setting) -> SettingValue? {
        if let text = flags[setting.flag] {
            return SettingValue(text: text, place: setting.flag, isSecret: setting.isSecret)
        }
        if let text = environment[setting.name], !text.isEmpty {
            return SettingValue(text: text, place: setting.name, isSecret: setting.isSecret)
        }
        if let file, let entry = file.entries.last(where: { $0.name == setting.name }), !entry.value.isEmpty {
            let place = "\(setting.name) (\(file.path) line \(entry.line))"
            return SettingValue(text: entry.value, place: place, isSecret: setting.isSecret)
        }
        return nil
    }
}

extension GatewayConfiguration {
    /// The settings as the sources give them. A variable `OGW_...` that no setting has is an error in a file, where it is a
    /// slip of the pen, but not in the environment, which others share.
    public static func read(_ sources: SettingSources) throws(SettingError) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        for setting in Setting.all {
            if let value = sources.value(of: setting) { try setting.read(&configuration, value) }
        }
        if let file = sources.file {
            for entry in file.entries where entry.name.hasPrefix("OGW_") && Setting.named(entry.name) == nil {
                throw SettingError(
                    place: "\(file.path) line \(entry.line)", value: entry.name,
                    wanted: "a setting that `ogw serve --help` lists")
            }
        }
        try configuration.checkPairs()
        return configuration
    }

    private func checkPairs() throws(SettingError) {
        if (rootAccessKey == nil) != (rootSecretKey == nil) {
            let missing = rootAccessKey == nil ? "OGW_ROOT_ACCESS_KEY" : "OGW_ROOT_SECRET_KEY"
            throw SettingError(place: missing, value: nil, wanted: "a value, since the other root key is set")
        }
        if case .remote = blobs, engine.accessKey == nil || engine.secretKey == nil {
            let missing = engine.accessKey == nil ? "OGW_BLOBS_ACCESS_KEY" : "OGW_BLOBS_SECRET_KEY"
            throw SettingError(place: missing, value: nil, wanted: "the key for the engine that OGW_BLOBS names")
        }
        if (tlsCertificate == nil) != (tlsKey == nil) {
            let missing = tlsCertificate == nil ? "OGW_TLS_CERT" : "OGW_TLS_KEY"
            throw SettingError(place: missing, value: nil, wanted: "a PEM file, since the other TLS file is set")
        }
    }
}
