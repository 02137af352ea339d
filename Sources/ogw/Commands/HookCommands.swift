import JSON
import ObjectGateway

/// What the commands for hooks share.
private enum HookText {
    static func path(_ bucket: String, _ rest: String = "") -> String {
        "/api/buckets/\(ControlCaller.segment(bucket))/hooks\(rest)"
    }

    static func places(_ bucket: String) -> [String: (place: String, value: String?)] {
        ["bucket": ("BUCKET", bucket)]
    }

    /// The members of a body that flags give, and which flags those are.
    static func body(
        _ arguments: ParsedArguments, _ flags: [(field: String, flag: String)]
    ) -> (members: [JSONValue.Member], places: [String: (place: String, value: String?)]) {
        var (members, places) = ([JSONValue.Member](), [String: (place: String, value: String?)]())
        for (field, flag) in flags {
            guard let value = arguments.values[flag] else { continue }
            members.append(.init(field, .string(value)))
            places[field] = (flag, value)
        }
        return (members, places)
    }

    /// Prints what is wrong with the hooks in a file; true where nothing is.
    static func areValid(
        _ document: JSONValue, _ bucket: String, _ arguments: ParsedArguments, as command: any Command.Type
    ) throws -> Bool {
        let request = Control.Request(
            method: "POST", path: path(bucket, "/validate"), body: document, places: places(bucket))
        let faults = HookDocument.faults(try Control.ask(request, arguments, as: command))
        for fault in faults { Terminal.error("ogw \(command.syntax.name): \(fault)") }
        return faults.isEmpty
    }

    /// Asks page after page, and adds up.
    static func walk(
        _ path: String, _ members: [JSONValue.Member], _ places: [String: (place: String, value: String?)],
        _ arguments: ParsedArguments, as command: any Command.Type
    ) throws -> JSONValue {
        var (scanned, made): (Int64, Int64) = (0, 0)
        var further: [JSONValue.Member] = []
        while true {
            let request = Control.Request(
                method: "POST", path: path, body: .object(members + further), places: places)
            let answer = try Control.ask(request, arguments, as: command)
            scanned += answer["scanned"]?.integer ?? 0
            made += answer["made"]?.integer ?? 0
            guard let next = answer["next"], next != .null else { break }
            further = [.init("after", next)]
            if let through = answer["through"] { further.append(.init("through", through)) }
            let place = next.string.map { "; to go on from here: --after \($0)" } ?? ""
            Terminal.progress("\(scanned) looked at, \(made) set off\(place)")
        }
        Terminal.progress("")
        return ["scanned": .integer(scanned), "made": .integer(made)]
    }
}

/// `ogw hooks get BUCKET`.
enum HooksGet: Command {
    static let syntax = CommandSyntax(
        "hooks get", "Print the hooks of a bucket, as `ogw hooks set` takes them.", operands: ["BUCKET"],
        options: Control.options, settings: Control.settings, example: "ogw hooks get image-assets > hooks.json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let request = Control.Request(method: "GET", path: HookText.path(bucket), places: HookText.places(bucket))
        Control.show(try Control.ask(request, arguments, as: self), arguments) { answer in
            HookDocument.lines(answer["configuration"] ?? .null)
        }
        return 0
    }
}

/// `ogw hooks set BUCKET FILE`.
enum HooksSet: Command {
    static let syntax = CommandSyntax(
        "hooks set", "Replace the hooks of a bucket by those of a file.", operands: ["BUCKET", "FILE"],
        options: [.init("--revision", "N", "Only where the present ones are of this revision, 0 for none.")]
            + Control.options, settings: Control.settings, example: "ogw hooks set image-assets hooks.json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let document = try HookDocument.read(arguments.operands[1], "FILE", as: self)
        guard try HookText.areValid(document, bucket, arguments, as: self) else { return 2 }
        var (path, places) = (HookText.path(bucket), HookText.places(bucket))
        if let revision = arguments.values["--revision"] {
            path += "?revision=\(ControlCaller.segment(revision))"
            places["revision"] = ("--revision", revision)
        }
        let request = Control.Request(method: "PUT", path: path, body: document, places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments) {
            "The hooks of \($0.text("bucket")) are of revision \($0["revision"]?.integer ?? 0)."
        }
        return 0
    }
}

/// `ogw hooks remove BUCKET`.
enum HooksRemove: Command {
    static let syntax = CommandSyntax(
        "hooks remove", "Take the hooks of a bucket away.", operands: ["BUCKET"], options: Control.options,
        settings: Control.settings, example: "ogw hooks remove image-assets")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let request = Control.Request(method: "DELETE", path: HookText.path(bucket), places: HookText.places(bucket))
        Control.show(try Control.ask(request, arguments, as: self), arguments) {
            "The bucket \($0.text("bucket")) has no hooks any more."
        }
        return 0
    }
}

/// `ogw hooks validate BUCKET FILE`.
enum HooksValidate: Command {
    static let syntax = CommandSyntax(
        "hooks validate", "Say all that is wrong with the hooks in a file.", operands: ["BUCKET", "FILE"],
        options: Control.options, settings: Control.settings, example: "ogw hooks validate image-assets hooks.json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let document = try HookDocument.read(arguments.operands[1], "FILE", as: self)
        guard try HookText.areValid(document, bucket, arguments, as: self) else { return 2 }
        Control.show(["valid": .bool(true)], arguments) { _ in "The hooks can be used." }
        return 0
    }
}

