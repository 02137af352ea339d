import Glibc
import ObjectGateway
import Threads

/// `ogw check`.
enum CheckCommand: Command {
    static let syntax = CommandSyntax(
        "check", "Read everything that is stored and compare it with what was written.",
        options: [
            .init("--status", nil, "Say how the scrub in the background stands, and read nothing."),
            .init("--repair", nil, "Move damaged files, and files that nothing names, to the folder quarantine."),
        ] + Control.options, settings: Control.settings,
        example: """
            ogw check --status
            ogw check || ogw check --repair
            """)

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let repairs = arguments.switches.contains("--repair")
        let onlyStatus = arguments.switches.contains("--status")
        if repairs, onlyStatus { throw usage("--repair is given beside --status: wanted one of them") }
        let configuration = try Environment.configuration(arguments)
        let pool = try Pool.start(threads: 2)
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
        if errors + orphans == 0 { return status["started_at"]?.string == nil ? [] : ["Nothing is wrong."] }
        let rows = (status["findings"]?.array ?? []).map { finding in
            [
                finding.text("kind"), "\(finding["blob"]?.integer ?? 0)",
                finding["quarantined"]?.bool == true ? "yes" : "no", finding.text("reason"),
            ]
        }
        return [
            "Damaged or missing: \(errors). Files that nothing names: \(orphans).",
            Terminal.table(["KIND", "BLOB", "QUARANTINED", "REASON"], rows),
        ]
    }
}
