import JSON
import ObjectGateway

/// `ogw user add NAME`.
enum UserAdd: Command {
    static let syntax = CommandSyntax(
        "user add", "Add a user; keys that are not given are generated and shown once.", operands: ["NAME"],
        options: [
            .init("--policy", "POLICY", "readonly, readwrite, writeonly or admin. Default readwrite."),
            .init("--access-key", "KEY", "The access key."),
            .init("--secret-key", "SECRET", "The secret key. Other users of the machine can see it while this runs."),
            .init("--customer", "CUSTOMER", "The customer that the user's objects belong to."),
        ] + Control.options, settings: Control.settings, example: "ogw user add alice --policy readonly")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let fields = [
            ("policy", "--policy"), ("access_key", "--access-key"), ("secret_key", "--secret-key"),
            ("customer", "--customer"),
        ]
        var members = [JSONValue.Member("name", .string(arguments.operands[0]))]
        var places: [String: (place: String, value: String?)] = ["name": ("NAME", arguments.operands[0])]
        for (field, flag) in fields {
            guard let value = arguments.values[flag] else { continue }
            members.append(.init(field, .string(value)))
            places[field] = (flag, field == "secret_key" ? nil : value)
        }
        let request = Control.Request(method: "POST", path: "/users", body: .object(members), places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments, UserText.credentials)
        return 0
    }
}

/// `ogw user list`.
enum UserList: Command {
    static let syntax = CommandSyntax(
        "user list", "List the users, without secret keys.", options: Control.options, settings: Control.settings,
        example: "ogw user list --json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try Control.list(
            "users", of: "/users", ["NAME", "ACCESS KEY", "POLICY", "CUSTOMER", "STATE", "CREATED"], arguments, as: self
        ) { user in
            [
                user.text("name"), user.text("access_key"), user.text("policy"),
                user["customer"]?.string ?? "-", user["disabled"]?.bool == true ? "disabled" : "enabled",
                user.text("created_at"),
            ]
        }
    }
}

/// `ogw user disable NAME`.
enum UserDisable: Command {
    static let syntax = CommandSyntax(
        "user disable", "Refuse a user's requests from now on.", operands: ["NAME"], options: Control.options,
        settings: Control.settings, example: "ogw user disable alice")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try UserText.change(arguments, "disable", as: self)
    }
}

/// `ogw user enable NAME`.
enum UserEnable: Command {
    static let syntax = CommandSyntax(
        "user enable", "Accept a disabled user's requests again.", operands: ["NAME"], options: Control.options,
        settings: Control.settings, example: "ogw user enable alice")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try UserText.change(arguments, "enable", as: self)
    }
}

/// `ogw user rotate NAME`.
enum UserRotate: Command {
    static let syntax = CommandSyntax(
        "user rotate", "Give a user a new secret key, shown once; the old one is refused at once.",
        operands: ["NAME"],
        options: [
            .init("--new-access-key", nil, "Generate a new access key too."),
            .init("--access-key", "KEY", "The new access key."),
            .init(
                "--secret-key", "SECRET", "The new secret key. Other users of the machine can see it while this runs."),
        ] + Control.options, settings: Control.settings, example: "ogw user rotate alice --new-access-key")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        var members: [JSONValue.Member] = []
        var places: [String: (place: String, value: String?)] = [:]
        if let key = arguments.values["--access-key"] {
            members.append(.init("access_key", .string(key)))
            places["access_key"] = ("--access-key", key)
        }
        if let secret = arguments.values["--secret-key"] {
            members.append(.init("secret_key", .string(secret)))
            places["secret_key"] = ("--secret-key", nil)
        }
        if arguments.switches.contains("--new-access-key") {
            guard arguments.values["--access-key"] == nil else {
                throw usage("--new-access-key stands beside --access-key: wanted one of them")
            }
            members.append(.init("new_access_key", .bool(true)))
        }
        let path = "/users/\(ControlCaller.segment(arguments.operands[0]))/rotate"
        let request = Control.Request(method: "POST", path: path, body: .object(members), places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments, UserText.credentials)
        return 0
    }
}

/// What the commands for users print.
private enum UserText {
    static func credentials(_ user: JSONValue) -> String {
        """
        User \(user.text("name")) (\(user.text("policy"))). The secret key is shown this once:

          export AWS_ACCESS_KEY_ID=\(user.text("access_key"))
          export AWS_SECRET_ACCESS_KEY=\(user.text("secret_key"))
        """
    }

    static func change(_ arguments: ParsedArguments, _ word: String, as command: any Command.Type) throws -> Int32 {
        let path = "/users/\(ControlCaller.segment(arguments.operands[0]))/\(word)"
        let answer = try Control.ask(.init(method: "POST", path: path), arguments, as: command)
        Control.show(answer, arguments) { "User \($0.text("name")) is \(word)d." }
        return 0
    }
}
