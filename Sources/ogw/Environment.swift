import Glibc
import ObjectGateway

/// The settings of a command, from its flags, the environment and the file of `--env-file`.
enum Environment {
    static let fileOption = CommandSyntax.Option("--env-file", "FILE", "A file of settings, lines NAME=value.")

    static func configuration(_ arguments: ParsedArguments) throws(SettingError) -> GatewayConfiguration {
        var environment: [String: String] = [:]
        for setting in Setting.all { environment[setting.name] = variable(setting.name) }
        var file: EnvironmentFile?
        if let path = arguments.values[fileOption.flag] { file = try EnvironmentFile.read(path) }
        return try GatewayConfiguration.read(
            SettingSources(flags: arguments.values, environment: environment, file: file))
    }

    static func variable(_ name: String) -> String? {
        // SAFETY: nothing in this program changes the environment, so the string stays where it is.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
