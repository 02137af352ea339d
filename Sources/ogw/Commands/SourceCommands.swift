import JSON
import ObjectGateway

/// What the commands for sources share.
private enum SourceText {
    static func path(_ name: String) -> String { "/api/sources/\(ControlCaller.segment(name))" }

    static func places(_ name: String) -> [String: (place: String, value: String?)] { ["source": ("NAME", name)] }
}

/// `ogw sources list`.
enum SourcesList: Command {
    static let syntax = CommandSyntax(
        "sources list", "List the lists of Redis that events are taken from, and how they fare.",
        options: Control.options, settings: Control.settings, example: "ogw sources list --json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try Control.list(
            "sources", of: "/api/sources", ["NAME", "STATE", "WAITING", "TAKEN", "REFUSED", "DEAD", "LAST ERROR"],
            arguments, as: self
        ) { source in
            func number(_ name: String) -> String { "\(source[name]?.integer ?? 0)" }
            return [
                source.text("name"), source.text("state"), number("waiting"), number("taken"),
                number("refused"), number("dead"), source["last_error"]?.string ?? "-",
            ]
        }
    }
}

/// `ogw sources set NAME`.
enum SourcesSet: Command {
    private static let texts = [
        ("url", "--url"), ("secret", "--secret"), ("user", "--user"), ("key", "--key"), ("acts_as", "--acts-as"),
    ]

    static let syntax = CommandSyntax(
        "sources set", "Take events from a list of Redis, or change how; NAME is redis:inbox and the like.",
        operands: ["NAME"],
        options: [
            .init("--url", "URL", "redis://host:6379/0."),
            .init(
                "--secret", "SECRET", "The password of Redis. Other users of the machine can see it while this runs."),
            .init("--user", "USER", "The name that Redis asks for."),
            .init("--key", "KEY", "Of the list."),
            .init("--acts-as", "NAME", "The user of this store whose rights count. Default those of its owner."),
            .init("--file", "FILE", "All of this as JSON instead, with members of these names."),
        ] + Control.options, settings: Control.settings,
        example: "ogw sources set redis:inbox --url redis://10.0.0.5:6379/0 --key inbox")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        var places = SourceText.places(name)
        let body: JSONValue
        if let path = arguments.values["--file"] {
            body = try HookDocument.read(path, "--file", as: self)
        } else {
            var members: [JSONValue.Member] = []
            for (field, flag) in texts {
                guard let value = arguments.values[flag] else { continue }
                members.append(.init(field, .string(value)))
                places[field] = (flag, field == "secret" ? nil : value)
            }
            body = .object(members)
        }
        let request = Control.Request(method: "PUT", path: SourceText.path(name), body: body, places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments) {
            "Events are taken from \($0.text("name"))."
        }
        return 0
    }
}

/// `ogw sources remove NAME`.
enum SourcesRemove: Command {
    static let syntax = CommandSyntax(
        "sources remove", "Take no more events from a source; what waits in its lists stays there.",
        operands: ["NAME"], options: Control.options, settings: Control.settings,
        example: "ogw sources remove redis:inbox")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "DELETE", path: SourceText.path(name), places: SourceText.places(name))
        Control.show(try Control.ask(request, arguments, as: self), arguments) { _ in
            "No more events are taken from \(name)."
        }
        return 0
    }
}
