import Glibc
import JSON
import ObjectGateway
import Threads

/// `ogw check`.
enum CheckCommand: Command {
    static let syntax = CommandSyntax(
        "check", "Read everything that is stored and compare it with what was written.",
        options: [
            .init("--status", nil, "Say how the scrub in the background stands, and read nothing."),
            .init(
                "--rebuild", nil,
                "Make the database anew from its newest base and the log, where no server runs; the former one goes to the folder quarantine."
            ),
            .init(
                "--salvage-into", "FOLDER",
                "Where neither the database nor its bases and log give the store back: write what can still be read into a new store in FOLDER."
            ),
            .init(
                "--repair", nil,
                "Heal what lies damaged in the log where another copy is whole; move damaged files, and files that nothing names, to the folder quarantine; set the rest aside, so that the next check does not find it again."
            ),
        ] + Control.options, settings: Control.settings,
        example: """
            ogw check --status
            ogw check || ogw check --repair
            ogw check --rebuild
            ogw check --salvage-into ./saved
            """)

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let repairs = arguments.switches.contains("--repair")
        let onlyStatus = arguments.switches.contains("--status")
        if repairs, onlyStatus { throw usage("--repair is given beside --status: wanted one of them") }
        let configuration = try Environment.configuration(arguments)
        let pool = try Pool.start(threads: 2)
        if arguments.switches.contains("--rebuild") {
            if repairs || onlyStatus {
                throw usage("--rebuild is given beside \(repairs ? "--repair" : "--status"): wanted one of them")
            }
            return try rebuild(configuration.data, arguments, pool)
        }
        if let target = arguments.values["--salvage-into"] {
            if repairs || onlyStatus {
                throw usage("--salvage-into is given beside \(repairs ? "--repair" : "--status"): wanted one of them")
            }
            return try salvage(configuration, into: target, arguments, pool)
        }
        let log = Log(level: .warning)
        let showsProgress = isatty(STDERR_FILENO) == 1
        let status = try waitFor(on: pool) {
            let caller = try await ControlCaller.reach(configuration, pool: pool, log: log)
            do throws(StartError) {
                let status =
                    onlyStatus
                    ? try await ask(caller, "GET", .null)
                    : try await check(caller, repairs: repairs, showsProgress: showsProgress, pool)
                await caller.close()
                return status
            } catch {
                await caller.close()
                throw error
            }
        }
        Control.show(status, arguments, onlyStatus ? overview : report)
        return isWrong(status) ? 1 : 0
    }

    private static func rebuild(_ folder: String, _ arguments: ParsedArguments, _ pool: Pool) throws -> Int32 {
        let report = try waitFor(on: pool) { () async throws(StartError) in
            try await OpenStore.rebuild(folder, pool: pool)
        }
        let answer: JSONValue = [
            "base": report.base.map { .integer(Int64(clamping: $0)) } ?? .null,
            "last_record": .integer(Int64(clamping: report.lastRecord)), "buckets": .integer(Int64(report.buckets)),
            "versions": .integer(Int64(report.versions)),
        ]
        Control.show(answer, arguments) { _ in
            let origin = report.base.map { "the base of record \($0) and the log" } ?? "the log alone"
            return """
                The database is made anew from \(origin), up to record \(report.lastRecord): \(report.buckets) buckets, \
                \(report.versions) versions. The former one is in the folder quarantine.
                """
        }
        return 0
    }

    private static func salvage(
        _ configuration: GatewayConfiguration, into target: String, _ arguments: ParsedArguments, _ pool: Pool
    ) throws -> Int32 {
        var new = configuration
        new.data = target
        let report = try waitFor(on: pool) { [new] () async throws(StartError) in
            try await OpenStore.salvage(configuration.data, into: new, pool: pool)
        }
        let answer: JSONValue = [
            "objects": .integer(Int64(report.objects)), "objects_from_files": .integer(Int64(report.objectsFromFiles)),
            "bytes": .integer(Int64(clamping: report.bytes)), "lost": .integer(Int64(report.lostCount)),
            "losses": .array(report.lost.map { .string($0) }),
        ]
        Control.show(answer, arguments) { _ in
            let kept = """
                \(report.objects) objects (\(report.bytes >> 20) MiB) are in the new store in \(target); of \(report.objectsFromFiles) \
                of them only their files told. Add the users again with `ogw user add`.
                """
            return ([kept] + report.lost.map { "lost: \($0)" }).joined(separator: "\n")
        }
        return report.lostCount == 0 ? 0 : 1
    }

    private static func ask(
        _ caller: ControlCaller, _ method: String, _ body: JSONValue
    ) async throws(StartError) -> JSONValue {
        let answer = try await caller.call(method, "/check", body)
        guard answer.isSuccess else {
            throw StartError(answer.value["detail"]?.string ?? "The store answered \(answer.status).")
        }
        return answer.value
    }

    /// Begins a check and returns how it ended.
    private static func check(
        _ caller: ControlCaller, repairs: Bool, showsProgress: Bool, _ pool: Pool
    ) async throws(StartError) -> JSONValue {
        var status = try await ask(caller, "POST", ["repair": .bool(repairs)])
        let pass = status["pass"]?.integer
        while status["running"]?.bool == true {
            if showsProgress { Terminal.progress("\(counts(status)) ...") }
            await pool.sleep(for: .milliseconds(250))
            status = try await ask(caller, "GET", .null)
            guard status["pass"]?.integer == pass else { throw StartError("Another check took this one's place.") }
        }
        if showsProgress { Terminal.progress("") }
        if let failure = status["failure"]?.string { throw StartError("The check ended before its end: \(failure).") }
        guard status["finished_at"]?.string != nil else { throw StartError("The store closed before the check ended.") }
        return status
    }

    private static func isWrong(_ status: JSONValue) -> Bool {
        (status["errors"]?.integer ?? 0) + (status["orphans"]?.integer ?? 0) > 0 || status["failure"]?.string != nil
    }

    private static func counts(_ status: JSONValue) -> String {
        let mebibytes = (status["bytes"]?.integer ?? 0) >> 20
        return "\(status["blobs"]?.integer ?? 0) blobs, \(mebibytes) MiB read"
    }

    private static func overview(_ status: JSONValue) -> String {
        var lines: [String] = []
        switch (status["started_at"]?.string, status["finished_at"]?.string) {
        case (nil, _): lines.append("Nothing was checked yet.")
        case (let started?, nil):
            let goes = status["running"]?.bool == true ? "is running" : "goes on when it is due"
            lines.append("The check of \(started) \(goes): \(counts(status)).")
        case (let started?, let finished?):
            lines.append("The last check began \(started) and ended \(finished): \(counts(status)).")
        }
        if let failure = status["failure"]?.string { lines.append("The last check ended before its end: \(failure).") }
        lines.append(
            "Garbage to be removed: \(status["garbage"]?.integer ?? 0). In doubt: \(status["in_doubt"]?.integer ?? 0).")
        return (lines + findings(status)).joined(separator: "\n")
    }

    private static func report(_ status: JSONValue) -> String {
        (["Checked \(counts(status))."] + findings(status)).joined(separator: "\n")
    }

    private static func findings(_ status: JSONValue) -> [String] {
        let (errors, orphans) = (status["errors"]?.integer ?? 0, status["orphans"]?.integer ?? 0)
        let (lost, healed) = (status["lost"]?.integer ?? 0, status["healed"]?.integer ?? 0)
        if errors + orphans + lost + healed == 0 {
            return status["started_at"]?.string == nil ? [] : ["Nothing is wrong."]
        }
        let rows = (status["findings"]?.array ?? []).map { finding in
            [
                finding.text("kind"), "\(finding["blob"]?.integer ?? 0)",
                finding["quarantined"]?.bool == true ? "yes" : "no", finding.text("reason"),
            ]
        }
        return [
            "Damaged or missing: \(errors). Files that nothing names: \(orphans). Healed: \(healed). "
                + "Set aside by a former repair: \(lost).",
            Terminal.table(["KIND", "BLOB", "QUARANTINED", "REASON"], rows),
        ]
    }
}
