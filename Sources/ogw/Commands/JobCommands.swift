import JSON
import ObjectGateway

/// `ogw jobs list`.
enum JobsList: Command {
    static let syntax = CommandSyntax(
        "jobs list", "List runs of hooks, the newest first.",
        options: [
            .init("--state", "STATE", "running, completed, failed or cancelled."),
            .init("--bucket", "BUCKET", "For objects of this bucket."),
            .init("--key", "KEY", "For this object; with --bucket."), .init("--hook", "NAME", "Of this hook."),
            .init("--limit", "N", "At most so many, 1 to 100. Default 50."),
            .init("--cursor", "CURSOR", "Go on where the list before ended."),
        ] + Control.options, settings: Control.settings, example: "ogw jobs list --state failed --bucket image-assets")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let request = JobText.request(
            "/api/jobs", ["state", "bucket", "key", "hook", "limit", "cursor"], arguments)
        Control.show(try Control.ask(request, arguments, as: self), arguments) { answer in
            let rows = (answer["jobs"]?.array ?? []).map { job in
                [
                    job.text("id"), job.text("state"), "\(Int((job["progress"]?.number ?? 0) * 100)) %",
                    job.text("hook"), "\(job.text("bucket"))/\(job.text("key"))", job.text("created_at"),
                ]
            }
            return Terminal.table(["ID", "STATE", "DONE", "HOOK", "OBJECT", "CREATED"], rows) + JobText.more(answer)
        }
        return 0
    }
}

/// `ogw jobs show ID`.
enum JobsShow: Command {
    static let syntax = CommandSyntax(
        "jobs show", "Show a run of a hook with its steps.", operands: ["ID"], options: Control.options,
        settings: Control.settings, example: "ogw jobs show 019a8b7c-0000-7000-8000-000000000000")

    static func run(_ arguments: ParsedArguments) throws -> Int32 { try JobText.ask("GET", "", arguments, as: self) }
}

/// `ogw jobs cancel ID`.
enum JobsCancel: Command {
    static let syntax = CommandSyntax(
        "jobs cancel", "Cancel what has not ended of a run.", operands: ["ID"], options: Control.options,
        settings: Control.settings, example: "ogw jobs cancel 019a8b7c-0000-7000-8000-000000000000")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try JobText.ask("POST", "/cancel", arguments, as: self)
    }
}

/// `ogw jobs retry ID`.
enum JobsRetry: Command {
    static let syntax = CommandSyntax(
        "jobs retry", "Retry the steps of a run that failed for good.", operands: ["ID"], options: Control.options,
        settings: Control.settings, example: "ogw jobs retry 019a8b7c-0000-7000-8000-000000000000")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try JobText.ask("POST", "/retry", arguments, as: self)
    }
}

/// `ogw jobs dead`.
enum JobsDead: Command {
    static let syntax = CommandSyntax(
        "jobs dead", "List the dead letters: steps that failed for good, with their reasons.",
        options: [
            .init("--limit", "N", "At most so many, 1 to 100. Default 50."),
            .init("--cursor", "CURSOR", "Go on where the list before ended."),
        ] + Control.options, settings: Control.settings, example: "ogw jobs dead")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let request = JobText.request("/api/jobs/dead", ["limit", "cursor"], arguments)
        Control.show(try Control.ask(request, arguments, as: self), arguments) { answer in
            let rows = (answer["dead"]?.array ?? []).map { dead in
                [
                    dead.text("id"), "\(dead.text("hook"))/\(dead.text("step"))",
                    "\(dead.text("bucket"))/\(dead.text("key"))", "\(dead["attempt"]?.integer ?? 0)",
                    dead.text("reason"),
                ]
            }
            return Terminal.table(["ID", "STEP", "OBJECT", "TRIES", "REASON"], rows) + JobText.more(answer)
        }
        return 0
    }
}

/// `ogw jobs retry-dead`.
enum JobsRetryDead: Command {
    static let syntax = CommandSyntax(
        "jobs retry-dead", "Retry all dead letters.",
        options: [.init("--hook", "NAME", "Of this hook."), .init("--bucket", "BUCKET", "For objects of this bucket.")]
            + Control.options, settings: Control.settings, example: "ogw jobs retry-dead --hook publish-photo")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let given = ["hook", "bucket"].compactMap { field in
            arguments.values["--\(field)"].map { JSONValue.Member(field, .string($0)) }
        }
        var (retried, next): (Int64, JSONValue?) = (0, nil)
        repeat {
            let body = JSONValue.object(given + (next.map { [.init("after", $0)] } ?? []))
            let answer = try Control.ask(
                .init(method: "POST", path: "/api/jobs/dead/retry", body: body), arguments, as: self)
            retried += answer["retried"]?.integer ?? 0
            next = answer["next"].flatMap { $0 == .null ? nil : $0 }
        } while next != nil
        Control.show(["retried": .integer(retried)], arguments) { "\($0["retried"]?.integer ?? 0) are retried." }
        return 0
    }
}

/// What the commands for jobs share.
private enum JobText {
    /// Asks for the run that the operand names, or changes it, and shows it.
    static func ask(
        _ method: String, _ rest: String, _ arguments: ParsedArguments, as command: any Command.Type
    ) throws -> Int32 {
        let path = "/api/jobs/\(ControlCaller.segment(arguments.operands[0]))\(rest)"
        let answer = try Control.ask(.init(method: method, path: path), arguments, as: command)
        Control.show(answer, arguments, run)
        return 0
    }

    /// A GET whose query has the values of flags of the same names.
    static func request(_ path: String, _ names: [String], _ arguments: ParsedArguments) -> Control.Request {
        var (query, places) = ([String](), [String: (place: String, value: String?)]())
        for name in names {
            guard let value = arguments.values["--\(name)"] else { continue }
            query.append("\(name)=\(ControlCaller.segment(value))")
            places[name] = ("--\(name)", value)
        }
        let suffix = query.isEmpty ? "" : "?" + query.joined(separator: "&")
        return Control.Request(method: "GET", path: path + suffix, places: places)
    }

    static func more(_ answer: JSONValue) -> String {
        answer["next_cursor"]?.string.map { "\nThere are more: --cursor \($0)" } ?? ""
    }

    static func run(_ job: JSONValue) -> String {
        let head = """
            \(job.text("hook")) on \(job.text("event")) of \(job.text("bucket"))/\(job.text("key"))
            \(job.text("state")), \(Int((job["progress"]?.number ?? 0) * 100)) % done, since \(job.text("created_at"))
            """
        let rows = (job["steps"]?.array ?? []).map { step in
            let stage = step["stage"]?.string.map {
                "\($0) \(Int((step["fraction"]?.number ?? 0) * 100)) %"
            }
            let files = (step["files"]?.array ?? []).map { "\($0.text("bucket"))/\($0.text("key"))" }
            return [
                step.text("name"), step.text("kind"), step.text("state"),
                step["attempt"]?.integer.map { "\($0)" } ?? "-",
                stage ?? step["reason"]?.string ?? files.joined(separator: " "),
            ]
        }
        return head + "\n" + Terminal.table(["STEP", "KIND", "STATE", "TRY", ""], rows)
    }
}
