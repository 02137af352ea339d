import JSON
import ObjectGateway

/// What the commands for addons share.
private enum AddonText {
    static func path(_ name: String, _ rest: String = "") -> String {
        "/api/addons/\(ControlCaller.segment(name))\(rest)"
    }

    static func places(_ name: String) -> [String: (place: String, value: String?)] { ["addon": ("NAME", name)] }
}

/// `ogw addons list`.
enum AddonsList: Command {
    static let syntax = CommandSyntax(
        "addons list", "List the addons that hooks may name.", options: Control.options, settings: Control.settings,
        example: "ogw addons list --json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try Control.list(
            "addons", of: "/api/addons", ["NAME", "DRIVER", "URL", "MODEL", "SECRET"], arguments, as: self
        ) { addon in
            let settings = addon["settings"]
            return [
                addon.text("name"), settings?["driver"]?.string ?? "-", settings?["url"]?.string ?? "-",
                settings?["model"]?.string ?? "-", addon["has_secret"]?.bool == true ? "yes" : "no",
            ]
        }
    }
}

/// `ogw addons set NAME`.
enum AddonsSet: Command {
    private static let texts = [
        ("url", "--url"), ("secret", "--secret"), ("model", "--model"), ("timeout", "--timeout"),
        ("file_parameter", "--file-parameter"), ("client_id", "--client-id"), ("token_url", "--token-url"),
        ("scope", "--scope"),
    ]

    static let syntax = CommandSyntax(
        "addons set", "Register an addon, or change it, for steps of hooks to name.", operands: ["NAME"],
        options: [
            .init("--driver", "http|fal|firefly", "How it is asked. Default http."),
            .init("--url", "URL", "Where it is; fal and firefly have their own."),
            .init(
                "--secret", "SECRET",
                "Signs requests of http; the key of fal; the client's secret of firefly. Other users of the machine can see it while this runs."
            ),
            .init("--model", "MODEL", "Of fal, default Tripo3D; the version of firefly's."),
            .init("--timeout", "DURATION", "Of one call. Default 60s."),
            .init("--parameters", "JSON", "An object that goes with each request."),
            .init("--file-parameter", "NAME", "What fal's model calls the file's URL. Default image_url."),
            .init("--client-id", "ID", "Of firefly."), .init("--token-url", "URL", "Of firefly. Default Adobe's IMS."),
            .init("--scope", "SCOPE", "Of firefly's token."),
            .init("--file", "FILE", "All of this as JSON instead, with members of these names."),
        ] + Control.options, settings: Control.settings,
        example: "ogw addons set face-recognition --url https://faces.example/analyse --secret s3cret")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        var places = AddonText.places(name)
        var body: JSONValue
        if let path = arguments.values["--file"] {
            body = try HookDocument.read(path, "--file", as: self)
        } else {
            let driver = arguments.values["--driver"] ?? "http"
            var members: [JSONValue.Member] = [.init("driver", .string(driver))]
            places["driver"] = ("--driver", driver)
            for (field, flag) in texts {
                guard let value = arguments.values[flag] else { continue }
                members.append(.init(field, .string(value)))
                places[field] = (flag, field == "secret" ? nil : value)
            }
            if let text = arguments.values["--parameters"] {
                guard let value = JSONValue(parsing: Array(text.utf8)) else {
                    throw usage("--parameters is \"\(text)\": wanted a JSON object")
                }
                members.append(.init("parameters", value))
                places["parameters"] = ("--parameters", text)
            }
            body = .object(members)
        }
        let request = Control.Request(method: "PUT", path: AddonText.path(name), body: body, places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments) {
            "The addon \($0.text("name")) is registered. Try it: ogw addons test \($0.text("name"))"
        }
        return 0
    }
}

/// `ogw addons remove NAME`.
enum AddonsRemove: Command {
    static let syntax = CommandSyntax(
        "addons remove", "Remove an addon that no hook names.", operands: ["NAME"], options: Control.options,
        settings: Control.settings, example: "ogw addons remove face-recognition")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(method: "DELETE", path: AddonText.path(name), places: AddonText.places(name))
        Control.show(try Control.ask(request, arguments, as: self), arguments) { _ in "The addon \(name) is removed." }
        return 0
    }
}

/// `ogw addons test NAME`.
enum AddonsTest: Command {
    static let syntax = CommandSyntax(
        "addons test", "Say whether an addon answers and takes its secret; it is asked for nothing that costs.",
        operands: ["NAME"], options: Control.options, settings: Control.settings,
        example: "ogw addons test face-recognition")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "POST", path: AddonText.path(name, "/test"), places: AddonText.places(name))
        let answer = try Control.ask(request, arguments, as: self)
        let isWell = answer["answered"]?.bool == true
        Control.show(answer, arguments) {
            isWell ? "\(name) answered." : "\(name) did not answer as wanted: \($0.text("reason"))"
        }
        return isWell ? 0 : 1
    }
}
