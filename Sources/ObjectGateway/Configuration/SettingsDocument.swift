/// docs/SETTINGS.md, made from the table of settings.
public enum SettingsDocument {
    public static func markdown() -> String {
        let rows = Setting.all.map { setting in
            let cells = [
                "`\(setting.name)`", "`\(setting.flag) \(setting.placeholder)`",
                setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`", setting.summary,
            ]
            return "| " + cells.map(escaped).joined(separator: " | ") + " |"
        }
        return """
            # Settings

            Generated from the table that the program reads its settings by, as `ogw serve --help` is.

            A flag wins over the environment, the environment over the file of `--env-file` (lines `NAME=value`), and
            that over the default. An empty variable counts as not set.

            | Setting | Flag | Default | Meaning |
            |---|---|---|---|
            \(rows.joined(separator: "\n"))

            ## The start file

            `OGW_CONFIG` names a JSON file of users and buckets. Every start makes those that are absent and brings the
            others to what stands there, before the listeners open; nothing is removed. A file with a slip, such as a
            member that is not known, ends the start with exit status 2, and nothing of it is applied.

            ```json
            {
              "users": [
                {"name": "alice", "access_key": "ALICEKEY", "secret_key": "SECRET", "policy": "readonly",
                 "customer": "acme", "disabled": false}
              ],
              "buckets": [
                {"name": "photos", "versioning": "enabled"}
              ]
            }
            ```

            A user needs `name`, `access_key` and `secret_key`; `policy` is `readwrite` where it is absent. The user
            root is not in the file: it has `OGW_ROOT_ACCESS_KEY` and `OGW_ROOT_SECRET_KEY`. `versioning` is `enabled`,
            `suspended` or `unversioned`; where it is absent the bucket keeps what it has. The file holds secret keys,
            so keep it readable by the gateway's user alone.

            """
    }

    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
