import JSON
import ObjectGateway

/// What the commands for targets share.
private enum TargetText {
    static func path(_ name: String, _ rest: String = "") -> String {
        "/api/targets/\(ControlCaller.segment(name))\(rest)"
    }

    static func places(_ name: String) -> [String: (place: String, value: String?)] { ["target": ("NAME", name)] }
}

/// `ogw targets list`.
enum TargetsList: Command {
    static let syntax = CommandSyntax(
        "targets list", "List the targets that events are delivered to, and how they fare.", options: Control.options,
        settings: Control.settings, example: "ogw targets list --json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try Control.list(
            "targets", of: "/api/targets",
            ["NAME", "STATE", "PENDING", "OLDEST", "DELIVERED", "DROPPED", "LAST ERROR"], arguments, as: self
        ) { target in
            let more = target["has_more"]?.bool == true ? "+" : ""
            return [
                target.text("name"), target.text("state"), "\(target["pending"]?.integer ?? 0)\(more)",
                target["oldest_pending_at"]?.string ?? "-", "\(target["delivered"]?.integer ?? 0)",
                "\(target["dropped"]?.integer ?? 0)", target["last_error"]?.string ?? "-",
            ]
        }
    }
}

/// `ogw targets set NAME`.
enum TargetsSet: Command {
    private static let texts = [
        ("url", "--url"), ("secret", "--secret"), ("user", "--user"), ("mode", "--mode"), ("key", "--key"),
        ("subject", "--subject"), ("topic", "--topic"), ("exchange", "--exchange"), ("routing_key", "--routing-key"),
        ("timeout", "--timeout"), ("retention", "--retention"),
    ]

    static let syntax = CommandSyntax(
        "targets set", "Register a target of events, or change it; NAME is webhook:cms, redis:assets and the like.",
        operands: ["NAME"],
        options: [
            .init(
                "--url", "URL",
                "https://..., redis://host:6379/0, nats://..., kafka://a:9092,b:9092, amqp://host/vhost."),
            .init(
                "--secret", "SECRET",
                "Signs webhooks; the password of others. Other users of the machine can see it while this runs."),
            .init("--user", "USER", "The name that a broker asks for."),
            .init("--mode", "list|stream|pubsub", "How Redis takes events. Default list."),
            .init("--key", "KEY", "Of the list or stream of Redis, or the name of the channel."),
            .init("--subject", "SUBJECT", "Of NATS."),
            .init("--jetstream", nil, "A stream of NATS has to confirm each message."),
            .init("--topic", "TOPIC", "Of Kafka."), .init("--exchange", "NAME", "Of AMQP. Default the one of queues."),
            .init("--routing-key", "KEY", "Of AMQP; the name of a queue where no exchange is named."),
            .init("--timeout", "DURATION", "Of one call of a webhook. Default 15s."),
            .init("--concurrency", "N", "Calls of a webhook at once. Default 8."),
            .init(
                "--retention", "DURATION", "Events that could not be delivered for so long are given up. Default 7d."),
            .init("--file", "FILE", "All of this as JSON instead, with members of these names."),
        ] + Control.options, settings: Control.settings,
        example: "ogw targets set webhook:cms --url https://cms.example/events --secret s3cret")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        var places = TargetText.places(name)
        var body: JSONValue
        if let path = arguments.values["--file"] {
            body = try HookDocument.read(path, "--file", as: self)
        } else {
            var members: [JSONValue.Member] = []
            for (field, flag) in texts {
                guard let value = arguments.values[flag] else { continue }
                members.append(.init(field, .string(value)))
                places[field] = (flag, field == "secret" ? nil : value)
            }
            if let value = arguments.values["--concurrency"] {
                members.append(.init("concurrency", Int64(value).map { .integer($0) } ?? .string(value)))
                places["concurrency"] = ("--concurrency", value)
            }
            if arguments.switches.contains("--jetstream") { members.append(.init("jetstream", .bool(true))) }
            body = .object(members)
        }
        let request = Control.Request(method: "PUT", path: TargetText.path(name), body: body, places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments) {
            "The target \($0.text("name")) is registered. Try it: ogw hooks test-target \($0.text("name"))"
        }
        return 0
    }
}

/// `ogw targets remove NAME`.
enum TargetsRemove: Command {
    static let syntax = CommandSyntax(
        "targets remove", "Remove a target that no hook names; what waits for it is not delivered.",
        operands: ["NAME"], options: Control.options, settings: Control.settings,
        example: "ogw targets remove webhook:cms")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "DELETE", path: TargetText.path(name), places: TargetText.places(name))
        Control.show(try Control.ask(request, arguments, as: self), arguments) { _ in "The target \(name) is removed." }
        return 0
    }
}

/// `ogw hooks test-target NAME`.
enum HooksTestTarget: Command {
    static let syntax = CommandSyntax(
        "hooks test-target", "Send a test message to a target, and say whether it took it.", operands: ["NAME"],
        options: Control.options, settings: Control.settings, example: "ogw hooks test-target webhook:cms")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "POST", path: TargetText.path(name, "/test"), places: TargetText.places(name))
        let answer = try Control.ask(request, arguments, as: self)
        let isDelivered = answer["delivered"]?.bool == true
        Control.show(answer, arguments) {
            isDelivered ? "\(name) took the message." : "\(name) did not take the message: \($0.text("reason"))"
        }
        return isDelivered ? 0 : 1
    }
}
