/// docs/SETTINGS.md, made from the table of settings.
public enum SettingsDocument {
    /// The whole text, ending with a line feed.
    public static func markdown() -> String {
        var lines = [
            "# Settings", "",
            "Made from the table behind `ogw serve --help` by `make docs`; a test keeps it equal. A setting is an environment",
            "variable, a flag of the same name (`OGW_S3_LISTEN` is `--s3-listen`), or a line of `--env-file`.",
            "", "| Setting | Value | Default | Meaning |", "|---|---|---|---|",
        ]
        for setting in Setting.all {
            let value = setting.placeholder.split(separator: "|").joined(separator: "\\|")
            let standard = setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`"
            lines.append("| `\(setting.name)` | \(value) | \(standard) | \(setting.summary) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