/// `ogw hooks dry-run BUCKET KEY`.
enum HooksDryRun: Command {
    static let syntax = CommandSyntax(
        "hooks dry-run", "Say which hooks an event of an object would set off, and do nothing.",
        operands: ["BUCKET", "KEY"],
        options: [
            .init("--event", "EVENT", "What happens, such as object.removed. Default object.created."),
            .init("--content-type", "TYPE", "In place of the object's own."),
            .init("--file", "FILE", "Hooks in place of those of the bucket."),
        ] + Control.options, settings: Control.settings, example: "ogw hooks dry-run image-assets uploads/photo.jpg")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let (bucket, key) = (arguments.operands[0], arguments.operands[1])
        var (members, places) = HookText.body(
            arguments, [("event", "--event"), ("content_type", "--content-type")])
        places.merge(HookText.places(bucket)) { $1 }
        places["key"] = ("KEY", key)
        members.append(.init("key", .string(key)))
        if let path = arguments.values["--file"] {
            members.append(.init("configuration", try HookDocument.read(path, "--file", as: self)))
        }
        let request = Control.Request(
            method: "POST", path: HookText.path(bucket, "/dry-run"), body: .object(members), places: places)
        Control.show(try Control.ask(request, arguments, as: self), arguments, text)
        return 0
    }

    private static func text(_ answer: JSONValue) -> String {
        let object = answer["object"] ?? .null
        let type = object["content_type"]?.string ?? "no content type"
        let head =
            "\(answer.text("event")) of \(object.text("key")) (\(type), \(object["size"]?.integer ?? 0) bytes"
            + "\(answer["is_there"]?.bool == true ? "" : ", not there"))"
        let hooks = answer["hooks"]?.array ?? []
        if hooks.isEmpty { return "\(head)\nThe bucket has no hooks." }
        return hooks.reduce(head) { text, hook in
            let name = hook.text("name")
            guard hook["runs"]?.bool == true else { return "\(text)\n  \(name) does not run: \(hook.text("reason"))" }
            let steps = (hook["steps"]?.array ?? []).map { step in
                "\(step.text("name")) (\(step.text("kind"))\(step["after"]?.string.map { ", after \($0)" } ?? ""))"
            }
            let told = (hook["notify"]?.array ?? []).compactMap(\.string).map { "tell \($0)" }
            return "\(text)\n  \(name) runs: \((steps + told).joined(separator: ", "))"
        }
    }
}

/// `ogw hooks backfill BUCKET`.
enum HooksBackfill: Command {
    static let syntax = CommandSyntax(
        "hooks backfill", "Run hooks for the objects that are there already, as if they had just come.",
        operands: ["BUCKET"],
        options: [
            .init("--hook", "NAME", "This hook only."), .init("--prefix", "PREFIX", "Keys that begin with it only."),
            .init("--after", "PLACE", "Go on where an earlier run was cut short, as it showed."),
        ] + Control.options, settings: Control.settings,
        example: "ogw hooks backfill image-assets --hook publish-photo --prefix uploads/2025/")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let (members, places) = HookText.body(
            arguments, [("hook", "--hook"), ("prefix", "--prefix"), ("after", "--after")])
        let sum = try HookText.walk(
            HookText.path(bucket, "/backfill"), members, places.merging(HookText.places(bucket)) { $1 }, arguments,
            as: self)
        Control.show(sum, arguments) {
            "\($0["scanned"]?.integer ?? 0) objects looked at, hooks set off for \($0["made"]?.integer ?? 0)."
        }
        return 0
    }
}

/// `ogw hooks replay BUCKET`.
enum HooksReplay: Command {
    static let syntax = CommandSyntax(
        "hooks replay", "Run hooks again for what happened since then; events are kept for a week.",
        operands: ["BUCKET"],
        options: [
            .init("--since", "WHEN", "A moment such as 2026-01-31T12:00:00Z, or a duration such as 24h. Default 24h."),
            .init("--hook", "NAME", "This hook only."),
        ] + Control.options, settings: Control.settings, example: "ogw hooks replay image-assets --since 2h")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        var (members, places) = HookText.body(arguments, [("since", "--since"), ("hook", "--hook")])
        if arguments.values["--since"] == nil { members.append(.init("since", "24h")) }
        places.merge(HookText.places(bucket)) { $1 }
        let sum = try HookText.walk(HookText.path(bucket, "/replay"), members, places, arguments, as: self)
        Control.show(sum, arguments) {
            "\($0["scanned"]?.integer ?? 0) events looked at, hooks set off for \($0["made"]?.integer ?? 0)."
        }
        return 0
    }
}

/// `ogw hooks arns BUCKET`.
enum HooksARNs: Command {
    static let syntax = CommandSyntax(
        "hooks arns", "Print what a notification configuration names the hooks of a bucket by.", operands: ["BUCKET"],
        options: Control.options, settings: Control.settings + ["OGW_REGION"].compactMap(Setting.named),
        example: "ogw hooks arns image-assets")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let bucket = arguments.operands[0]
        let region = try Environment.configuration(arguments).region
        let request = Control.Request(
            method: "GET", path: HookText.path(bucket), places: HookText.places(bucket))
        let hooks = try Control.ask(request, arguments, as: self)["configuration"]?["hooks"]?.array ?? []
        let arns = hooks.map { HookARN.text(of: $0.text("name"), region: region) }
        Control.show(["arns": .array(arns.map { .string($0) })], arguments) { _ in arns.joined(separator: "\n") }
        return 0
    }
}
